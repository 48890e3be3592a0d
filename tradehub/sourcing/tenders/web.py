"""The pages of tenders: the buyer's room and the bidder's, with every act in it.

A passphrase is read from its form here, turned into a key, and forgotten with the request: it is in no form object, no
log and no answer. A bid is read, shown for review from the form's own fields, and sealed; nothing of it is kept in
between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import werkzeug.exceptions
from flask import Blueprint, abort, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.partners.asking import Ask
from tradehub.partners.authority import Asker, Needs, Verdict, Wanted
from tradehub.partners.suggesting import Suggest
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.worklist import Entry, Search, Section
from tradehub.sourcing.tenders import awarding, forms, landed, model, sealing, wording
from tradehub.sourcing.tenders.binding import Picked, Unauthorised, intended
from tradehub.sourcing.tenders.forms import Form
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Notice, Phase, StageKind, TenderRefused
from tradehub.sourcing.tenders.plan import Plan
from tradehub.sourcing.tenders.reading import SERVE, BidderRoom, BuyerRoom, Compared, NotFound, TenderLine, offers_of
from tradehub.sourcing.tenders.service import TenderService
from tradehub.sourcing.tenders.store import OpenerRow

FOUND_MAX = 20


Panel = Callable[[Session, str], Markup]
"""What was asked of others about an award, given the inquiry's id; empty where nothing was."""


def _nobody_to_ask(session: Session, asker: Asker, wanted: Wanted, note: str, key: str) -> str:
    raise werkzeug.exceptions.NotFound


def _nothing(session: Session, inquiry_id: str) -> Markup:
    return Markup()


@dataclass(frozen=True)
class Pages:
    service: TenderService
    database: Database
    suggest: Suggest
    ask: Ask
    panel: Panel


def blueprint(
    service: TenderService, database: Database, *, suggest: Suggest, ask: Ask = _nobody_to_ask, panel: Panel = _nothing
) -> Blueprint:
    """Return the pages. ``suggest`` finds suppliers by what is typed; ``ask`` asks for approval of an award that the
    service's hook ``authorise`` does not let go on, and ``panel`` shows what was asked."""
    routes = Blueprint("tenders", __name__, template_folder="templates")
    pages = Pages(service, database, suggest, ask, panel)
    routes.context_processor(lambda: {"wording": wording, "forms": forms, "plain": landed.plain})
    routes.add_app_template_filter(_trimmed, "plain_decimal")
    routes.add_app_template_filter(landed.rounded_money, "cents")
    routes.add_app_template_filter(landed.money_up, "cents_up")
    routes.add_app_template_filter(awarding.money, "in_money")
    routes.register_error_handler(NotFound, _not_found)
    routes.register_error_handler(TenderRefused, _refused)
    _add_lists(routes, pages)
    _add_writing(routes, pages)
    _add_opening(routes, pages)
    _add_places(routes, pages)
    _add_talk(routes, pages)
    _add_bidding(routes, pages)
    _add_costs(routes, pages)
    _add_evaluation(routes, pages)
    _add_award(routes, pages)
    return routes


def _not_found(_error: NotFound) -> ResponseReturnValue:
    return current_app.handle_http_exception(werkzeug.exceptions.NotFound())


def _refused(refused: TenderRefused) -> ResponseReturnValue:
    """A page that there is not yet."""
    return current_app.handle_http_exception(werkzeug.exceptions.Conflict(wording.why(refused)))


def section(service: TenderService) -> Section:
    """Return the part of the work queue: what this person may open, evaluate, answer, award or bid for."""

    def entries(session: Session, who: http.Principal) -> list[Entry]:
        lines = [each for each in service.tenders(session, who.user_id, running=True) if each.todo]
        return [_entry(each) for each in sorted(lines, key=lambda line: (line.where.until is None, line.where.until))]

    return Section(
        "tenders", lazy_gettext("Tenders"), "deal.read", entries, lazy_gettext("No tender waits for you."), "/tenders"
    )


def panel(service: TenderService) -> Callable[[Session, str], Markup]:
    """Return the part of the deal page that leads to its tender; nothing where the deal belongs to none."""

    def show(session: Session, deal_id: str) -> Markup:
        found = service.of_deal(session, deal_id)
        if found is None:
            return Markup()
        tender_id, notice, is_sealed = found
        text = render_template("tenders/_panel.html", tender_id=tender_id, notice=notice, is_sealed=is_sealed)
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def search(service: TenderService) -> Search:
    """Return the search for tenders by number or title."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("deal.read"):
            return []
        return [_entry(each) for each in service.tenders(session, who.user_id, text=words)[:FOUND_MAX]]

    return find


def _entry(line: TenderLine) -> Entry:
    kind, word = wording.TODOS[line.todo] if line.todo else wording.PHASES[line.where.phase]
    return Entry(
        href=f"/tenders/{line.id}",
        title=f"{line.number} · {line.title}",
        detail=line.other_name,
        status=(kind, str(word)),
        at=line.moved_at,
        until=line.where.until,
    )


def _add_lists(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/tenders")
    @http.requires("deal.read")
    def tenders() -> ResponseReturnValue:
        who = http.principal()
        words = request.args.get("q", "").strip()[:200]
        with pages.database.read(org=who.org) as session:
            lines = pages.service.tenders(session, who.user_id, text=words)
        return render_template("tenders/tenders.html", lines=lines, words=words)

    @routes.get("/tenders/<tender_id>")
    @http.requires("deal.read")
    def room(tender_id: str) -> ResponseReturnValue:
        return _room(pages, tender_id)


def _room(pages: Pages, tender_id: str, *, status: int = 200, **more: Any) -> ResponseReturnValue:
    """Show the room of whoever asks: the buyer's, or the bidder's."""
    with pages.database.read(org=http.principal().org) as session:
        if not pages.service.is_ours(session, tender_id):
            room = pages.service.bidder_room(session, tender_id)
            return render_template(
                "tenders/bidder.html", room=room, steps=_steps(room.notice, room.where.phase)
            ), status
        buyer = pages.service.buyer_room(session, tender_id)
        shows = StageKind.COMMERCIAL in buyer.standing.opened
        found = pages.service.compared(session, buyer) if shows else None
        asked = pages.panel(session, buyer.row.inquiry_id) if buyer.row.inquiry_id else Markup()
    page = render_template(
        "tenders/buyer.html", room=buyer, found=found, steps=_steps(buyer.notice, buyer.where.phase),
        me=http.principal().user_id, asked=asked, **more,
    )  # fmt: skip
    return page, status


def _steps(notice: Notice, phase: Phase) -> list[tuple[str, str]]:
    """Where the tender stands on its way."""
    words = [gettext("Prepared"), gettext("Taking bids"), gettext("Opened"), gettext("Evaluated"), gettext("Awarded")]
    places = {
        Phase.PREPARING: 0, Phase.READY: 0, Phase.RUNNING: 1, Phase.TO_OPEN: 2, Phase.EVALUATING: 3, Phase.TO_AWARD: 4,
        Phase.AWARDED: 5, Phase.CANCELLED: -1,
    }  # fmt: skip
    at = places[phase]
    return [(word, "done" if place < at else "now" if place == at else "ahead") for place, word in enumerate(words)]


def _act(
    pages: Pages, tender_id: str, do: Callable[[Session], object], *, said: str = "", then: str | None = None
) -> ResponseReturnValue:
    """Act once and go on to the room; where the rules refuse, show the room as it is now with the reason (409)."""

    def act(session: Session) -> str:
        do(session)
        if said:
            flash(said, "ok")
        return then or url_for("tenders.room", tender_id=tender_id)

    try:
        with pages.database.write(org=http.principal().org) as session:
            return http.once(session, lambda: act(session))
    except Unauthorised:
        raise  # its page says who may approve it
    except TenderRefused as refused:
        flash(wording.why(refused), "error")
        return _room(pages, tender_id, status=409)


def _buyer(pages: Pages, tender_id: str) -> BuyerRoom:
    with pages.database.read(org=http.principal().org) as session:
        return pages.service.buyer_room(session, tender_id)


def _people(pages: Pages) -> dict[str, str]:
    with pages.database.read(org=http.principal().org) as session:
        return dict(pages.service.people(session))


# --- writing, publishing, changing -----------------------------------------------------------------


def _add_writing(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/tenders/new")
    @http.requires("inquiry.write")
    def tender_form() -> ResponseReturnValue:
        who, model_of = http.principal(), request.args.get("like")
        form = forms.blank_tender(who.user_id)
        if model_of:
            with pages.database.read(org=who.org) as session:
                room = pages.service.buyer_room(session, model_of)
            form = forms.like_tender(form, room.notice, room.plan, [each.user_id for each in room.openers])
            form.suppliers = [(id, room.names[id]) for id in room.row.suppliers if id in room.names]
        return render_template("tenders/new.html", form=form, people=_people(pages))

    @routes.get("/tenders/suppliers")
    @http.requires("inquiry.write")
    def suppliers() -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            found = pages.suggest(session, request.args.get("q", "").strip())
            return render_template("tenders/_suppliers.html", found=found)

    @routes.post("/tenders/new")
    @http.requires("inquiry.write")
    def create() -> ResponseReturnValue:
        people = _people(pages)
        form = forms.posted_tender(request.form, people)
        with pages.database.read(org=http.principal().org) as session:
            _read_suppliers(pages, session, form)
        if not form.is_valid:
            return render_template("tenders/new.html", form=form, people=people), 422

        def act(session: Session) -> str:
            draft = forms.tender_draft(form, people)
            tender = pages.service.create(session, _actor(), draft, request_key=http.form_id())
            flash(gettext("The tender is written down. Nobody has been told of it yet."), "ok")
            return url_for("tenders.room", tender_id=tender)

        try:
            with pages.database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except TenderRefused as refused:
            forms.refused_at(form, refused, wording.why(refused))
            return render_template("tenders/new.html", form=form, people=people), 422

    @routes.post("/tenders/<tender_id>/publish")
    @http.requires("inquiry.write")
    def publish(tender_id: str) -> ResponseReturnValue:
        said = gettext("The tender is published, the suppliers are asked.")
        return _act(pages, tender_id, lambda session: pages.service.publish(session, _actor(), tender_id), said=said)

    @routes.post("/tenders/<tender_id>/cancel")
    @http.requires("inquiry.write")
    def cancel(tender_id: str) -> ResponseReturnValue:
        said = gettext("The tender is cancelled. Sealed bids stay sealed.")
        return _act(pages, tender_id, lambda session: pages.service.cancel(session, _actor(), tender_id), said=said)

    @routes.post("/tenders/<tender_id>/amend")
    @http.requires("inquiry.write")
    def amend(tender_id: str) -> ResponseReturnValue:
        room = _buyer(pages, tender_id)
        change, closes = request.form.get("change", "").strip()[: forms.TEXT_MAX], request.form.get("closes", "")
        at = forms.moment_of(closes) if closes else room.notice.stages[0].closes_at
        if not change or at is None:
            flash(gettext("An addendum says what changes, and until when bids are taken."), "error")
            return _room(pages, tender_id, status=422, change=change)
        return _act(
            pages, tender_id, lambda session: pages.service.amend(session, _actor(), tender_id, change, at),
            said=gettext("The addendum is published."),
        )  # fmt: skip


def _read_suppliers(pages: Pages, session: Session, form: Form) -> None:
    """Keep the chosen suppliers that exist."""
    chosen = list(dict.fromkeys(request.form.getlist("suppliers")))[: forms.SUPPLIERS_MAX + 1]
    known = {str(each.id): each.name for id in chosen for each in pages.suggest(session, id) if each.id == id}
    form.suppliers = [(id, known[id]) for id in chosen if id in known]
    if len(form.suppliers) < len(chosen):
        form.errors["suppliers"] = gettext("One of them is no supplier of yours.")
    elif not form.suppliers and form.invitation != "open":
        form.errors["suppliers"] = gettext("Choose at least one supplier.")
    elif len(form.suppliers) > forms.SUPPLIERS_MAX:
        form.errors["suppliers"] = gettext("At most %(count)s suppliers.", count=forms.SUPPLIERS_MAX)


# --- passphrases and opening -----------------------------------------------------------------------


def _add_opening(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/tenders/<tender_id>/passphrase")
    @http.requires(SERVE)
    def passphrase_form(tender_id: str) -> ResponseReturnValue:
        return _passphrase_page(pages, tender_id)

    @routes.post("/tenders/<tender_id>/passphrase")
    @http.requires_fresh
    @http.requires(SERVE)
    def set_passphrase(tender_id: str) -> ResponseReturnValue:
        words = request.form.get("passphrase", "")
        room = _buyer(pages, tender_id)
        if words != request.form.get("again", ""):
            return _passphrase_page(pages, tender_id, error=gettext("The two are not the same."), status=422)

        def act(session: Session) -> str:
            pages.service.set_passphrase(session, _actor(), tender_id, words)
            flash(gettext("Your passphrase is set. Keep it: nobody can recover it."), "ok")
            return url_for("tenders.room", tender_id=tender_id)

        try:
            with pages.database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except TenderRefused as refused:
            weak = refused.code == "PASSPHRASE_WEAK"
            return _passphrase_page(pages, room.row.id, error=wording.why(refused), status=422 if weak else 409)

    @routes.post("/tenders/<tender_id>/passphrase/forget")
    @http.requires(SERVE)
    def forget_passphrase(tender_id: str) -> ResponseReturnValue:
        return _act(
            pages, tender_id, lambda session: pages.service.forget_passphrase(session, _actor(), tender_id),
            then=url_for("tenders.passphrase_form", tender_id=tender_id),
        )  # fmt: skip

    @routes.get("/tenders/<tender_id>/open")
    @http.requires(SERVE)
    def open_form(tender_id: str) -> ResponseReturnValue:
        return _opening_page(pages, tender_id)

    @routes.post("/tenders/<tender_id>/open")
    @http.requires(SERVE)
    def open_stage(tender_id: str) -> ResponseReturnValue:
        room = _buyer(pages, tender_id)
        kind = _stage(room.notice, request.form.get("stage"))
        if not room.notice.is_sealed:
            return _act(
                pages, tender_id, lambda session: pages.service.open_unsealed(session, _actor(), tender_id, kind),
                said=gettext("The bids are open."),
            )  # fmt: skip
        return _open_sealed(pages, tender_id, kind, request.form.get("passphrase", ""))


def _add_places(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/tenders/<tender_id>/place")
    @http.requires(SERVE)
    def place_form(tender_id: str) -> ResponseReturnValue:
        return _place_page(pages, tender_id)

    @routes.post("/tenders/<tender_id>/place/successor")
    @http.requires_fresh
    @http.requires(SERVE)
    def name_successor(tender_id: str) -> ResponseReturnValue:
        who = request.form.get("successor", "")

        def act(session: Session) -> str:
            people = dict(pages.service.people(session))
            if who not in people:
                raise TenderRefused("ALREADY_OPENER")
            pages.service.name_successor(session, _actor(), tender_id, who, people[who])
            flash(gettext("Named. That person sets a passphrase next; then you hand over."), "ok")
            return url_for("tenders.place_form", tender_id=tender_id)

        try:
            with pages.database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except TenderRefused as refused:
            return _place_page(pages, tender_id, error=wording.why(refused), status=409)

    @routes.post("/tenders/<tender_id>/place")
    @http.requires_fresh
    @http.requires(SERVE)
    def give_place(tender_id: str) -> ResponseReturnValue:
        return _give_place(pages, tender_id, request.form.get("passphrase", ""))


def _give_place(pages: Pages, tender_id: str, words: str) -> ResponseReturnValue:
    """Turn the words into a key, count the try, and hand over with the key. The words end with this call."""
    actor, org = _actor(), http.principal().org

    def act(session: Session, key: bytes) -> str:
        pages.service.give_place(session, actor, tender_id, key)
        flash(gettext("Your place is handed over. You do not open these bids any more."), "ok")
        return url_for("tenders.room", tender_id=tender_id)

    try:
        key = _own_key(pages, tender_id, actor, words)
        with pages.database.write(org=org) as session:
            return http.once(session, lambda: act(session, key))
    except TenderRefused as refused:
        return _place_page(pages, tender_id, error=wording.why(refused), status=409)
    except sealing.NotOpened:
        return _place_page(pages, tender_id, error=_tampered(), status=409)


def _own_key(pages: Pages, tender_id: str, actor: Actor, words: str) -> bytes:
    """Return the key that the passphrase stands for. Raises TenderRefused where it is wrong, or tried too often (T18)."""
    with pages.database.read(org=http.principal().org) as session:
        key = pages.service.key_of(session, actor, tender_id, words)
    with pages.database.write(org=http.principal().org) as session:
        right = pages.service.is_right(session, actor, tender_id, key)
    if not right:
        raise TenderRefused("WRONG_PASSPHRASE")
    return key


def _tampered() -> str:
    return str(
        gettext("An envelope or a key is not what was sealed: somebody changed the database. Nothing was opened.")
    )


def _open_sealed(pages: Pages, tender_id: str, kind: StageKind, words: str) -> ResponseReturnValue:
    """Turn the words into a key, count the try, and agree with the key. The words end with this call."""
    actor, org = _actor(), http.principal().org
    try:
        with pages.database.read(org=org) as session:
            room = pages.service.buyer_room(session, tender_id)
            model.check_opening(room.notice, room.standing, kind, now=clock.now())
        key = _own_key(pages, tender_id, actor, words)

        def act(session: Session) -> str:
            is_open = pages.service.hand_over(session, actor, tender_id, kind, key)
            flash(
                gettext("The bids are open.")
                if is_open
                else gettext("You have agreed. The bids open when a second person enters a passphrase."),
                "ok",
            )
            return url_for("tenders.room", tender_id=tender_id)

        with pages.database.write(org=org) as session:
            return http.once(session, lambda: act(session))
    except TenderRefused as refused:
        return _opening_page(pages, tender_id, error=wording.why(refused), status=409)
    except sealing.NotOpened:
        return _opening_page(pages, tender_id, error=_tampered(), status=409)


def _passphrase_page(pages: Pages, tender_id: str, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    room = _buyer(pages, tender_id)
    mine = _mine((*room.openers, *room.named))
    return render_template("tenders/passphrase.html", room=room, mine=mine, error=error), status


def _place_page(pages: Pages, tender_id: str, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    room = _buyer(pages, tender_id)
    mine = _mine(room.openers)
    with pages.database.read(org=http.principal().org) as session:
        taken = {each.user_id for each in (*room.openers, *room.named)}
        people = [(id, name) for id, name in pages.service.people(session) if id not in taken]
    successor = next((each for each in room.named if mine is not None and each.follows == mine.user_id), None)
    return render_template(
        "tenders/place.html", room=room, mine=mine, successor=successor, people=people, error=error
    ), status


def _mine(openers: Sequence[OpenerRow]) -> OpenerRow | None:
    return next((each for each in openers if each.user_id == http.principal().user_id), None)


def _opening_page(pages: Pages, tender_id: str, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    room = _buyer(pages, tender_id)
    return render_template("tenders/open.html", room=room, mine=_mine(room.openers), error=error), status


# --- questions and addenda -------------------------------------------------------------------------


def _add_talk(routes: Blueprint, pages: Pages) -> None:
    @routes.post("/tenders/<tender_id>/questions")
    @http.requires("deal.negotiate")
    def ask(tender_id: str) -> ResponseReturnValue:
        text = request.form.get("text", "").strip()[: forms.TEXT_MAX]

        def do(session: Session) -> None:
            if text:
                pages.service.ask(session, _actor(), tender_id, text)
            else:
                pages.service.bidder_room(session, tender_id)

        return _act(pages, tender_id, do, then=url_for("tenders.room", tender_id=tender_id, _anchor="questions"))

    @routes.post("/tenders/<tender_id>/answers")
    @http.requires("inquiry.write")
    def answer(tender_id: str) -> ResponseReturnValue:
        form = request.form
        asked, said = form.get("question_text", "")[: forms.TEXT_MAX], form.get("answer", "").strip()[: forms.TEXT_MAX]

        def do(session: Session) -> None:
            pages.service.buyer_room(session, tender_id)
            if asked.strip() and said:
                pages.service.answer(session, _actor(), tender_id, form.get("question_id", ""), asked, said)

        return _act(pages, tender_id, do, then=url_for("tenders.room", tender_id=tender_id, _anchor="questions"))

    @routes.post("/tenders/<tender_id>/acknowledge")
    @http.requires("deal.negotiate")
    def acknowledge(tender_id: str) -> ResponseReturnValue:
        version = request.form.get("version", 0, type=int)
        return _act(pages, tender_id, lambda session: pages.service.acknowledge(session, _actor(), tender_id, version))


# --- bids ------------------------------------------------------------------------------------------


def _add_bidding(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/tenders/<tender_id>/bid")
    @http.requires("deal.negotiate")
    def bid_form(tender_id: str) -> ResponseReturnValue:
        room = _bidder(pages, tender_id)
        kind = _stage(room.notice, request.args.get("stage"))
        return _bid_page(room, kind, forms.blank_bid(room.notice, kind))

    @routes.post("/tenders/<tender_id>/bid")
    @http.requires("deal.negotiate")
    def bid(tender_id: str) -> ResponseReturnValue:
        room = _bidder(pages, tender_id)
        kind = _stage(room.notice, request.form.get("stage"))
        form = forms.posted_bid(request.form, room.notice, kind)
        if not form.is_valid:
            return _bid_page(room, kind, form, status=422)
        step = request.form.get("step")
        if step == "edit":
            return _bid_page(room, kind, form)
        submission = forms.submission(form, room.notice, kind)
        if step != "send":
            return render_template("tenders/bid_review.html", room=room, kind=kind, form=form, submission=submission)

        def act(session: Session) -> str:
            pages.service.bid(session, _actor(), tender_id, kind, submission)
            flash(gettext("Your bid is in its envelope. The receipt is below."), "ok")
            return url_for("tenders.room", tender_id=tender_id, _anchor="bids")

        try:
            with pages.database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except TenderRefused as refused:
            form.errors["form"] = wording.why(refused)
            return _bid_page(_bidder(pages, tender_id), kind, form, status=409)

    @routes.post("/tenders/<tender_id>/withdraw")
    @http.requires("deal.negotiate")
    def withdraw(tender_id: str) -> ResponseReturnValue:
        kind = _stage(_bidder(pages, tender_id).notice, request.form.get("stage"))
        return _act(
            pages, tender_id, lambda session: pages.service.withdraw(session, _actor(), tender_id, kind),
            said=gettext("Your bid is withdrawn and will never be opened."),
        )  # fmt: skip


def _bidder(pages: Pages, tender_id: str) -> BidderRoom:
    with pages.database.read(org=http.principal().org) as session:
        return pages.service.bidder_room(session, tender_id)


def _bid_page(room: BidderRoom, kind: StageKind, form: Form, *, status: int = 200) -> ResponseReturnValue:
    return render_template("tenders/bid.html", room=room, kind=kind, form=form), status


# --- costs, evaluation, award ----------------------------------------------------------------------


def _add_costs(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/tenders/<tender_id>/costs")
    @http.requires("inquiry.write")
    def costs_form(tender_id: str) -> ResponseReturnValue:
        room = _buyer(pages, tender_id)
        form = forms.costs_form(room.plan, room.notice)
        return render_template("tenders/costs.html", room=room, form=form, people=_people(pages))

    @routes.post("/tenders/<tender_id>/costs")
    @http.requires("inquiry.write")
    def costs(tender_id: str) -> ResponseReturnValue:
        room, people = _buyer(pages, tender_id), _people(pages)
        form = forms.posted_costs(request.form, room.notice, room.names, people)
        if not form.is_valid:
            return render_template("tenders/costs.html", room=room, form=form, people=people), 422
        plan = forms.plan_of(form, room.notice, people)
        return _act(
            pages, tender_id, lambda session: pages.service.set_plan(session, _actor(), tender_id, plan),
            said=gettext("Costs and limits are stated."),
        )  # fmt: skip


def _add_evaluation(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/tenders/<tender_id>/evaluate")
    @http.requires(SERVE)
    def evaluation(tender_id: str) -> ResponseReturnValue:
        return _evaluation_page(pages, tender_id)

    @routes.post("/tenders/<tender_id>/evaluate")
    @http.requires(SERVE)
    def evaluate(tender_id: str) -> ResponseReturnValue:
        room = _buyer(pages, tender_id)
        kind = _stage(room.notice, request.form.get("stage"))
        scores, reasons, wrong = forms.posted_scores(request.form)
        if wrong:
            flash(forms.no_numbers(wrong), "error")
            return _evaluation_page(pages, tender_id, status=422)
        verdicts = {
            PartyId(each): request.form[f"verdict_{each}"] == "pass"
            for each in room.names
            if f"verdict_{each}" in request.form
        }

        def do(session: Session) -> None:
            if scores:
                pages.service.score(session, _actor(), tender_id, kind, scores, reasons)
            if verdicts:
                pages.service.judge(session, _actor(), tender_id, kind, verdicts)

        here = url_for("tenders.evaluation", tender_id=tender_id, stage=str(kind))
        said = gettext("The evaluation is kept.")
        return _act(
            pages, tender_id, do, said=said, then=url_for("tenders.room", tender_id=tender_id) if verdicts else here
        )

    @routes.get("/tenders/<tender_id>/ranking")
    @http.requires("deal.read")
    def ranking(tender_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            room = pages.service.buyer_room(session, tender_id)
            found = pages.service.compared(session, room) if offers_of(room) else None
        return render_template("tenders/ranking.html", room=room, found=found)


def _evaluation_page(pages: Pages, tender_id: str, *, status: int = 200) -> ResponseReturnValue:
    with pages.database.read(org=http.principal().org) as session:
        room = pages.service.buyer_room(session, tender_id)
        wanted = request.values.get("stage") or room.where.stage
        opened = [each.kind for each in room.notice.stages if each.kind in room.standing.opened]
        kind = wanted if wanted in opened else opened[-1] if opened else None
        marks = pages.service.marks(session, tender_id, http.principal().user_id)
    criteria = [each for each in room.notice.criteria_of(StageKind(kind)) if not each.is_price] if kind else []
    page = render_template(
        "tenders/evaluate.html", room=room, kind=kind, criteria=criteria, marks=marks, me=http.principal().user_id
    )
    return page, status


def _add_award(routes: Blueprint, pages: Pages) -> None:
    @routes.post("/tenders/<tender_id>/award")
    @http.requires("deal.bind", "deal.negotiate")
    def award(tender_id: str) -> ResponseReturnValue:
        """Show what an award comes to and binds to, and whether others must approve it."""

        def review(picked: Picked, room: BuyerRoom, found: Compared) -> ResponseReturnValue:
            with pages.database.read(org=http.principal().org) as session:
                verdict = pages.service.may_award(session, _actor(), tender_id, picked)
            return _award_page(room, found, picked, verdict)

        return _picked(pages, tender_id, review)

    @routes.post("/tenders/<tender_id>/award/ask")
    @http.requires("deal.bind", "deal.negotiate")
    def ask_award(tender_id: str) -> ResponseReturnValue:
        return _picked(pages, tender_id, lambda picked, _, found: _ask(pages, tender_id, picked, found.proposal.cost))

    @routes.post("/tenders/<tender_id>/award/make")
    @http.requires_fresh
    @http.requires("deal.bind", "deal.negotiate")
    def make_award(tender_id: str) -> ResponseReturnValue:
        return _picked(
            pages, tender_id,
            lambda picked, _room, _found: _act(
                pages, tender_id, lambda session: pages.service.award(session, _actor(), tender_id, picked),
                said=gettext("Awarded. Each supplier is told in its own deal."),
            ),
        )  # fmt: skip


def _picked(
    pages: Pages, tender_id: str, act: Callable[[Picked, BuyerRoom, Compared], ResponseReturnValue]
) -> ResponseReturnValue:
    """Do something with the quantities that a form awards; where it is refused, show why and the form as it was."""
    with pages.database.read(org=http.principal().org) as session:
        room = pages.service.buyer_room(session, tender_id)
        found = pages.service.compared(session, room)
    picked, wrong = forms.posted_award(request.form)
    if wrong:
        flash(forms.no_numbers(wrong), "error")
        return _room(pages, tender_id, status=422, typed=_typed(picked))
    try:
        model.check_quantities(room.notice, [(line, quantity) for (_, line), quantity in picked.items()])
    except TenderRefused as refused:
        flash(wording.why(refused), "error")
        return _room(pages, tender_id, status=422, typed=_typed(picked))
    try:
        return act(picked, room, found)
    except (Unauthorised, NotToBeAsked) as refused:
        return _award_page(room, found, picked, refused.verdict, status=409)
    except TenderRefused as refused:
        flash(wording.why(refused), "error")
        return _room(pages, tender_id, status=409, typed=_typed(picked))


class NotToBeAsked(Exception):
    """Approval is asked for where it is not needed, or cannot be given."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(verdict.kind)


def _award_page(
    room: BuyerRoom, found: Compared, picked: Picked, verdict: Verdict, *, status: int = 200
) -> ResponseReturnValue:
    costs = _costs(room, room.plan, picked)
    page = render_template(
        "tenders/award.html", room=room, grid=found.grid, picked=picked, costs=costs, verdict=verdict,
        proposed=found.proposal.cost,
    )  # fmt: skip
    return page, status


def _ask(pages: Pages, tender_id: str, picked: Picked, proposed: Decimal | None) -> ResponseReturnValue:
    """Ask those who may approve it to make an award that goes beyond what the buyer's person may bind alone."""
    who = http.principal()

    def act(session: Session) -> str:
        verdict = pages.service.may_award(session, _actor(), tender_id, picked)
        if not isinstance(verdict, Needs):
            raise NotToBeAsked(verdict)
        wanted = pages.service.to_approve(session, _actor(), tender_id, picked, proposed=proposed)
        note = request.form.get("approval_note", "")[: forms.TEXT_MAX]
        url = pages.ask(session, Asker(who.org, who.user_id, who.name, _actor().channel), wanted, note, http.form_id())
        flash(
            gettext("Approval is asked for. The award is made with the last approval, as far as it can be then."), "ok"
        )
        return url

    with pages.database.write(org=who.org) as session:
        return http.once(session, lambda: act(session))


def approval_view(service: TenderService) -> Callable[[Session, Wanted], Markup]:
    """Return the part of an approval's page that shows an award as it was asked for, beside all bids at landed cost."""

    def show(session: Session, wanted: Wanted) -> Markup:
        intent = intended(wanted)
        room = service.buyer_room(session, intent.tender_id)
        text = render_template(
            "tenders/_approval.html", room=room, grid=service.grid_of(room, intent.plan), picked=intent.picked,
            costs=_costs(room, intent.plan, intent.picked), proposed=intent.proposed, wording=wording,
            is_restated=intent.plan != room.plan,
        )  # fmt: skip
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def _trimmed(value: Decimal) -> Decimal:
    """Return a number without the zeros at its end: 12.400000 is 12.4."""
    return Decimal(landed.plain(value))


def _costs(room: BuyerRoom, plan: Plan, picked: Picked) -> dict[tuple[PartyId, str], Decimal | None]:
    """Return the landed cost of each pick at its own quantity, rounded; None where it cannot be told."""
    offers, lines = offers_of(room), {line.number: line for line in room.notice.inquiry.lines}
    found: dict[tuple[PartyId, str], Decimal | None] = {}
    for (supplier, number), quantity in picked.items():
        line = lines.get(number)
        cost = (
            landed.cost(offers[supplier], line, supplier, plan.basis, quantity)
            if line is not None and supplier in offers
            else None
        )
        found[supplier, number] = landed.rounded_money(cost.amount) if cost and cost.amount is not None else None
    return found


def _typed(picked: Mapping[tuple[PartyId, str], Decimal]) -> dict[tuple[str, str], Decimal]:
    return {(str(supplier), line): quantity for (supplier, line), quantity in picked.items()}


# --- who and when ----------------------------------------------------------------------------------


def _actor() -> Actor:
    who = http.principal()
    return Actor(who.org, who.user_id, who.name, "api" if who.is_token else "web")


def _stage(notice: Notice, name: str | None) -> StageKind:
    """Return the stage that a form names, else the last; 404 for one that the tender has not."""
    kinds = [each.kind for each in notice.stages]
    if not name:
        return kinds[-1]
    if name not in kinds:
        abort(404)
    return StageKind(name)
