"""The pages of the shared partner database: the list, a partner's profile, its export, and the answer to typing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from flask import Blueprint, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from tradehub.partners import files, forms, wording
from tradehub.partners.model import check, kind_of
from tradehub.partners.profile import Channel, FolderChannel, HttpChannel, Profile
from tradehub.partners.service import PartnerService
from tradehub.partners.store import PartyRow
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.worklist import Entry, Search

FILTERS = ("all", "live", "suspended")


OnChanged = Callable[[Session], None]
"""Told in the transaction that changes a partner. Raises ValueError for a schedule that cannot be kept."""


def blueprint(partners: PartnerService, database: Database, *, on_changed: OnChanged = lambda _: None) -> Blueprint:
    """Return the pages. What files manage is read-only there until it is taken over."""
    routes = Blueprint("partners", __name__, template_folder="templates")
    routes.context_processor(lambda: {"wording": wording})
    _add_reading(routes, partners, database)
    _add_handing_over(routes, partners, database)
    _add_changing(routes, partners, database, on_changed)
    return routes


def _add_handing_over(routes: Blueprint, partners: PartnerService, database: Database) -> None:
    @routes.post("/partners/<party>/source")
    @http.requires("partner.write")
    def hand_over(party: str) -> ResponseReturnValue:
        to: Literal["file", "web"] = "web" if request.form.get("to") == "web" else "file"

        def act(session: Session) -> str:
            partners.hand_over(session, party, to, by=http.principal().name, at=clock.now())
            return f"/partners/{party}/edit" if to == "web" else f"/partners/{party}"

        try:
            with database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except LookupError:
            abort(404)


def _add_changing(routes: Blueprint, partners: PartnerService, database: Database, on_changed: OnChanged) -> None:
    @routes.get("/partners/<party>/edit")
    @http.requires("partner.write")
    def edit(party: str) -> ResponseReturnValue:
        with database.read(org=http.principal().org) as session:
            row, profile = _own(partners, session, party)
        if row.source == "file":
            return redirect(f"/partners/{party}", 303)
        return _form(profile, forms.shown(profile, row.revision))

    @routes.post("/partners/<party>/edit")
    @http.requires("partner.write")
    def edited(party: str) -> ResponseReturnValue:
        with database.read(org=http.principal().org) as session:
            row, before = _own(partners, session, party)
            others = {id: each.profile for id, each in partners.known(session).items()}
        form = forms.entered(request.form, before)
        after, errors = forms.changed(before, form)
        if after is not None:
            errors = _clashes(after, others)
        if after is None or errors:
            return _form(before, form._replace(errors=errors)), 422
        if row.source == "file" or form.revision != row.revision:
            abort(409)
        try:
            return _save(partners, database, on_changed, after)
        except Unschedulable:
            told = dict.fromkeys((f"schedule-{name}" for name in form.schedules), gettext("This is no cron line."))
            return _form(before, form._replace(errors=told)), 422


def _save(partners: PartnerService, database: Database, on_changed: OnChanged, profile: Profile) -> ResponseReturnValue:
    def act(session: Session) -> str:
        partners.save(session, profile, by=http.principal().name, at=clock.now())
        try:
            on_changed(session)
        except ValueError as wrong:
            raise Unschedulable from wrong
        return f"/partners/{profile.id}"

    with database.write(org=http.principal().org) as session:
        return http.once(session, lambda: act(session))


class Unschedulable(Exception):
    """A cron line that looks like one and is none."""


def _own(partners: PartnerService, session: Session, party: str) -> tuple[PartyRow, Profile]:
    """Return a partner of the reader's own organisation; anybody else's is not found."""
    row, profile = partners.party(session, party), partners.profile(session, party)
    if row is None or profile is None:
        abort(404)
    return row, profile


def _clashes(after: Profile, others: Mapping[str, Profile]) -> dict[str, str]:
    """Return what is wrong with a profile beside the others, by the form's field."""
    found = check({**others, after.id: after}, maps=None, today=clock.now().date())
    if all(each.place != "identities" for each in found):
        return {}
    return {"identities": gettext("One of these names is taken already, or none is left.")}


def _form(profile: Profile, form: forms.PartnerForm) -> str:
    return render_template("partners/edit.html", profile=profile, form=form, forms=forms)


def _add_reading(routes: Blueprint, partners: PartnerService, database: Database) -> None:

    @routes.get("/partners")
    @http.requires("partner.read")
    def listed() -> str:
        chosen, text = request.args.get("only", "all"), request.args.get("q", "").strip()[:100]
        with database.read(org=http.principal().org) as session:
            rows = [row for row in partners.parties(session) if _fits(row, text)]
            counts = {name: sum(_is_in(row, name) for row in rows) for name in FILTERS}
            shown = [row for row in rows if _is_in(row, chosen)]
            profiles = {row.id: partners.profile(session, row.id) for row in shown}
        return render_template(
            "partners/partners.html",
            rows=shown,
            profiles=profiles,
            chosen=chosen,
            text=text,
            counts=counts,
            filters=FILTERS,
        )

    @routes.get("/partners/suggest")
    @http.requires("partner.read")
    def suggest() -> str:
        text, role = request.args.get("q", "")[:100], request.args.get("role") or None
        with database.read(org=http.principal().org) as session:
            found = partners.suggest(session, text, role, of=http.principal().org)
        return render_template("partners/suggest.html", found=found)

    @routes.get("/partners/<party>")
    @http.requires("partner.read")
    def partner(party: str) -> str:
        with database.read(org=http.principal().org) as session:
            row = partners.party(session, party) or abort(404)
            profile = partners.profile(session, party)
            revisions = partners.revisions(session, party)
        channels = {name: _facts(each) for name, each in profile.channels.items()} if profile else {}
        return render_template(
            "partners/partner.html", row=row, profile=profile, revisions=revisions, channels=channels, kind_of=kind_of
        )

    @routes.get("/partners/<party>.yaml")
    @http.requires("partner.read")
    def exported(party: str) -> Response:
        with database.read(org=http.principal().org) as session:
            profile = partners.profile(session, party) or abort(404)
        return Response(
            files.write(profile),
            mimetype="application/yaml",
            headers={"Content-Disposition": f'attachment; filename="{profile.id}.yaml"'},
        )


def search(partners: PartnerService) -> Search:
    """Return what finds partners by name, id or number."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("partner.read"):
            return []
        return [Entry(f"/partners/{each.id}", each.name, each.hint) for each in partners.suggest(session, words)]

    return find


def _fits(row: PartyRow, text: str) -> bool:
    return text.casefold() in f"{row.name} {row.id} {' '.join(row.roles)} {row.country or ''}".casefold()


_IN: dict[str, Callable[[PartyRow], bool]] = {
    "live": lambda row: row.status in ("live", "test"),
    "suspended": lambda row: row.status in ("suspended", "closed"),
}


def _is_in(row: PartyRow, name: str) -> bool:
    return _IN[name](row) if name in _IN else True


def _facts(channel: Channel) -> dict[str, Any]:
    """Return what a channel's card says; a secret is shown as there or not, never what it is."""
    facts: dict[str, Any] = {"kind": channel.kind}
    if isinstance(channel, FolderChannel):
        every = int(channel.every.total_seconds()) if channel.every else None
        facts |= {"in_dir": channel.in_dir, "out_dir": channel.out_dir, "cron": channel.cron, "every_s": every}
    if isinstance(channel, HttpChannel):
        facts |= {"url": channel.url, "token": "***"}
    return facts
