"""The pages of an acceptance: of all of an offer, of some of its lines (R22), and with changes (R9, R10).

Whatever is accepted is shown once more with what it does in law before it is sent, and is held to the version and the
terms that were shown (R8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session

from tradehub.negotiation import (
    amending,
    approved,
    compare,
    drafting,
    forms,
    judging,
    picking,
    standard,
    terms_pages,
    wording,
)
from tradehub.negotiation.approved import Taking
from tradehub.negotiation.forms import TermsForm
from tradehub.negotiation.judging import Judgement
from tradehub.negotiation.model import Change, Conflict, Refused
from tradehub.negotiation.pages import NotAuthorised, Pages, actor, asked, demand, version
from tradehub.negotiation.picking import Choice
from tradehub.negotiation.publishing import Dispute
from tradehub.negotiation.reading import DealView, Round
from tradehub.partners.authority import Act, Needs, Verdict
from tradehub.platform import clock, http

DONE = {
    Change.IMMATERIAL: lazy_gettext("Accepted with your changes; they may still object."),
    Change.KNOCKED_OUT: lazy_gettext("Accepted: the terms are frozen and on record."),
    Change.MATERIAL: lazy_gettext("Your counter-offer is on record. Nobody is bound by it yet."),
}
"""How the page calls an acceptance with changes once it is made; without any it is none."""


def add(routes: Blueprint, pages: Pages) -> None:
    """Add the pages to ``routes``."""
    _add_acceptance(routes, pages)
    _add_choices(routes, pages)
    _add_changes(routes, pages)


def acceptable(view: DealView, about: str | None) -> Round:
    """Return the round that is named, else theirs that is open, else their last."""
    if about:
        return view.round(about)
    standing = view.standing or next((each for each in reversed(view.rounds) if not each.is_ours), None)
    return standing or view.rounds[-1]


def _add_acceptance(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>/accept")
    @http.requires("deal.bind", "deal.negotiate")
    def accept_form(deal_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
            round = acceptable(view, request.args.get("offer"))
            if _is_divided(view, round):
                return _choosing_page(view, picking.everything(round))
            return _acceptance_page(pages, session, view, round)

    @routes.post("/deals/<deal_id>/accept")
    @http.requires_fresh
    @http.requires("deal.bind", "deal.negotiate")
    def accept(deal_id: str) -> ResponseReturnValue:
        def act(session: Session, view: DealView, round: Round, taking: Taking) -> str:
            demand(_verdict(pages, session, view, round, taking))
            _accept(pages, session, view, round, taking)
            flash(gettext("Accepted: the terms are frozen and on record."), "ok")
            return url_for("negotiation.deal", deal_id=deal_id)

        return _done(pages, deal_id, act)

    @routes.post("/deals/<deal_id>/accept/ask")
    @http.requires("deal.bind", "deal.negotiate")
    def ask_acceptance(deal_id: str) -> ResponseReturnValue:
        def act(session: Session, view: DealView, round: Round, taking: Taking) -> str:
            stands, verdict = view.may_accept(round), _verdict(pages, session, view, round, taking)
            if stands is not None:
                raise stands
            if not isinstance(verdict, Needs):
                return url_for("negotiation.accept_form", deal_id=deal_id, offer=round.offer.id)
            shown = request.form.get("terms_hash", "")
            return asked(pages, session, approved.acceptance(view, round, version(), shown, taking))

        return _done(pages, deal_id, act)


def _add_choices(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>/accept/alternatives")
    @http.requires("deal.bind", "deal.negotiate")
    def alternatives(deal_id: str) -> ResponseReturnValue:
        """Choose exactly one of the alternatives that are open; what was chosen is then reviewed as any offer."""
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
        round = view.round(request.args.get("about"))
        choices, chosen = view.choices(round), request.args.getlist("offer")
        if not choices or (len(chosen) == 1 and chosen[0] in {each.offer.id for each in choices}):
            about = chosen[0] if choices else round.offer.id
            return http.see(url_for("negotiation.accept_form", deal_id=deal_id, offer=about))
        error = gettext("Choose exactly one of the alternatives.") if "step" in request.args else None
        page = render_template("negotiation/alternatives.html", deal=view, round=round, choices=choices, error=error)
        return page, 422 if error else 200

    @routes.post("/deals/<deal_id>/accept/review")
    @http.requires("deal.bind", "deal.negotiate")
    def accept_review(deal_id: str) -> ResponseReturnValue:
        """Show what of a divisible offer would be bound, and what stays open."""
        about = request.form.get("offer", "")
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
            try:
                round = _shown(view, about)
            except Refused as refused:
                return _overtaken_page(pages, session, view, about, refused)
            choice = picking.posted(request.form, round)
            if request.form.get("step") == "edit" or not choice.is_valid:
                return _choosing_page(view, choice, status=200 if choice.is_valid else 422)
            return _acceptance_page(pages, session, view, round, choice=choice)


def _done(pages: Pages, deal_id: str, act: Callable[[Session, DealView, Round, Taking], str]) -> ResponseReturnValue:
    """Do once what the form of an acceptance says; where it cannot be done, show what stands, with the choice made."""
    who, about = http.principal(), request.form.get("offer", "")

    def once(session: Session) -> str:
        view = pages.service.deal(session, deal_id)
        round = _shown(view, about)
        choice = _chosen(view, round)
        if choice is not None and not choice.is_valid:
            abort(422)  # the review that this form comes from shows none such
        return act(session, view, round, Taking() if choice is None else Taking(choice.lines))

    try:
        with pages.database.write(org=who.org) as session:
            return http.once(session, lambda: once(session))
    except Refused as refused:
        with pages.database.read(org=who.org) as session:
            return _overtaken_page(pages, session, pages.service.deal(session, deal_id), about, refused)
    except NotAuthorised:
        with pages.database.read(org=who.org) as session:
            view = pages.service.deal(session, deal_id)
            round = view.round(about)
            return _acceptance_page(pages, session, view, round, choice=_chosen(view, round), status=403)


def _shown(view: DealView, about: str) -> Round:
    """Return the round that the form is about. Raises Conflict where the deal is at another version than it showed."""
    if view.version != version():
        raise Conflict(version(), view.version, view.negotiation.regime)
    return view.round(about)


def _is_divided(view: DealView, round: Round) -> bool:
    """Whether lines, or part of a quantity, may be chosen now."""
    return round.offer.divisible and view.may_accept(round) is None


def _chosen(view: DealView, round: Round) -> Choice | None:
    return picking.posted(request.form, round) if _is_divided(view, round) else None


def _accept(pages: Pages, session: Session, view: DealView, round: Round, taking: Taking) -> str:
    return approved.accept(
        pages.service, session, actor(), view, round, taking, version=version(),
        shown=request.form.get("terms_hash", ""), request_key=http.form_id(),
    )  # fmt: skip


def _verdict(pages: Pages, session: Session, view: DealView, round: Round, taking: Taking) -> Verdict:
    """Return whether the organisation lets what is taken be bound: its amount is that of the part."""
    binding = approved.bound(view, Act.ACCEPTANCE, taking.document(view, round))
    return pages.service.hooks.authorise(session, actor(), binding)


def _overtaken_page(
    pages: Pages, session: Session, view: DealView, about: str, refused: Refused
) -> ResponseReturnValue:
    """Show what stands now, how it differs from what was to be accepted, and the choice of lines that was made."""
    wanted = view.round(about)
    latest = view.standing or wanted
    changes = view.since(wanted, latest)
    if _is_divided(view, latest):
        choice = picking.posted(request.form, latest)
        return _choosing_page(view, choice, status=409, refused=refused, wanted=wanted, changes=changes)
    return _acceptance_page(pages, session, view, latest, status=409, refused=refused, wanted=wanted, changes=changes)


def _choosing_page(
    view: DealView,
    choice: Choice,
    *,
    status: int = 200,
    refused: Refused | None = None,
    wanted: Round | None = None,
    changes: Sequence[compare.Term] = (),
) -> ResponseReturnValue:
    page = render_template(
        "negotiation/accept_lines.html", deal=view, round=choice.round, choice=choice, refused=refused, wanted=wanted,
        changes=changes,
    )  # fmt: skip
    return page, status


def _acceptance_page(
    pages: Pages,
    session: Session,
    view: DealView,
    round: Round,
    *,
    choice: Choice | None = None,
    status: int = 200,
    refused: Refused | None = None,
    wanted: Round | None = None,
    changes: Sequence[compare.Term] = (),
) -> ResponseReturnValue:
    stands = view.may_accept(round)
    taking = Taking() if choice is None else Taking(choice.lines)
    amended = view.amended_by(round)
    page = render_template(
        "negotiation/accept.html", deal=view, round=round, refused=refused or stands, stands=stands is None,
        amended=amended, amendment=amending.differing(view, drafting.agreed(amended), round) if amended else (),
        wanted=wanted, changes=changes, choice=choice, taken=approved.Proposed(taking.document(view, round)),
        verdict=_verdict(pages, session, view, round, taking), dispute=_dispute(pages, session, view, round),
    )  # fmt: skip
    return page, status


def _dispute(pages: Pages, session: Session, view: DealView, round: Round) -> Dispute | None:
    """Return the battle of forms that accepting the round would decide (R24), in the reader's language."""
    return pages.service.dispute(session, view.negotiation, round.offer, view.me, terms_pages.language())


# With changes


def _add_changes(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/deals/<deal_id>/accept/changes")
    @http.requires("deal.bind", "deal.negotiate")
    def changes_form(deal_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
        base = acceptable(view, request.args.get("offer"))
        return _changes_page(view, base, forms.prefilled(base.document, is_buyer=view.is_buyer))

    @routes.post("/deals/<deal_id>/accept/changes")
    @http.requires("deal.bind", "deal.negotiate")
    def changes(deal_id: str) -> ResponseReturnValue:
        """Read the form, and show what an acceptance with these changes would be in law; nothing is sent."""
        with pages.database.read(org=http.principal().org) as session:
            view = pages.service.deal(session, deal_id)
            base = view.round(request.form.get("about"))
            form = forms.posted_changes(request.form, base.document)
            if forms.changes_rows(form, request.form):
                return _changes_page(view, base, form)
            if view.version != version():
                return _changes_overtaken(view, base, form)
            if not form.is_valid:
                return _changes_page(view, base, form, status=422)
            judged = _judged(view, base, form)
            if judged.change is Change.NONE:
                form.errors["form"] = gettext("Nothing is changed: accept the offer as it stands, or change a term.")
                return _changes_page(view, base, form, status=422)
            if request.form.get("step") == "edit":
                return _changes_page(view, base, form)
            if request.form.get("step") != "ask":
                return _changes_review(pages, session, view, base, form)
        return _send_changes(pages, deal_id, asks=True)

    @routes.post("/deals/<deal_id>/accept/changes/send")
    @http.requires_fresh
    @http.requires("deal.bind", "deal.negotiate")
    def send_changes(deal_id: str) -> ResponseReturnValue:
        return _send_changes(pages, deal_id, asks=False)


def _send_changes(pages: Pages, deal_id: str, *, asks: bool) -> ResponseReturnValue:
    """Put the acceptance, or the counter-offer that it is, on record; or ask for the approval that it takes."""
    who, about = http.principal(), request.form.get("about")

    def act(session: Session) -> str:
        view = pages.service.deal(session, deal_id)
        base = _shown(view, about or "")
        form = forms.posted_changes(request.form, base.document)
        change = _judged(view, base, form).change if form.is_valid else Change.NONE
        if change is Change.NONE:
            abort(422)  # the review that this form comes from shows none such
        taking = Taking(draft=forms.changes_draft(form, base.document))
        verdict = _verdict(pages, session, view, base, taking)
        if asks and isinstance(verdict, Needs):
            shown = request.form.get("terms_hash", "")
            return asked(pages, session, approved.acceptance(view, base, version(), shown, taking))
        demand(verdict)
        _accept(pages, session, view, base, taking)
        flash(str(DONE[change]), "ok")
        return url_for("negotiation.deal", deal_id=deal_id)

    try:
        with pages.database.write(org=who.org) as session:
            return http.once(session, lambda: act(session))
    except Refused as refused:
        with pages.database.read(org=who.org) as session:
            view = pages.service.deal(session, deal_id)
            base = view.round(about)
            form = forms.posted_changes(request.form, base.document)
            if isinstance(refused, Conflict) or refused.code == "TERMS_HASH_MISMATCH":
                return _changes_overtaken(view, base, form)
            forms.refused_at(form, refused, wording.why(refused))
            return _changes_page(view, base, form, status=409)
    except NotAuthorised:
        with pages.database.read(org=who.org) as session:
            view = pages.service.deal(session, deal_id)
            base = view.round(about)
            form = forms.posted_changes(request.form, base.document)
            return _changes_review(pages, session, view, base, form), 403


def _judged(view: DealView, base: Round, form: TermsForm) -> Judgement:
    document = approved.proposed(view, base, forms.changes_draft(form, base.document)).document
    battle = standard.battle(view.negotiation, base.offer, view.me)
    mine = battle.mine if battle is not None and battle.knocks_out and base.offer.amends is None else None
    return judging.judge(view.negotiation, base.offer, document, standard_terms=mine)


def _changes_review(pages: Pages, session: Session, view: DealView, base: Round, form: TermsForm) -> str:
    """What the acceptance with these changes would be, term by term, before anything is sent."""
    draft = forms.changes_draft(form, base.document)
    return render_template(
        "negotiation/accept_changes_review.html", deal=view, base=base, form=form, judged=_judged(view, base, form),
        proposed=approved.proposed(view, base, draft), large=forms.large_moves(form, base.document),
        verdict=_verdict(pages, session, view, base, Taking(draft=draft)), objectable_until=objectable_until(view),
        dispute=_dispute(pages, session, view, base),
    )  # fmt: skip


def objectable_until(view: DealView) -> datetime | None:
    """Return until when the other side may object to an acceptance made now; None where that depends on its arrival."""
    return clock.now() + view.negotiation.ground.undue_delay if view.other_is_web else None


def _changes_overtaken(view: DealView, base: Round, form: TermsForm) -> ResponseReturnValue:
    """Show the new state with the changes that were typed, now on top of the offer that stands."""
    latest = view.standing or base
    return _changes_page(view, latest, form, status=409, overtaken=base, changes=view.since(base, latest))


def _changes_page(
    view: DealView,
    base: Round,
    form: TermsForm,
    *,
    status: int = 200,
    overtaken: Round | None = None,
    changes: Sequence[compare.Term] = (),
) -> ResponseReturnValue:
    # What comes after the last day may still be accepted late (R14), but not on other terms.
    closed = view.may_accept(base) or (None if base.is_open else Refused("LAPSED", view.negotiation.regime))
    page = render_template(
        "negotiation/accept_changes.html", deal=view, base=base, form=form, overtaken=overtaken, changes=changes,
        closed=closed,
    )  # fmt: skip
    return page, (409 if closed and status == 200 else status)
