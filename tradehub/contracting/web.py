"""The pages of contracting: the list, a contract with its frozen terms, its print view, its card on the deal page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from tradehub.contracting.blanket_pages import BlanketPages, blanket_card
from tradehub.contracting.calling_off import lines_of
from tradehub.contracting.model import State, by_group
from tradehub.contracting.service import ContractService
from tradehub.contracting.signing_pages import Confirm, Present, SigningPages, signing_card
from tradehub.contracting.store import ContractRow
from tradehub.contracting.template_pages import TemplatePages
from tradehub.documents.terms import diff
from tradehub.partners.asking import Ask
from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.security import SignInRefused
from tradehub.platform.worklist import Entry, Search, Section

NameOf = Callable[[Session, str], str]
Amendments = Callable[[Session, ContractRow], Markup]


def _no_amendments(_session: Session, _contract: ContractRow) -> Markup:
    return Markup()


STATES: dict[State, tuple[str, LazyString]] = {
    State.AWAITING_CONFIRMATION: ("wait", lazy_gettext("Awaiting signature or confirmation")),
    State.CONCLUDED_OBJECTABLE: ("wait", lazy_gettext("Concluded, objection possible")),
    State.CONCLUDED: ("ok", lazy_gettext("Concluded")),
    State.NEVER_CONCLUDED: ("off", lazy_gettext("Never concluded")),
    State.IN_PERFORMANCE: ("work", lazy_gettext("In performance")),
    State.FULFILLED: ("ok", lazy_gettext("Fulfilled")),
    State.SUSPENDED: ("warn", lazy_gettext("Suspended")),
    State.TERMINATED: ("off", lazy_gettext("Terminated")),
    State.AVOIDED: ("bad", lazy_gettext("Avoided")),
}

ITEMS_MAX = 8
"""Lines of a contract that its card on the deal page names."""


def panel(service: ContractService) -> Callable[[Session, str], Markup]:
    """Return the part of the deal page that shows its contracts; nothing where there is none yet."""

    def show(session: Session, deal_id: str) -> Markup:
        found = [(each, each.versions[-1]) for each in service.of_deal(session, deal_id)]
        cards = [
            render_template(
                "contracting/_card.html", contract=row, last=last, states=STATES, position=position,
                items=list(lines_of(last).values()), items_max=ITEMS_MAX,
            )
            for position, (row, last) in enumerate(found, 1)
        ]  # fmt: skip
        return Markup("").join(Markup(each) for each in cards)  # noqa: S704 - rendered templates

    return show


def blueprint(
    service: ContractService,
    database: Database,
    *,
    name_of: NameOf,
    confirm: Confirm | None = None,
    present: Present | None = None,
    amendments: Amendments = _no_amendments,
    ask: Ask | None = None,
) -> Blueprint:
    """Return the pages. ``amendments`` is the part of a contract's page on which the two change it by agreement; ``ask``
    asks for approval of a call-off that the buyer's rules do not let go on."""
    pages = Blueprint("contracting", __name__, template_folder="templates")

    def shown(contract_id: str, template: str) -> str:
        with database.read(org=http.principal().org) as session:
            shown = _page(service, name_of, session, contract_id)
            return render_template(template, **shown, amendments=amendments(session, shown["contract"]))

    @pages.get("/contracts")
    @http.requires("deal.read")
    def listed() -> str:
        text = request.args.get("q", "").strip()[:100]
        with database.read(org=http.principal().org) as session:
            found = service.find(session, text)
            names = {each: name_of(session, each) for row in found for each in (row.buyer, row.seller)}
            return render_template(
                "contracting/contracts.html", contracts=found, names=names, states=STATES, text=text,
                can_sign=service.can_sign,
            )  # fmt: skip

    @pages.get("/contracts/<contract_id>")
    @http.requires("deal.read")
    def contract(contract_id: str) -> str:
        return shown(contract_id, "contracting/contract.html")

    @pages.get("/contracts/<contract_id>/print")
    @http.requires("deal.read")
    def printed(contract_id: str) -> str:
        return shown(contract_id, "contracting/print.html")

    if service.can_sign:
        SigningPages(service, database, name_of, confirm or _refuse, present or _refuse).add(pages)
        TemplatePages(database).add(pages)
        BlanketPages(service, database, ask or _refuse).add(pages)

    @pages.get("/contracts/deal/<deal_id>")
    @http.requires("deal.read")
    def of_deal(deal_id: str) -> ResponseReturnValue:
        """Lead to the contract of a deal; of several to that of ``acceptance``, else to where all of them are named."""
        acceptance = request.args.get("acceptance")
        with database.read(org=http.principal().org) as session:
            found = [each for each in service.of_deal(session, deal_id) if acceptance in (None, each.acceptance)]
            under = service.of_release(session, deal_id)
        if len(found) > 1:
            return redirect(f"/deals/{deal_id}#contract")
        row = found[0] if found else under
        return redirect(f"/contracts/{row.id}") if row else abort(404)

    return pages


def _refuse(*_what: object) -> NoReturn:
    """Nobody can be held to a password or a passkey here, so nobody signs."""
    raise SignInRefused


def _page(service: ContractService, name_of: NameOf, session: Session, contract_id: str) -> dict[str, Any]:
    try:
        row = service.contract(session, contract_id)
    except NoResultFound:
        abort(404)
    chosen = request.args.get("version", row.version, type=int)
    version = next((each for each in row.versions if each.version == chosen), None) or abort(404)
    against = request.args.get("against", chosen - 1, type=int)
    before = next((each for each in row.versions if each.version == against != chosen), None)
    header, lines = by_group(version.terms_by_path)
    return {
        "contract": row,
        "version": version,
        "before": before,
        "changes": diff(before.terms_by_path, version.terms_by_path) if before else (),
        "header": header,
        "lines": lines,
        "names": {each: name_of(session, each) for each in (row.buyer, row.seller)},
        "states": STATES,
        **signing_card(service, session, row, chosen),
        **(blanket_card(service, session, row) if service.can_sign else {}),
    }


def search(service: ContractService, name_of: NameOf) -> Search:
    """Return the search over contracts: by their number, the deal's inquiry or the offer."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("deal.read"):
            return []
        return [
            _entry(row, name_of(session, row.seller if row.buyer == who.org else row.buyer))
            for row in service.find(session, words)
        ]

    return find


def section(service: ContractService, name_of: NameOf) -> Section:
    """Return the part of the work queue that waits for a signature, or for a word on proposed ceilings."""

    def waiting(session: Session, who: http.Principal) -> list[Entry]:
        signing = ("turn", gettext("Your signature"))
        ceilings = ("turn", gettext("Ceilings proposed"))
        found = [(row, signing, f"/contracts/{row.id}/sign") for row in service.to_sign(session, who.org)]
        found += [(row, ceilings, f"/contracts/{row.id}#blanket") for row in service.to_agree(session, who.org)]
        return [
            replace(_entry(row, name_of(session, row.seller if row.buyer == who.org else row.buyer)),
                    status=status, href=href)
            for row, status, href in found
        ]  # fmt: skip

    title, empty = lazy_gettext("Contracts that wait for you"), lazy_gettext("No contract waits for your signature.")
    return Section("contracts", title, "deal.bind", waiting, empty, "/contracts")


def _entry(row: ContractRow, other: str) -> Entry:
    kind, word = STATES[row.is_in]
    title = gettext("Contract %(number)s", number=row.number)
    return Entry(f"/contracts/{row.id}", title, other, (kind, str(word)), at=row.concluded_at)
