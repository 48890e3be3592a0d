"""The pages of a blanket agreement: its ceilings proposed and agreed to, what is left of them, orders called off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from tradehub.contracting import saying
from tradehub.contracting.binding import CallingOff, Unauthorised, intended
from tradehub.contracting.calling_off import Ceilings, agreement_of, lines_of, suggested
from tradehub.contracting.model import ENDED, Conflict, Refused
from tradehub.contracting.service import ContractService
from tradehub.contracting.store import BlanketRow, ContractRow
from tradehub.partners.asking import Ask, asker
from tradehub.partners.authority import Wanted
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.entered import FAULTS, Entered

NOTE_MAX = 2000
"""Characters of a note for those who approve."""


@dataclass(frozen=True)
class BlanketPages:
    """``ask`` asks for approval of a call-off that the buyer's rules do not let go on."""

    service: ContractService
    database: Database
    ask: Ask

    def add(self, routes: Blueprint) -> None:
        _add_agreeing(routes, self)
        _add_call_offs(routes, self)

    def found(self, session: Session, contract_id: str) -> ContractRow:
        try:
            return self.service.contract(session, contract_id)
        except NoResultFound:
            abort(404)


def blanket_card(service: ContractService, session: Session, contract: ContractRow) -> dict[str, object]:
    """Return what the contract page shows of its ceilings and releases."""
    row = service.blanket(session, contract.id)
    org = http.principal().org
    is_live = contract.is_in not in ENDED
    items = {name: line.item.label for name, line in lines_of(contract.versions[-1]).items()}
    return {
        "blanket": row,
        "call_offs": row.call_offs if row else (),
        "agreement": agreement_of(row) if row else None,
        "items": items,
        "may_propose": is_live and (row is None or row.confirmed_at is None),
        "may_agree": is_live and row is not None and row.confirmed_at is None and row.agreed_by != org,
        "may_call_off": is_live and row is not None and row.confirmed_at is not None and contract.buyer == org,
    }


# --- ceilings ------------------------------------------------------------------------------------------------------


def _add_agreeing(routes: Blueprint, pages: BlanketPages) -> None:
    @routes.get("/contracts/<contract_id>/blanket")
    @http.requires("deal.bind")
    def blanket_form(contract_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            row = pages.service.blanket(session, pages.found(session, contract_id).id)
        if row is not None and row.confirmed_at is not None:
            return redirect(url_for(".contract", contract_id=contract_id, _anchor="blanket"))
        return _ceilings_page(pages, contract_id)

    @routes.post("/contracts/<contract_id>/blanket")
    @http.requires("deal.bind")
    def blanket_propose(contract_id: str) -> ResponseReturnValue:
        who = http.principal()
        with pages.database.read(org=who.org) as session:
            names = list(lines_of(pages.found(session, contract_id).versions[-1]))
        entered = Entered(request.form)
        ceilings = _entered_ceilings(entered, names)
        if ceilings is None:
            return _ceilings_page(pages, contract_id, errors=entered.errors), 422
        try:
            with pages.database.write(org=who.org) as session:

                def act() -> str:
                    pages.service.propose_blanket(session, contract_id, ceilings, by=who.org, at=clock.now())
                    return url_for(".contract", contract_id=contract_id, _anchor="blanket")

                return http.once(session, act)
        except Refused as refused:
            return _ceilings_page(pages, contract_id, refused=saying.why(refused)), 409

    @routes.post("/contracts/<contract_id>/blanket/agree")
    @http.requires("deal.bind")
    def blanket_agree(contract_id: str) -> ResponseReturnValue:
        who, revision = http.principal(), request.form.get("revision", 0, type=int)
        try:
            with pages.database.write(org=who.org) as session:
                pages.found(session, contract_id)
                pages.service.confirm_blanket(session, contract_id, by=who.org, revision=revision, at=clock.now())
        except (Refused, Conflict) as refused:
            return _ceilings_page(pages, contract_id, refused=saying.why(refused)), 409
        return http.see(url_for(".contract", contract_id=contract_id, _anchor="blanket"))


def _entered_ceilings(entered: Entered, names: list[str]) -> Ceilings | None:
    """Return the ceilings in a posted form, or None where something in it cannot be read."""
    begins, ends = entered.day("valid_from", required=True), entered.day("valid_until", required=True)
    ceiling = entered.number("ceiling")
    lines = {
        name: (entered.number(f"quantity.{at}"), entered.number(f"amount.{at}")) for at, name in enumerate(names)
    }  # fmt: skip
    if entered.errors or begins is None or ends is None:
        return None
    return Ceilings(begins, ends, ceiling, lines)


def _ceilings_page(
    pages: BlanketPages, contract_id: str, *, errors: Mapping[str, str] | None = None, refused: str | None = None
) -> str:
    with pages.database.read(org=http.principal().org) as session:
        contract = pages.found(session, contract_id)
        row = pages.service.blanket(session, contract_id)
        version = contract.versions[-1]
        shown = _shown(row) or suggested(version)
        return render_template(
            "contracting/blanket.html",
            contract=contract,
            lines=lines_of(version),
            shown=shown,
            form=request.form,
            errors=errors or {},
            refused=refused,
            wrong=FAULTS,
        )


def _shown(row: BlanketRow | None) -> Ceilings | None:
    if row is None:
        return None
    lines = {each.line: (each.quantity_ceiling, each.amount_ceiling) for each in row.lines}
    return Ceilings(row.valid_from, row.valid_until, row.ceiling, lines)


# --- releases ------------------------------------------------------------------------------------------------------


def _add_call_offs(routes: Blueprint, pages: BlanketPages) -> None:
    @routes.get("/contracts/<contract_id>/call-off")
    @http.requires("order.write")
    def call_off_form(contract_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            contract = pages.found(session, contract_id)
            if pages.service.blanket(session, contract.id) is None:
                return redirect(url_for(".contract", contract_id=contract_id))
        return _call_off_page(pages, contract_id)

    @routes.post("/contracts/<contract_id>/call-off")
    @http.requires_fresh
    @http.requires("order.write")
    def call_off(contract_id: str) -> ResponseReturnValue:
        """Show what a release comes to, and release it when its sender has seen that (R30)."""
        who = http.principal()
        with pages.database.read(org=who.org) as session:
            names = list(lines_of(pages.found(session, contract_id).versions[-1]))
        entered = Entered(request.form)
        wanted = {name: quantity for at, name in enumerate(names) if (quantity := entered.number(f"quantity.{at}"))}
        day = entered.day("delivery_on")
        if entered.errors:
            return _call_off_page(pages, contract_id, errors=entered.errors), 422
        calling = CallingOff(contract_id, wanted, day)
        try:
            if request.form.get("step") == "send":
                return _released(pages, calling)
            if request.form.get("step") == "ask":
                return _asked(pages, calling)
            return _call_off_page(pages, contract_id, calling=calling)
        except Unauthorised:
            return _call_off_page(pages, contract_id, calling=calling), 403
        except (Refused, Conflict) as refused:
            return _call_off_page(pages, contract_id, refused=saying.why(refused)), 409


def _released(pages: BlanketPages, calling: CallingOff) -> ResponseReturnValue:
    at = clock.now()
    with pages.database.write(org=http.principal().org) as session:

        def act() -> str:
            pages.service.call_off(
                session, calling.contract_id, calling.wanted, asker=asker(), on=at.date(), at=at,
                delivery_on=calling.delivery_on,
            )  # fmt: skip
            return url_for(".contract", contract_id=calling.contract_id, _anchor="blanket")

        return http.once(session, act)


def _asked(pages: BlanketPages, calling: CallingOff) -> ResponseReturnValue:
    """Ask those who may approve it for a call-off that goes beyond what the reader may bind the buyer to alone."""
    with pages.database.write(org=http.principal().org) as session:

        def act() -> str:
            wanted = pages.service.to_approve(session, calling, asker(), on=clock.now().date())
            note = request.form.get("approval_note", "")[:NOTE_MAX]
            url = pages.ask(session, asker(), wanted, note, http.form_id())
            flash(
                gettext("Approval is asked for. The order leaves with the last approval, as far as it may then."), "ok"
            )
            return url

        return http.once(session, act)


def _call_off_page(
    pages: BlanketPages,
    contract_id: str,
    *,
    calling: CallingOff | None = None,
    errors: Mapping[str, str] | None = None,
    refused: str | None = None,
) -> str:
    with pages.database.read(org=http.principal().org) as session:
        contract = pages.found(session, contract_id)
        row = pages.service.blanket(session, contract_id)
        made = verdict = None
        if calling is not None:
            made = pages.service.preview_call_off(session, contract_id, calling.wanted, clock.now().date())
            verdict = pages.service.may_call_off(session, contract, made, asker())
        return render_template(
            "contracting/call_off.html",
            contract=contract,
            blanket=row,
            agreement=agreement_of(row) if row else None,
            lines=lines_of(contract.versions[-1]),
            made=made,
            verdict=verdict,
            form=request.form,
            errors=errors or {},
            refused=refused,
            wrong=FAULTS,
        )


def approval_view(service: ContractService, session: Session, wanted: Wanted) -> Markup:
    """Show the call-off that waits for approval: what is ordered, and what would be left of the agreement."""
    calling = intended(wanted)
    contract, made, closed = service.contract(session, calling.contract_id), None, ""
    try:
        made = service.preview_call_off(session, contract.id, calling.wanted, clock.now().date())
    except Refused as refused:
        closed = saying.why(refused)
    text = render_template(
        "contracting/_approval_call_off.html", contract=contract, calling=calling, made=made, closed=closed,
        lines=lines_of(contract.versions[-1]),
    )  # fmt: skip
    return Markup(text)  # noqa: S704 - a rendered template
