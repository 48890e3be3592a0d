"""The pages of acts that need no terms of their own: withdraw, object, elect a late acceptance, sign and their like.

Each is one review page that says what the act does in law, and one button. Which acts a party has now, and why not the
others, stands on the deal page; the late desk lists what waits for somebody's decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from tradehub.negotiation import drafting, forms, wording
from tradehub.negotiation.approved import Proposed
from tradehub.negotiation.model import Contract, Kind, Refused
from tradehub.negotiation.reading import Action, DealView
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.service import BINDING, NegotiationService
from tradehub.platform import http
from tradehub.platform.db import Database

PART_MAX = 3
"""Lines of an accepted part that its buttons name; the page of the act shows all."""


class Act(NamedTuple):
    """What an act is called on its button, what it does, and how the page calls it once done."""

    button: LazyString
    effect: LazyString
    done: LazyString
    icon: str = "check"
    style: str = "plain"


ACTS: Mapping[Kind, Act] = {
    Kind.WITHDRAW: Act(
        lazy_gettext("Withdraw my offer"),
        lazy_gettext(
            "An offer can be withdrawn as long as it has not reached the other side, even an irrevocable one. If the "
            "withdrawal arrives later than the offer, it counts as a revocation where that is allowed."
        ),
        lazy_gettext("Your offer is withdrawn."),
        "arrow-back-up",
    ),
    Kind.REVOKE: Act(
        lazy_gettext("Revoke my offer"),
        lazy_gettext(
            "A revocation ends your offer when it reaches the other side, unless they sent their acceptance before that."
        ),
        lazy_gettext("Your offer is revoked."),
        "arrow-back-up",
    ),
    Kind.WITHDRAW_ACCEPTANCE: Act(
        lazy_gettext("Withdraw my acceptance"),
        lazy_gettext("An acceptance can be withdrawn as long as it has not taken effect. Their offer then stays open."),
        lazy_gettext("Your acceptance is withdrawn."),
        "arrow-back-up",
    ),
    Kind.OBJECT: Act(
        lazy_gettext("Object to the changes"),
        lazy_gettext(
            "The acceptance changed terms that are not material. If you object without undue delay, there is no contract; "
            "if you say nothing, it stands with the changes."
        ),
        lazy_gettext("You have objected: no contract has come about."),
        "x",
        "danger",
    ),
    Kind.ELECT_LATE: Act(
        lazy_gettext("Treat the late acceptance as good"),
        lazy_gettext("The contract then counts as concluded at the moment the acceptance reached you."),
        lazy_gettext("The late acceptance counts: the contract stands."),
        style="primary",
    ),
    Kind.ADMIT_TIME: Act(
        lazy_gettext("Admit the time of dispatch"),
        lazy_gettext(
            "The other side says that it sent its acceptance in time, but cannot prove it. If you admit that, the contract "
            "stands; if you do not, it comes to nothing."
        ),
        lazy_gettext("The time is admitted: the contract stands."),
        style="primary",
    ),
    Kind.LAPSE_NOTICE: Act(
        lazy_gettext("Consider my offer lapsed"),
        lazy_gettext("You tell the other side without delay that its acceptance came too late. There is no contract."),
        lazy_gettext("The other side is told that your offer has lapsed."),
        "x",
        "danger",
    ),
    Kind.CONFIRM: Act(
        lazy_gettext("Confirm the contract"),
        lazy_gettext("The contract is concluded once both sides have confirmed it."),
        lazy_gettext("Your confirmation is on record."),
        style="primary",
    ),
    Kind.PERFORM: Act(
        lazy_gettext("Accept by performing"),
        lazy_gettext("Your performance, such as shipping the goods or paying, concludes the contract at this moment."),
        lazy_gettext("Your performance is on record: the contract stands."),
    ),
    Kind.RELY: Act(
        lazy_gettext("Rely on the offer"),
        lazy_gettext("You put on record that you act in reliance on the offer. From now on it cannot be revoked."),
        lazy_gettext("Your reliance is on record."),
    ),
    Kind.CANCEL: Act(
        lazy_gettext("Cancel the inquiry"),
        lazy_gettext(
            "You no longer want offers. Offers that have been made stay open until they lapse or are declined."
        ),
        lazy_gettext("The inquiry is cancelled."),
        "x",
    ),
    Kind.DISREGARD: Act(
        lazy_gettext("Treat my offer as never sent"),
        lazy_gettext(
            "No receipt has come in the time agreed. The offer then counts as never made, even if it still arrives."
        ),
        lazy_gettext("Your offer counts as never sent."),
        "arrow-back-up",
    ),
}
"""The acts that people have. To sign is an act on the contract's own page."""


def permission(kind: Kind) -> str:
    """Return what an act demands: what may conclude a contract needs the right to bind."""
    return "deal.bind" if kind in BINDING else "deal.negotiate"


def add(routes: Blueprint, service: NegotiationService, database: Database, actor: Callable[[], Actor]) -> None:
    """Add the pages to ``routes``."""

    def wanted(name: str) -> Kind:
        kind = next((each for each in ACTS if str(each) == name), None) or abort(404)
        if not http.principal().may(permission(kind)):
            abort(403)
        return kind

    def page(view: DealView, kind: Kind, about: str | None, refused: Refused | None = None) -> ResponseReturnValue:
        action = _named(view, kind, about)
        round = view.round(action.about) if action.about else view.rounds[-1]
        contract = view.made_by(action.acceptance)
        why = refused or action.refused
        shown = render_template(
            "negotiation/act.html", deal=view, kind=kind, act=ACTS[kind], round=round, refused=why, contract=contract,
            about=action.acceptance or round.offer.id,
            taken=Proposed(drafting.agreed(contract)) if contract is not None and contract.lines else None,
            changes=view.accepted_changes(contract) if contract is not None and kind is Kind.OBJECT else (),
        )  # fmt: skip
        return shown, 200 if why is None else 409

    @routes.get("/deals/<deal_id>/act/<name>")
    @http.requires("deal.negotiate", "deal.bind")
    def act_form(deal_id: str, name: str) -> ResponseReturnValue:
        kind = wanted(name)
        with database.read(org=http.principal().org) as session:
            return page(service.deal(session, deal_id), kind, request.args.get("about"))

    @routes.post("/deals/<deal_id>/act/<name>")
    @http.requires_fresh
    @http.requires("deal.negotiate", "deal.bind")
    def act(deal_id: str, name: str) -> ResponseReturnValue:
        kind, who = wanted(name), http.principal()
        version = request.form.get("expected_version", type=int)
        text = request.form.get("text", "").strip()[: forms.TEXT_MAX]

        def said(session: Session) -> str:
            service.act(
                session, actor(), deal_id, kind, request.form.get("about", ""), text=text, expected_version=version,
                request_key=http.form_id(),
            )  # fmt: skip
            flash(str(ACTS[kind].done), "ok")
            return url_for("negotiation.deal", deal_id=deal_id)

        try:
            with database.write(org=who.org) as session:
                return http.once(session, lambda: said(session))
        except Refused as refused:
            with database.read(org=who.org) as session:
                return page(service.deal(session, deal_id), kind, request.form.get("about"), refused)

    @routes.get("/deals/<deal_id>/rounds/<int:number>")
    @http.requires("deal.read")
    def round(deal_id: str, number: int) -> ResponseReturnValue:
        """All terms of one round: a part of the deal page where htmx asks, else a page."""
        with database.read(org=http.principal().org) as session:
            view = service.deal(session, deal_id)
            found = next((each for each in view.rounds if each.number == number), None) or abort(404)
            template = "_round.html" if request.headers.get("HX-Request") else "round.html"
            return render_template(f"negotiation/{template}", deal=view, round=found)

    @routes.get("/deals/late")
    @http.requires("deal.read")
    def late() -> ResponseReturnValue:
        """The late desk: acceptances that wait for the offeror's decision, and contracts that may still be undone."""
        with database.read(org=http.principal().org) as session:
            return render_template("negotiation/late.html", cases=service.late_cases(session), acts=ACTS)


class Choice(NamedTuple):
    """An act that the party has now, with what it is about. ``part`` is what was accepted, where that was some lines."""

    kind: Kind
    act: Act
    about: str | None
    part: Contract | None


def _named(view: DealView, kind: Kind, about: str | None) -> Action:
    """Return the act on the acceptance that is asked for; where it is on none such, the first of its kind."""
    of_kind = [each for each in view.acts if each.name == str(kind)]
    return next((each for each in of_kind if about is not None and each.acceptance == about), of_kind[0])


def choices(view: DealView) -> tuple[list[Choice], list[tuple[LazyString | str, str]]]:
    """Return the acts that the party has now, on each acceptance that allows it, and the others with the reason why not."""
    may: list[Choice] = []
    may_not: list[tuple[LazyString | str, str]] = []
    for kind, act in ACTS.items():
        for each in (each for each in view.acts if each.name == str(kind)):
            made = view.made_by(each.acceptance)
            if each.refused is not None:
                may_not.append((act.button, wording.why(each.refused)))
            elif http.principal().may(permission(kind)):
                may.append(Choice(kind, act, each.acceptance, made if made is not None and made.lines else None))
    for name, button in (
        ("accept", gettext("Accept")),
        ("counter", gettext("Counter")),
        ("reject", gettext("Decline")),
    ):
        refused = view.actions[name].refused
        if refused is not None:
            may_not.append((button, wording.why(refused)))
    if not http.principal().may("deal.bind"):
        may_not.append((gettext("Accept"), str(wording.REFUSALS["NO_AUTHORITY"])))
    return may, may_not
