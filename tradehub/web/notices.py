"""Mail that tells people what waits for them: what is new in their work queue, in their language, as often as they wish.

The clock asks every minute. Each person's queue is asked for as the home page asks, with the roles of that moment, so that
nobody is told of what the pages would not show. What was told is remembered until it leaves the queue; if it comes back,
it is told again. Letter and memory are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, flash, g, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext, ngettext
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import ColumnElement, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.documents.parts import PartyId
from tradehub.platform import clock, http, schedules
from tradehub.platform.db import Base, Database
from tradehub.platform.http import Principal
from tradehub.platform.jobs import JobContext, Jobs
from tradehub.platform.mail import Letter, Mail, one_line
from tradehub.platform.security import Membership, Organisation, Security, User, permissions_of
from tradehub.platform.worklist import Entry, Section

NOTIFY = "web.notify"
"""The job, and its schedule, that looks into every queue."""

EVERY_S = 60
GAP = timedelta(minutes=10)
"""Between two letters to one person: what comes meanwhile comes together."""

IN_THE_MORNING = time(8)
"""When those who want one letter a day get it, by their own clock."""

LISTED_MAX = 40
"""Entries that a letter names; the home page has the rest."""

AT_ONCE, DAILY, NEVER = "at_once", "daily", "never"
WISHES = {
    AT_ONCE: lazy_gettext("As soon as something waits for me"),
    DAILY: lazy_gettext("Once a day, in the morning"),
    NEVER: lazy_gettext("Never"),
}
"""How often somebody wants to be told; without a choice, at once."""


class Told(Base):
    """An entry of somebody's queue that a letter has named, by its fingerprint."""

    __tablename__ = "notice_told"

    user_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]


@dataclass(frozen=True)
class Waiting:
    """Something in a queue, and the section that it stands in."""

    section: Section
    entry: Entry

    @property
    def fingerprint(self) -> str:
        return sha256(f"{self.section.key}\n{self.entry.href}".encode()).hexdigest()


class Notices:
    """Who is told, of what, and when. ``app`` gives the pages whose words and addresses the letters use."""

    def __init__(self, database: Database, mail: Mail, sections: Sequence[Section], app: Callable[[], Flask]) -> None:
        self._database = database
        self._mail = mail
        self._sections = [each for each in sections if each.is_ours]
        self._app = app

    def register(self, jobs: Jobs) -> None:
        jobs.register(NOTIFY, self._run)

    def schedule(self, session: Session) -> None:
        """Let the clock look into the queues while there is a mail server, and leave them alone while there is none."""
        if self._mail.is_on:
            schedules.put(session, NOTIFY, kind=NOTIFY, every_s=EVERY_S)
        else:
            schedules.remove(session, NOTIFY)

    def _run(self, ctx: JobContext, _target: str = "") -> None:
        self.tell()
        with ctx.write() as session:
            self._mail.tidy(session)

    def tell(self) -> None:
        """Write to everybody who is to be told of something now.

        Raises what one person's queue raises, once everybody else was told.
        """
        with self._database.read() as session:
            found = select(User, Membership, Organisation.name).join(Membership, Membership.user_id == User.id)
            found = found.join(Organisation, Organisation.id == Membership.org, isouter=True)
            people = session.execute(found.where(User.disabled_at.is_(None))).all()
        with ExitStack() as each_of_them:
            for user, of, org_name in people:
                if is_due(user, of, clock.now()):
                    each_of_them.callback(self._tell, of.mailed_at, _principal(user, of, org_name))

    def _tell(self, mailed_at: datetime | None, who: Principal) -> None:
        app = self._app()
        with app.test_request_context():
            g.principal = who
            with self._database.read(org=who.org) as session:
                waiting = {each.fingerprint: each for each in self._waiting(session, who)}
                known = _told(session, who)
            if waiting.keys() == known:  # as it was a minute ago: nothing to write, and nobody kept waiting
                return

            def tell(session: Session) -> None:
                of = session.get(Membership, (who.user_id, who.org), with_for_update=True)
                if of is None or of.mailed_at != mailed_at:  # gone meanwhile, or another worker came first
                    return
                new = _remember(session, who, waiting)
                if new:
                    subject, text, headers = _letter(app, who, new, len(waiting) - len(new))
                    self._mail.put(session, user_id=who.user_id, address=who.email, name=who.name, subject=subject,
                                   text=text, headers=headers)  # fmt: skip
                    of.mailed_at = clock.now()

            self._database.transact(tell)

    def _waiting(self, session: Session, who: Principal) -> Iterator[Waiting]:
        for section in self._sections:
            if who.may(section.permission):
                for entry in section.entries(session, who):
                    yield Waiting(section, entry)


def is_due(user: User, of: Membership, now: datetime) -> bool:
    """Return whether somebody may get a letter now, by their own wish and clock."""
    wish, last = user.mail or AT_ONCE, of.mailed_at
    if wish == AT_ONCE:
        return last is None or now - last >= GAP
    if wish != DAILY:
        return False
    here = ZoneInfo(user.time_zone or "UTC")
    local = now.astimezone(here)
    return local.time() >= IN_THE_MORNING and (last is None or last.astimezone(here).date() < local.date())


def _principal(user: User, of: Membership, org_name: str | None) -> Principal:
    """Return the person as a session of theirs would speak, without one: nothing can be bound or confirmed by it."""
    return Principal(
        user_id=user.id, org=PartyId(of.org), name=user.name, roles=frozenset(of.roles),
        permissions=permissions_of(of.roles), org_name=org_name or of.org, email=user.email, lang=user.lang,
        time_zone=user.time_zone, session="",
    )  # fmt: skip


def _mine(who: Principal) -> tuple[ColumnElement[bool], ...]:
    return Told.user_id == who.user_id, Told.org == who.org


def _told(session: Session, who: Principal) -> set[str]:
    return set(session.scalars(select(Told.entry).where(*_mine(who))))


def _remember(session: Session, who: Principal, waiting: Mapping[str, Waiting]) -> list[Waiting]:
    """Return what this person was not told of yet, and remember it; forget what is no longer there."""
    known = _told(session, who)
    if gone := known - waiting.keys():
        session.execute(delete(Told).where(*_mine(who), Told.entry.in_(gone)))
    new = {fingerprint: each for fingerprint, each in waiting.items() if fingerprint not in known}
    session.add_all(Told(user_id=who.user_id, org=who.org, entry=each, at=clock.now()) for each in new)
    return list(new.values())


def _letter(app: Flask, who: Principal, new: Sequence[Waiting], known: int) -> tuple[str, str, dict[str, str]]:
    """Return subject, text and headers of a letter on what is new, beside so many entries that are known."""
    sections: dict[str, list[Entry]] = {}
    for each in new[:LISTED_MAX]:
        sections.setdefault(str(each.section.title), []).append(each.entry)
    first = new[0]
    subject = (
        f"{first.section.title}: {first.entry.title}"
        if len(new) == 1
        else ngettext("%(num)d thing waits for you", "%(num)d things wait for you", len(new))
    )
    public = app.config["PUBLIC_URL"]
    stop = f"{public}/mail/stop/{_seal(app).dumps(who.user_id)}"
    text = render_template(
        "notice.txt", who=who, sections=sections, more=len(new) - LISTED_MAX, known=known, public=public, stop=stop,
        one_line=one_line,
    )  # fmt: skip
    return subject, text, {"List-Unsubscribe": f"<{stop}>"}


def _seal(app: Flask) -> URLSafeSerializer:
    return URLSafeSerializer(app.config["SECRET_KEY"], salt="mail/stop")


def faults(session: Session, people: Sequence[str]) -> dict[str, str]:
    """Return why the last letter to each of these people was not delivered, where it was not."""
    found = select(Letter).where(Letter.user_id.in_(people), Letter.closed_at.is_not(None)).order_by(Letter.closed_at)
    last = {letter.user_id: letter.fault for letter in session.scalars(found)}
    return {user: fault for user, fault in last.items() if fault}


def blueprint(app: Flask, security: Security, database: Database) -> Blueprint:
    """Return the page to which the foot of each letter leads: no more mail, without signing in."""
    pages = Blueprint("notices", __name__)

    def _whose(secret: str) -> str | None:
        try:
            return str(_seal(app).loads(secret))
        except BadSignature:
            return None

    @pages.get("/mail/stop/<secret>")
    @http.public
    def stop(secret: str) -> ResponseReturnValue:
        known = _whose(secret) is not None
        return render_template("mail_stop.html", secret=secret, known=known), 200 if known else 404

    @pages.post("/mail/stop/<secret>")
    @http.public
    def stopped(secret: str) -> ResponseReturnValue:
        user_id = _whose(secret)
        if user_id is None:
            return render_template("mail_stop.html", secret=secret, known=False), 404
        with database.write() as session:
            security.set_preferences(session, user_id, mail=NEVER)
        flash(gettext("No more mail is sent to you. Your account page lets it begin again."), "ok")
        return redirect(f"/mail/stop/{secret}", 303)

    return pages
