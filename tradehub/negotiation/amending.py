"""The pages of an amendment: other terms for a contract that stands, or its end (R25, CISG 29).

An amendment is an offer whose subject is the contract. It starts from the terms agreed, is reviewed with what it changes of
them, and is held to what the organisation lets its people bind; the other side answers it as any offer. Until it is
accepted the contract stands as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from tradehub.documents import TradeDocument
from tradehub.negotiation import approved, compare, drafting, file_pages, forms, wording
from tradehub.negotiation.approved import Amending, Proposed
from tradehub.negotiation.forms import TermsForm
from tradehub.negotiation.model import Conflict, Contract, Refused, State
from tradehub.negotiation.pages import NotAuthorised, Pages, actor, asked, demand, version
from tradehub.negotiation.reading import DealView, Round
from tradehub.negotiation.service import NegotiationService
from tradehub.partners.authority import Needs, Verdict, Wanted
from tradehub.platform import http


def add(routes: Blueprint, pages: Pages) -> None:
    """Add the pages to ``routes``."""
    _add_terms(routes, pages)
    _add_end(routes, pages)


def _add_terms(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>/amend")
    @http.requires("deal.negotiate")
    def amend_form(deal_id: str) -> ResponseReturnValue:
        view, contract = _found(pages, deal_id)
        return _page(view, contract, forms.prefilled(drafting.agreed(contract), is_buyer=view.is_buyer))

    @routes.post("/deals/<deal_id>/amend")
    @http.requires("deal.negotiate")
    def amend(deal_id: str) -> ResponseReturnValue:
        view, contract = _found(pages, deal_id)
        form = forms.posted_changes(request.form, drafting.agreed(contract), may_add=True)
        file_pages.read_into(form, pages, deal_id)
        if "line_in" in request.form or "line_out" in request.form:
            form.forgive()
            if "line_in" in request.form:
                forms.with_line(form)
            forms.without_line(form, request.form.get("line_out", ""))
            return _page(view, contract, form)
        if forms.changes_rows(form, request.form):
            return _page(view, contract, form)
        if not form.is_valid:
            return _page(view, contract, form, status=422)
        step = request.form.get("step")
        if step == "edit":
            return _page(view, contract, form)
        if view.version != version():
            return _page(view, contract, form, status=409, is_overtaken=True)
        if not _changes(view, contract, form):
            form.errors["form"] = gettext("Nothing is changed: the contract says all of this already.")
            return _page(view, contract, form, status=422)
        if step not in ("send", "ask"):
            return _review(pages, view, contract, form)
        return _send(pages, view, contract, form, asks=step == "ask")

    @routes.post("/deals/<deal_id>/amend/term")
    @http.requires("deal.negotiate")
    def amend_term(deal_id: str) -> ResponseReturnValue:
        """One more row for a further term, to be put into the form that stands."""
        view, contract = _found(pages, deal_id)
        base = drafting.agreed(contract)
        term = forms.added_term(request.form, base, request.form.get("add", "")) or abort(400, "add")
        titles = forms.titles(forms.prefilled(base, is_buyer=view.is_buyer))
        return render_template("negotiation/_term_row.html", deal=view, term=term, titles=titles)


def _add_end(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>/amend/end")
    @http.requires("deal.negotiate")
    def end_form(deal_id: str) -> ResponseReturnValue:
        view, contract = _found(pages, deal_id)
        return _end_page(pages, view, contract)

    @routes.post("/deals/<deal_id>/amend/end")
    @http.requires("deal.negotiate")
    def end(deal_id: str) -> ResponseReturnValue:
        view, contract = _found(pages, deal_id)
        return _send(pages, view, contract, None, asks=request.form.get("step") == "ask")


def _found(pages: Pages, deal_id: str) -> tuple[DealView, Contract]:
    """Return the deal, and the contract that the request names: by its acceptance, for an offer may have made several."""
    with pages.database.read(org=http.principal().org) as session:
        view = pages.service.deal(session, deal_id)
    named = request.values.get("acceptance")
    return view, (view.made_by(named) if named else view.contract) or abort(404)


def _changes(view: DealView, contract: Contract, form: TermsForm) -> list[compare.Term]:
    base = Proposed(drafting.agreed(contract))
    return differing(view, base.document, approved.proposed(view, base, forms.answer_draft(form)))


def differing(view: DealView, agreed: TradeDocument, after: Proposed | Round) -> list[compare.Term]:
    """Return what a proposal changes of the terms agreed; until when it may be accepted is no part of that."""
    changes = compare.changes(agreed, after.document, for_buyer=view.is_buyer)
    return [each for each in changes if each.direction is not compare.Direction.SAME and each.name != "validity"]


def _closed(view: DealView, contract: Contract) -> Refused | None:
    """Return why the contract cannot be amended now."""
    of_contract = (each for each in view.acts if each.name == "amend" and each.acceptance == contract.id)
    return next((each.refused for each in of_contract), Refused("NO_CONTRACT", view.negotiation.regime))


def _page(
    view: DealView, contract: Contract, form: TermsForm, *, status: int = 200, is_overtaken: bool = False
) -> ResponseReturnValue:
    closed = _closed(view, contract)
    page = render_template(
        "negotiation/amend.html", deal=view, contract=contract, base=Proposed(drafting.agreed(contract)), form=form,
        closed=closed, is_overtaken=is_overtaken, pending=proposals(view, contract, open_only=True),
    )  # fmt: skip
    return page, (409 if closed and status == 200 else status)


def _verdict(pages: Pages, view: DealView, amending: Amending) -> Verdict:
    """Return whether the organisation lets the reader bind it so."""
    with pages.database.read(org=http.principal().org) as session:
        wanted = approved.amendment(view, amending, view.version)
        return pages.service.hooks.authorise(session, actor(), wanted.binding)


def _review(pages: Pages, view: DealView, contract: Contract, form: TermsForm) -> str:
    """What would go on record, what it changes of the contract, and who must agree to it."""
    base, draft = Proposed(drafting.agreed(contract)), forms.answer_draft(form)
    return render_template(
        "negotiation/amend_review.html", deal=view, contract=contract, form=form,
        verdict=_verdict(pages, view, Amending(contract.id, draft)), until=draft.valid_until,
        proposed=approved.proposed(view, base, draft), changes=_changes(view, contract, form),
        large=forms.large_moves(form, base.document), pending=proposals(view, contract, open_only=True),
    )  # fmt: skip


def _end_page(pages: Pages, view: DealView, contract: Contract, status: int = 200) -> ResponseReturnValue:
    closed = _closed(view, contract)
    page = render_template(
        "negotiation/amend_end.html", deal=view, contract=contract, base=Proposed(drafting.agreed(contract)),
        closed=closed, verdict=_verdict(pages, view, Amending(contract.id)), text=request.form.get("text", ""),
    )  # fmt: skip
    return page, (409 if closed and status == 200 else status)


def _send(
    pages: Pages, view: DealView, contract: Contract, form: TermsForm | None, *, asks: bool
) -> ResponseReturnValue:
    """Put the amendment on record, or ask for the approval that it takes; without a form it is the contract's end."""
    who = http.principal()
    draft = forms.answer_draft(form) if form is not None else None
    text = "" if form is not None else request.form.get("text", "").strip()[: forms.TEXT_MAX]
    amending = Amending(contract.id, draft, text)

    def act(session: Session) -> str:
        now = pages.service.deal(session, view.id)
        wanted = approved.amendment(now, amending, version())
        verdict = pages.service.hooks.authorise(session, actor(), wanted.binding)
        if asks and isinstance(verdict, Needs):
            return asked(pages, session, wanted)
        demand(verdict)
        approved.amend(pages.service, session, actor(), now, amending, version=version(), request_key=http.form_id())
        flash(gettext("Your proposal is on record. The contract stands as it was until it is accepted."), "ok")
        return url_for("negotiation.deal", deal_id=view.id)

    try:
        with pages.database.write(org=who.org) as session:
            return http.once(session, lambda: act(session))
    except NotAuthorised:
        if form is None:
            return _end_page(pages, view, contract, 403)
        return _review(pages, view, contract, form), 403
    except Refused as refused:
        view, contract = _found(pages, view.id)
        if form is None:
            flash(wording.why(refused), "error")
            return _end_page(pages, view, contract, 409)
        if isinstance(refused, Conflict):
            return _page(view, contract, form, status=409, is_overtaken=True)
        forms.refused_at(form, refused, wording.why(refused))
        return _page(view, contract, form, status=422)


# --- on the contract's own page


@dataclass(frozen=True)
class Proposal:
    """An amendment that was proposed, and what it changes of the contract as it stands."""

    round: Round
    changes: tuple[compare.Term, ...]


def proposals(view: DealView, contract: Contract, *, open_only: bool = False) -> list[Proposal]:
    """Return what was proposed for a contract and has not become part of it, the latest first."""
    agreed = drafting.agreed(contract)
    of_contract = [each for each in view.rounds if each.offer.amends in (contract.id, contract.offer.id)]
    return [
        Proposal(each, tuple(differing(view, agreed, each)))
        for each in reversed(of_contract)
        if each.state is not State.ACCEPTED and (not open_only or each.state in _OPEN)
    ]


_OPEN = frozenset({State.DISPATCHED, State.EFFECTIVE, State.UNDELIVERED, State.ACCEPTING})


def panel(service: NegotiationService) -> Callable[[Session, str, str], Markup]:
    """Return the part of a contract's page on which it is changed: what was proposed, its answer, and how to propose."""

    def show(session: Session, deal_id: str, acceptance: str) -> Markup:
        view = service.deal(session, deal_id)
        contract = view.made_by(acceptance)
        if contract is None:
            return Markup()
        found = proposals(view, contract)
        text = render_template(
            "negotiation/_amendments.html", deal=view, contract=contract, closed=_closed(view, contract),
            pending=[each for each in found if each.round.state in _OPEN], wording=wording, drafting=drafting, compare=compare,
            past=[each for each in found if each.round.state not in _OPEN],
        )  # fmt: skip
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def approval_view(service: NegotiationService, session: Session, wanted: Wanted) -> Markup:
    """Show the amendment that waits for approval: what it changes of the contract as it stands, and all of it."""
    view = service.deal(session, wanted.binding.deal_id)
    amending = approved.AMENDING.validate_python(wanted.payload)
    contract = view.made_by(amending.acceptance)
    after = Proposed(amending.document(view)) if contract is not None else None
    text = render_template(
        "negotiation/_approval_amendment.html", deal=view, contract=contract, amending=amending, after=after,
        changes=differing(view, drafting.agreed(contract), after) if contract is not None and after is not None else (),
        closed=None if contract is None else _closed(view, contract), wording=wording, drafting=drafting, compare=compare,
    )  # fmt: skip
    return Markup(text)  # noqa: S704 - a rendered template
