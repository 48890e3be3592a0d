"""The pages of the shared partner database: the list, a partner's profile, its export, and the answer to typing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from sqlalchemy.orm import Session

from tradehub.partners import files, wording
from tradehub.partners.model import kind_of
from tradehub.partners.profile import Channel, FolderChannel, HttpChannel
from tradehub.partners.service import PartnerService
from tradehub.partners.store import PartyRow
from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.worklist import Entry, Search

FILTERS = ("all", "live", "suspended")


def blueprint(partners: PartnerService, database: Database) -> Blueprint:
    """Return the pages. What files manage is read-only there."""
    routes = Blueprint("partners", __name__, template_folder="templates")
    routes.context_processor(lambda: {"wording": wording})

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

    return routes


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
