"""The pages of the exchange: the monitor, a message with its raw, parsed and business view, and its mending."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import KINDS
from tradehub.documents.terms import plain_values
from tradehub.exchange import anatomy, monitor, wording
from tradehub.exchange.intake import add_intake
from tradehub.exchange.model import Acknowledgement, Delivery, Direction, Validation, is_late, needs_attention
from tradehub.exchange.service import CannotReplay, ExchangeService
from tradehub.exchange.store import IssueRow, MessageRow
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.schedules import Schedule, job_id
from tradehub.platform.worklist import Entry, Search, Section

NameOf = Callable[[Session, str], str]
Refusals = Mapping[str, LazyString]
"""Why capabilities do not act on a message, as sentences, by the rules and codes of theirs."""

EDIT_MAX = 1_000_000
"""Characters of a transmission that can be mended in a form; more is mended at its source."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Pages:
    exchange: ExchangeService
    database: Database
    name_of: NameOf
    refusals: Refusals


def blueprint(
    exchange: ExchangeService, database: Database, *, name_of: NameOf, refusals: Refusals = wording.REFUSALS
) -> Blueprint:
    """Return the monitor's pages and the door for partners' programs, ``POST /exchange/http/<partner>``."""
    routes = Blueprint("exchange", __name__, template_folder="templates")
    pages = Pages(exchange, database, name_of, refusals)
    routes.context_processor(lambda: {"statuses_of": statuses_of, "wording": wording, "refusals": refusals})
    _add_list(routes, pages)
    _add_message(routes, pages)
    _add_mending(routes, pages)
    _add_schedules(routes, pages)
    add_intake(routes, exchange)
    return routes


def _add_list(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/messages")
    @http.requires("message.read")
    def listed() -> str:
        chosen, text = request.args.get("only", "all"), request.args.get("q", "").strip()[:100]
        page = max(request.args.get("page", 1, type=int), 1)
        partner = request.args.get("partner", "")[:50]
        with pages.database.read(org=http.principal().org) as session:
            found = monitor.find(session, chosen=chosen, text=text, page=page, now=clock.now(), partner=partner)
            worst = monitor.worst(session, found.rows)
            return render_template(
                "exchange/messages.html",
                found=found,
                figures=monitor.figures(session, now=clock.now()),
                names=_names(pages, session, found.rows),
                reasons={row.id: reason_text(row, worst.get(row.id), pages.refusals) for row in found.rows},
                chosen=chosen if chosen in monitor.FILTERS else "all",
                text=text,
                page=page,
                partner=partner,
            )

    @routes.get("/messages.csv")
    @http.requires("message.read")
    def exported() -> Response:
        chosen, text = request.args.get("only", "all"), request.args.get("q", "").strip()[:100]
        with pages.database.read(org=http.principal().org) as session:
            rows = monitor.export(session, chosen=chosen, text=text, now=clock.now())
            names = _names(pages, session, rows)
        return Response(
            csv_of(rows, names),
            mimetype="text/csv",
            headers={"Content-Disposition": 'attachment; filename="messages.csv"'},
        )


def _add_message(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/messages/<message_id>")
    @http.requires("message.read")
    def message(message_id: str) -> str:
        with pages.database.read(org=http.principal().org) as session:
            story = monitor.story(session, message_id) or abort(404)
            text = _text_of(pages, story.row)
            shown = anatomy.lines(text, story.row.standard, message=story.row.position, pins=story.issues)
            return render_template(
                "exchange/message.html",
                story=story,
                row=story.row,
                lines=shown,
                parsed=_parsed(pages, story, shown, text),
                name=pages.name_of(session, story.row.partner or ""),
                business=business_view(story.row.kind, story.row.document or {}),
                reason=reason_text(story.row, story.worst, pages.refusals),
                can_fix=_can_fix(story.row, text),
                can_resend=_can_resend(story.row),
                attention=needs_attention(story.row.statuses, now=clock.now()),
            )

    @routes.get("/messages/<message_id>/raw")
    @http.requires("message.read")
    def raw(message_id: str) -> Response:
        with pages.database.read(org=http.principal().org) as session:
            row = (monitor.story(session, message_id) or abort(404)).row
        if row.payload_sha256 is None or row.sealed_as is not None:
            abort(404)
        suffix = "xml" if row.standard == "ubl" else "edi" if row.standard else "bin"
        return Response(
            pages.exchange.payloads.get(row.payload_sha256),
            mimetype="application/octet-stream",
            headers={
                "Content-Disposition": f'attachment; filename="{row.id}.{suffix}"',
                "Content-Security-Policy": "sandbox; default-src 'none'",
            },
        )


def _add_mending(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/messages/<message_id>/fix")
    @http.requires("message.repair")
    def fix(message_id: str) -> str:
        with pages.database.read(org=http.principal().org) as session:
            story = monitor.story(session, message_id) or abort(404)
            text = anatomy.laid_out(_text_of(pages, story.row), story.row.standard)
            if text is None or not _can_fix(story.row, text):
                abort(404)
            shown = anatomy.lines(text, story.row.standard, message=story.row.position, pins=story.issues)
            return render_template(
                "exchange/fix.html",
                story=story,
                row=story.row,
                text=text,
                cursor=anatomy.first_fault(shown),
                reason=reason_text(story.row, story.worst, pages.refusals),
                name=pages.name_of(session, story.row.partner or ""),
            )

    @routes.post("/messages/<message_id>/fix")
    @http.requires("message.repair")
    def fixed(message_id: str) -> ResponseReturnValue:
        mended = request.form.get("text", "")[:EDIT_MAX].replace("\r\n", "\n")
        return _mend(pages, lambda session: _replayed(pages, session, message_id, mended))

    @routes.post("/messages/<message_id>/replay")
    @http.requires("message.repair")
    def replay(message_id: str) -> ResponseReturnValue:
        return _mend(pages, lambda session: _replayed(pages, session, message_id, None))

    @routes.post("/messages/<message_id>/resend")
    @http.requires("message.repair")
    def resend(message_id: str) -> ResponseReturnValue:
        def act(session: Session) -> str:
            pages.exchange.resend(session, message_id, actor=http.principal().name)
            return f"/messages/{message_id}"

        return _mend(pages, act)

    @routes.post("/messages/<message_id>/settle")
    @http.requires("message.repair")
    def settle(message_id: str) -> ResponseReturnValue:
        def act(session: Session) -> str:
            pages.exchange.settle(session, message_id, actor=http.principal().name, detail=None)
            return f"/messages/{message_id}"

        return _mend(pages, act)


def _add_schedules(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/schedules")
    @http.requires("schedule.read")
    def schedules() -> str:
        now = clock.now()
        with pages.database.read(org=http.principal().org) as session:
            rows = session.scalars(select(Schedule).order_by(Schedule.id)).all()
            names = {row.id: pages.name_of(session, row.target.partition(".")[0]) for row in rows}
        chosen = request.args.get("only", "all")
        late = [row for row in rows if row.is_late(now)]
        return render_template(
            "exchange/schedules.html",
            rows=late if chosen == "late" else rows,
            names=names,
            late={row.id for row in late},
            chosen=chosen,
            counts={"all": len(rows), "late": len(late)},
        )

    @routes.post("/schedules/<schedule_id>/sync")
    @http.requires("message.repair")
    def sync(schedule_id: str) -> ResponseReturnValue:
        def act(session: Session) -> str:
            row = session.scalar(select(Schedule).where(Schedule.id == schedule_id)) or abort(404)
            job = job_id(row.id, clock.now())
            pages.exchange.jobs.enqueue_in_tx(session, row.kind, row.target, id=job)
            flash(gettext("The channel is being looked into."), "success")
            return "/schedules"

        return _mend(pages, act)


def _mend(pages: Pages, act: Callable[[Session], str]) -> ResponseReturnValue:
    try:
        with pages.database.write(org=http.principal().org) as session:
            return http.once(session, lambda: act(session))
    except CannotReplay:
        abort(409)
    except LookupError:
        abort(404)


def _replayed(pages: Pages, session: Session, message_id: str, mended: str | None) -> str:
    payload = None
    if mended is not None:
        row = (monitor.story(session, message_id) or abort(404)).row
        payload = encoded(mended, pages.exchange.payloads.get(str(row.payload_sha256)))
    receipt = pages.exchange.replay(session, message_id, actor=http.principal().name, payload=payload)
    return f"/messages/{receipt.message_id}"


def encoded(mended: str, original: bytes) -> bytes:
    """Return an edited text in the bytes of the one it came from: its encoding, and its line ends."""
    try:
        original.decode("utf-8")
        charset = "utf-8"
    except UnicodeDecodeError:
        charset = "latin-1"
    text = mended.replace("\n", "\r\n") if b"\r\n" in original else mended
    return text.encode(charset, "replace")


def _parsed(pages: Pages, story: monitor.Story, shown: Sequence[anatomy.Line], text: str) -> list[anatomy.Value]:
    """Return the elements of the message by name."""
    row = story.row
    if row.standard == "ubl" and row.payload_sha256 is not None and row.sealed_as is None:
        found = pages.exchange.inbound.codec.leaves(pages.exchange.payloads.get(row.payload_sha256))
        return anatomy.leaf_values(found, story.issues)
    of_message = (line for line in shown if line.message == row.position)
    return [value for line in of_message for value in anatomy.values(line, text)]


def _text_of(pages: Pages, row: MessageRow) -> str:
    if row.payload_sha256 is None or row.sealed_as is not None:
        return ""
    return anatomy.decoded(pages.exchange.payloads.get(row.payload_sha256))


def _can_fix(row: MessageRow, text: str) -> bool:
    judged = row.direction == Direction.IN and row.validation != Validation.PENDING
    return judged and 0 < len(text) <= EDIT_MAX


def _can_resend(row: MessageRow) -> bool:
    return row.direction == Direction.OUT and (row.control_number is not None or row.outbox_id is not None)


def _names(pages: Pages, session: Session, rows: Sequence[MessageRow]) -> dict[str, str]:
    return {partner: pages.name_of(session, partner) for partner in {row.partner for row in rows if row.partner}}


def statuses_of(row: MessageRow) -> dict[str, wording.Pill]:
    """Return the three statuses as pills: validation, delivery, acknowledgement."""
    answered = wording.ACKNOWLEDGEMENTS[Direction(row.direction), Acknowledgement(row.acknowledgement)]
    return {
        "validation": wording.VALIDATIONS[Validation(row.validation)],
        "delivery": wording.DELIVERIES[Delivery(row.delivery)],
        "acknowledgement": wording.LATE if is_late(row.statuses, now=clock.now()) else answered,
    }


def reason_text(row: MessageRow, worst: IssueRow | None, refusals: Refusals = wording.REFUSALS) -> str:
    """Return why the message is where it is, in a sentence or two; empty where all is well.

    ``worst`` is the first error found in it: it says why a message was judged as it was.
    """
    if is_late(row.statuses, now=clock.now()):
        return str(gettext("The acknowledgement is late."))
    rule = row.validation_reason or row.delivery_reason or row.ack_reason
    if rule is None:
        return ""
    said = _cause(row, worst if row.validation_reason else None, refusals)
    sentence = wording.REASONS.get(rule)
    if sentence is None:
        return said or rule
    return str(gettext("%(first)s %(second)s", first=sentence, second=said)) if said else str(sentence)


def _cause(row: MessageRow, worst: IssueRow | None, refusals: Refusals) -> str:
    if worst is not None:
        return wording.placed(worst)
    refused = refusals.get(row.reason_text or "") or refusals.get(row.delivery_reason or "")
    return str(refused or row.reason_text or "")


def csv_of(rows: Sequence[MessageRow], names: dict[str, str]) -> str:
    """Return messages as CSV. A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(
        ["id", "created_at", "direction", "partner", "message", "reference", "control_number", "validation", "delivery",
         "acknowledgement", "reason", "deal", "size"]
    )  # fmt: skip
    for row in rows:
        writer.writerow(
            _inert(cell)
            for cell in (
                row.id, row.created_at.isoformat(), row.direction, names.get(row.partner or "", row.partner),
                row.message, row.reference, row.control_number, row.validation, row.delivery, row.acknowledgement,
                row.validation_reason or row.delivery_reason or row.ack_reason, row.deal, row.size,
            )
        )  # fmt: skip
    return out.getvalue()


def _inert(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def business_view(kind: str | None, document: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the values of a document by the paths of its terms, in the order of the model.

    What no field holds comes last, by its place in the message.
    """
    try:
        held = KINDS[str(kind)].model_validate(document)
    except (KeyError, ValidationError):  # stored under an earlier model
        return [(name, json.dumps(value, ensure_ascii=False)) for name, value in document.items()]
    kept = [(f"{each.tag} {each.path}".strip(), " ".join(each.values)) for each in held.extensions]
    return [*plain_values(held).items(), *kept]


def panel() -> Callable[[Session, str], Markup]:
    """Return the part of the deal page that lists its messages, both ways; nothing where a user may not read them."""

    def show(session: Session, deal_id: str) -> Markup:
        rows = monitor.of_deal(session, deal_id) if http.principal().may("message.read") else ()
        if not rows:
            return Markup()
        text = render_template("exchange/_panel.html", rows=rows, wording=wording, statuses_of=statuses_of)
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def section(refusals: Refusals = wording.REFUSALS) -> Section:
    """Return the part of the work queue that shows messages needing attention."""

    def entries(session: Session, who: http.Principal) -> list[Entry]:
        return _entries(session, monitor.needing_attention(session, now=clock.now()), refusals)

    return Section(
        "messages",
        lazy_gettext("Messages needing attention"),
        "message.read",
        entries,
        lazy_gettext("No message needs attention."),
        "/messages?only=attention",
    )


def late_section(name_of: NameOf) -> Section:
    """Return the part of the work queue that shows channels not looked into for too long."""

    def entries(session: Session, who: http.Principal) -> list[Entry]:
        rows = session.scalars(select(Schedule).where(Schedule.enabled).order_by(Schedule.id))
        return [
            Entry(
                "/schedules?only=late",
                name_of(session, row.target.partition(".")[0]),
                row.target,
                ("bad", str(gettext("Late"))),
                row.last_ok,
            )
            for row in rows
            if row.is_late(clock.now())
        ]

    return Section(
        "syncs",
        lazy_gettext("Late syncs"),
        "schedule.read",
        entries,
        lazy_gettext("Every channel is looked into on time."),
        "/schedules?only=late",
    )


def search(refusals: Refusals = wording.REFUSALS) -> Search:
    """Return what finds messages by reference, control number or file name."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("message.read"):
            return []
        return _entries(session, monitor.search(session, words), refusals)

    return find


def _entries(session: Session, rows: Sequence[MessageRow], refusals: Refusals) -> list[Entry]:
    worst = monitor.worst(session, rows)
    return [_entry(row, reason_text(row, worst.get(row.id), refusals)) for row in rows]


def _entry(row: MessageRow, reason: str) -> Entry:
    pill = next((each for each in statuses_of(row).values() if each[0] == "bad"), statuses_of(row)["validation"])
    title = " · ".join(part for part in (row.message or str(gettext("Unknown")), row.reference, row.partner) if part)
    return Entry(f"/messages/{row.id}", title, reason, (pill[0], str(pill[1])), row.created_at)
