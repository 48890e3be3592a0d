"""The pages of auctions: the list, a new one, the room in which it is bid, and the result."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Protocol
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import werkzeug.exceptions
from flask import Blueprint, Response, current_app, flash, g, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone, gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.partners.asking import NOT_NEEDED
from tradehub.partners.authority import Allowed, Asker, Forbidden, Needs, Wanted
from tradehub.partners.suggesting import Suggest
from tradehub.platform import clock, http, ids
from tradehub.platform.db import Database
from tradehub.platform.entered import not_read, read_number, reads_both_ways
from tradehub.platform.worklist import Entry, Search, Section
from tradehub.sourcing.auctions import chart, drafting, forms, model, tickets, views, wire, wording
from tradehub.sourcing.auctions.binding import Intent, Unauthorised, intended
from tradehub.sourcing.auctions.rules import BIDDERS_MAX, OVER, ActKind, Display, Format, Kind, Refused, Status
from tradehub.sourcing.auctions.service import FILTERS, SOON, Actor, AuctionService, Listed, NotFound, Room, Unfit
from tradehub.sourcing.auctions.store import Overtaken
from tradehub.sourcing.auctions.tickets import Ticket

FOUND_MAX = 20
STREAM_PATH = "/auctions/stream"


@dataclass(frozen=True)
class Streams:
    """Where open screens hear what changes: at ``url``, else at ``port`` of the page's own host, else nowhere.

    Nowhere, screens ask for themselves. ``key`` signs the tickets.
    """

    key: bytes
    port: int | None = None
    url: str = ""

    def address(self) -> str | None:
        """Return the address of the streams as the browser of this request reaches it."""
        if self.url:
            return self.url.rstrip("/") + STREAM_PATH
        here = urlsplit(request.host_url)
        host = f"[{here.hostname}]" if ":" in (here.hostname or "") else here.hostname
        return f"{here.scheme}://{host}:{self.port}{STREAM_PATH}" if self.port else None

    def origin(self) -> str | None:
        """Return the origin that a page's policy has to admit beside its own."""
        parts = urlsplit(self.address() or "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


class Ask(Protocol):
    """Asks for approval of what is wanted, and returns where the request is shown."""

    def __call__(self, session: Session, asker: Asker, wanted: Wanted, note: str, key: str) -> str: ...


def _nobody_to_ask(session: Session, asker: Asker, wanted: Wanted, note: str, key: str) -> str:
    raise werkzeug.exceptions.NotFound


@dataclass(frozen=True)
class Pages:
    service: AuctionService
    database: Database
    suggest: Suggest
    names: Callable[[Session, str], str]
    streams: Streams
    ask: Ask


def blueprint(
    service: AuctionService,
    database: Database,
    *,
    suggest: Suggest,
    name_of: Callable[[Session, str], str],
    streams: Streams,
    ask: Ask = _nobody_to_ask,
) -> Blueprint:
    """Return the pages. ``suggest`` finds bidders by what is typed, who work on our own pages. ``ask`` asks for approval
    of a bid that the service's hook ``authorise`` does not let go on."""
    routes = Blueprint("auctions", __name__, template_folder="templates")
    pages = Pages(service, database, suggest, name_of, streams, ask)
    routes.context_processor(lambda: {"wording": wording, "forms": forms, "Kind": Kind, "Format": Format})
    routes.register_error_handler(NotFound, _not_found)
    routes.register_error_handler(Overtaken, _overtaken)
    _add_lists(routes, pages)
    _add_new(routes, pages)
    _add_room(routes, pages)
    _add_bids(routes, pages)
    _add_acts(routes, pages)
    _add_result(routes, pages)
    return routes


def _not_found(_error: NotFound) -> ResponseReturnValue:
    return current_app.handle_http_exception(werkzeug.exceptions.NotFound())


def _overtaken(_error: Overtaken) -> ResponseReturnValue:
    return current_app.handle_http_exception(werkzeug.exceptions.Conflict())


# --- the work queue and the search ----------------------------------------------------------------


def sections(service: AuctionService) -> Sequence[Section]:
    """Return the part of the work queue: auctions that run, and those that start within a day."""

    def entries(session: Session, who: http.Principal) -> list[Entry]:
        until = clock.now() + SOON
        found = service.listed(session, who.org, unsettled=True)
        return [
            _entry(each)
            for each in found
            if each.view.status in (Status.RUNNING, Status.PAUSED, Status.UNOPENED)
            or (each.view.status is Status.SCHEDULED and each.view.starts_at <= until)
        ]

    return (
        Section(
            "auctions",
            lazy_gettext("Auctions running or starting soon"),
            "deal.read",
            entries,
            lazy_gettext("No auction runs or starts within a day."),
            "/auctions?only=running",
        ),
    )


def search(service: AuctionService) -> Search:
    """Return the search for auctions by number, title or item."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("deal.read"):
            return []
        return [_entry(each) for each in service.listed(session, who.org, words=words)[:FOUND_MAX]]

    return find


def _entry(line: Listed) -> Entry:
    kind, word = wording.STATUSES[line.view.status]
    if not line.is_owner and line.view.status is Status.RUNNING:
        if any(lot.is_leading for lot in line.view.lots):
            kind, word = "ok", lazy_gettext("You lead")
        elif any(lot.own is not None for lot in line.view.lots):
            kind, word = "turn", lazy_gettext("Outbid")
    runs = line.view.status in (Status.RUNNING, Status.PAUSED)
    held_by = gettext("your own") if line.is_owner else line.owner
    return Entry(
        href=f"/auctions/{line.row.id}",
        title=f"{line.row.number} · {line.row.title}",
        detail=f"{wording.KINDS[line.row.kind]} · {held_by}",
        status=(kind, str(word)),
        at=line.view.starts_at,
        until=line.view.ends_at if runs else None,
    )


# --- the list -------------------------------------------------------------------------------------


def _add_lists(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/auctions")
    @http.requires("deal.read")
    def auctions() -> ResponseReturnValue:
        chip, text = request.args.get("only", "all"), request.args.get("q", "")
        chip = chip if chip in FILTERS else "all"
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.listed(session, http.principal().org, words=text)
        counts = {each: len(_chosen(found, each)) for each in FILTERS}
        return render_template("auctions/list.html", found=_chosen(found, chip), counts=counts, chip=chip, text=text)

    @routes.get("/auctions.csv")
    @http.requires("deal.read")
    def auctions_csv() -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.listed(session, http.principal().org, words=request.args.get("q", ""))
        head = ["number", "title", "kind", "held by", "status", "currency", "price", "starts", "ends"]
        return _csv("auctions.csv", head, [_csv_row(each) for each in _chosen(found, request.args.get("only", "all"))])


def _chosen(found: Sequence[Listed], chip: str) -> list[Listed]:
    wanted = {
        "running": (Status.RUNNING, Status.PAUSED),
        "scheduled": (Status.SCHEDULED,),
        "over": tuple(OVER),
    }.get(chip, tuple(Status))
    return [each for each in found if each.view.status in wanted]


def _csv_row(line: Listed) -> list[str]:
    prices = [lot.price for lot in line.view.lots if lot.price is not None]
    return [
        line.row.number, line.row.title, line.row.kind, line.owner, str(line.view.status), line.row.currency,
        str(sum(prices)) if prices else "", line.view.starts_at.isoformat(), line.view.ends_at.isoformat(),
    ]  # fmt: skip


def _csv(name: str, head: Sequence[str], lines: Sequence[Sequence[str]]) -> Response:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(head)
    # A spreadsheet takes what begins like this for a formula.
    rows.writerows(
        [f"'{each}" if each.startswith(("=", "+", "-", "@", "\t")) else each for each in line] for line in lines
    )
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return Response(out.getvalue(), mimetype="text/csv", headers=headers)


# --- a new auction --------------------------------------------------------------------------------


def _add_new(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/auctions/new")
    @http.requires("deal.negotiate")
    def new_form() -> ResponseReturnValue:
        return render_template("auctions/new.html", form=forms.blank(_zone()))

    @routes.get("/auctions/bidders")
    @http.requires("deal.negotiate")
    def bidders() -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            found = pages.suggest(session, request.args.get("q", ""))
        return render_template("auctions/_bidders.html", found=[(each.id, each.name, each.hint) for each in found])

    @routes.post("/auctions/new")
    @http.requires("deal.negotiate")
    def new() -> ResponseReturnValue:
        who = http.principal()
        with pages.database.read(org=who.org) as session:
            names = {id: pages.names(session, id) for id in request.form.getlist("bidders")[: BIDDERS_MAX + 1]}
        form = forms.posted(request.form, _zone(), names)
        draft = forms.draft(form)
        if draft is not None:
            auction = drafting.auction(draft, id="", owner=who.org)
            forms.put_faults(form, model.faults(auction, clock.now()))
        if draft is None or form.errors:
            return render_template("auctions/new.html", form=form), 422
        if request.form.get("step_of_form") == "edit":
            return render_template("auctions/new.html", form=form)
        if request.form.get("step_of_form") != "hold":
            return render_template("auctions/review.html", form=form, draft=draft, auction=auction)

        def act(session: Session) -> str:
            id = pages.service.hold(session, _actor(), draft, request_key=http.form_id())
            flash(gettext("The auction is announced; its bidders see it among theirs."), "ok")
            return url_for("auctions.room", auction_id=id)

        try:
            with pages.database.write(org=who.org) as session:
                return http.once(session, lambda: act(session))
        except Unfit as unfit:
            forms.put_faults(form, unfit.codes)
            return render_template("auctions/new.html", form=form), 422


# --- the room -------------------------------------------------------------------------------------


def _add_room(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/auctions/<auction_id>")
    @http.requires("deal.read")
    def room(auction_id: str) -> ResponseReturnValue:
        return _room_page(pages, auction_id)

    @routes.get("/auctions/<auction_id>/state")
    @http.requires("deal.read")
    def state(auction_id: str) -> ResponseReturnValue:
        """Answer how it stands, with a fresh ticket where streams are to be had; 304 where nothing has changed."""
        who = http.principal()
        with pages.database.read(org=who.org) as session:
            _row, view = pages.service.view(session, auction_id, who.org)
        found = wire.payload(view)
        kept = {name: value for name, value in found.items() if name != "at"}
        mark = sha256(json.dumps(kept).encode()).hexdigest()[:32]
        answer = make_response(json.dumps(found | _stream(pages, auction_id, who.org)))
        answer.mimetype = "application/json"
        answer.headers["X-Hub-Time"] = str(found["at"])
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.set_etag(mark)
        return answer.make_conditional(request)


def _stream(pages: Pages, auction_id: str, party: PartyId) -> dict[str, str]:
    address = pages.streams.address()
    if address is None:
        return {}
    ticket = tickets.issue(pages.streams.key, Ticket(auction_id, party, request.host_url.rstrip("/")))
    return {"stream": f"{address}?ticket={quote(ticket)}"}


def _room_page(
    pages: Pages,
    auction_id: str,
    *,
    refused: str | None = None,
    typed: dict[str, str] | None = None,
    lot: int | None = None,
    ask: bool = False,
    needs: Needs | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    who = http.principal()
    with pages.database.read(org=who.org) as session:
        found = pages.service.room(session, auction_id, who.org)
    page = render_template(
        "auctions/room.html", room=found, state=wire.payload(found.view), charts=_charts(found), refused=refused,
        typed=typed or {}, unread=_unread(typed or {}), typed_lot=lot, ask=ask, needs=needs, words=_words(),
        rules=found.auction.rules, zone=str(get_timezone()), over=OVER,
    )  # fmt: skip
    g.connect_to = pages.streams.origin()  # the policy of this page admits the streams
    return page, status


def _charts(found: Room) -> dict[int, chart.Chart]:
    view = found.view
    return {
        lot.number: chart.chart(lot.line, since=view.starts_at, until=lot.ends_at, now=view.at) for lot in view.lots
    }


def _words() -> dict[str, str]:
    """What the page's script says; ``%s`` stands for a value."""
    statuses = {f"status_{name}": str(word) for name, (_, word) in wording.STATUSES.items()}
    return statuses | {
        "bidder": gettext("Bidder %(number)s", number="%s"),
        "you": gettext("You"),
        "automatic": gettext("automatic"),
        "given": gettext("given"),
        "leads": gettext("You lead"),
        "outbid": gettext("You have been outbid"),
        "price": gettext("Price %(amount)s", amount="%s"),
        "rank": gettext("Rank %(rank)s", rank="%s"),
        "extended": gettext("The end was put off to %(time)s", time="%s"),
        "over": gettext("The auction is over"),
        "lot_over": gettext("This lot is over"),
        "paused": gettext("Paused"),
        "new": gettext("Something has happened. Reload to see it."),
        "begins": gettext("The auction has begun"),
        "days": gettext("%(count)s d", count="%s"),
        "valid": gettext("Next valid bid: %(amount)s", amount="%s"),
        "accept": gettext("Accept %(amount)s", amount="%s"),
        "ends_at": gettext("Ends at"),
        "ended_at": gettext("Ended at"),
        "failed": gettext("The hub did not answer. Your bid may have been placed: look at the list of bids."),
    }


# --- bids and acts --------------------------------------------------------------------------------


def _add_bids(routes: Blueprint, pages: Pages) -> None:
    @routes.post("/auctions/<auction_id>/bid")
    @http.requires("deal.negotiate")
    def bid(auction_id: str) -> ResponseReturnValue:
        who = http.principal()
        lot = request.form.get("lot", 1, type=int)
        typed = _typed()

        def act(session: Session) -> str:
            amount, limit = _bid_of(typed)
            pages.service.bid(
                session, _actor(), auction_id, lot=lot, amount=amount, limit=limit, confirmed=_confirmed(amount),
                request_key=http.form_id(),
            )  # fmt: skip
            return url_for("auctions.room", auction_id=auction_id) + f"#lot-{lot}"

        try:
            with pages.database.write(org=who.org) as session:
                if _wants_json():
                    act(session)
                else:
                    placed = http.once(session, lambda: act(session))
                    flash(gettext("Your bid stands."), "ok")
                    return placed
        except Refused as refused:
            return _refused(pages, auction_id, refused, typed, lot)
        return _answer(pages, auction_id, "ok", gettext("Your bid stands."))

    @routes.post("/auctions/<auction_id>/bid/ask")
    @http.requires("deal.negotiate")
    def ask_bid(auction_id: str) -> ResponseReturnValue:
        """Ask those who may approve it to place a bid that goes beyond what the bidder may bind alone."""
        who = http.principal()
        lot, typed = request.form.get("lot", 1, type=int), _typed()

        def act(session: Session) -> str:
            wanted = pages.service.to_approve(session, _actor(), auction_id, Intent(lot, *_bid_of(typed)))
            verdict = pages.service.hooks.authorise(session, _actor(), wanted.binding)
            if isinstance(verdict, Forbidden):
                raise Unauthorised(verdict)
            if isinstance(verdict, Allowed):  # the limits, or the bid to beat, have changed since the page was shown
                flash(str(NOT_NEEDED), "ok")
                return url_for("auctions.room", auction_id=auction_id)
            note = request.form.get("approval_note", "")[: forms.TEXT_MAX]
            url = pages.ask(session, Asker(who.org, who.user_id, who.name), wanted, note, http.form_id())
            flash(
                gettext("Approval is asked for. The bid is placed with the last approval, as far as it is valid then."),
                "ok",
            )
            return url

        try:
            with pages.database.write(org=who.org) as session:
                return http.once(session, lambda: act(session))
        except Refused as refused:
            return _refused(pages, auction_id, refused, typed, lot)


def approval_view(service: AuctionService) -> Callable[[Session, Wanted], Markup]:
    """Return the part of an approval's page that shows a bid which waits for it, beside how the auction stands."""

    def show(session: Session, wanted: Wanted) -> Markup:
        found = service.room(session, wanted.binding.deal_id, http.principal().org)
        intent = intended(wanted)
        text = render_template(
            "auctions/_approval.html", room=found, intent=intent, lot=found.view.lots[intent.lot - 1],
            rules=found.auction.rules, what=found.auction.lot(intent.lot), wording=wording,
        )  # fmt: skip
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "").strip()[:40] for name in ("amount", "limit")}


def _bid_of(typed: Mapping[str, str]) -> tuple[Decimal | None, Decimal | None]:
    """Return the amount and the limit that were typed. Raises Refused where there is neither, or one cannot be read."""
    if not any(typed.values()) or _unread(typed):
        raise Refused("NOT_AN_AMOUNT")
    return read_number(typed["amount"]), read_number(typed["limit"])


def _unread(typed: Mapping[str, str]) -> list[str]:
    """Return the fields of a bid that hold something which is no number."""
    return [name for name, text in typed.items() if text and read_number(text) is None]


def _confirmed(amount: Decimal | None) -> bool:
    """True where the large step was shown, and the amount is still the one that was shown."""
    return amount is not None and read_number(request.form.get("confirmed", "")) == amount


def _wants_json() -> bool:
    return request.accept_mimetypes["application/json"] > request.accept_mimetypes["text/html"]


def _refused(pages: Pages, auction_id: str, refused: Refused, typed: dict[str, str], lot: int) -> ResponseReturnValue:
    with pages.database.read(org=http.principal().org) as session:
        row, _ = pages.service.view(session, auction_id, http.principal().org)
    unclear = next(filter(reads_both_ways, typed.values()), None)
    sentence = wording.why(refused, row.currency) if unclear is None else not_read(unclear)
    asks = refused.code == "LARGE_STEP"
    needs = refused.verdict if isinstance(refused, Unauthorised) and isinstance(refused.verdict, Needs) else None
    if _wants_json():
        return _answer(pages, auction_id, "ask" if asks else "page" if needs else "bad", sentence)
    return _room_page(pages, auction_id, refused=sentence, typed=typed, lot=lot, ask=asks, needs=needs, status=422)


def _answer(pages: Pages, auction_id: str, kind: str, text: str) -> ResponseReturnValue:
    """Answer the page's script: what became of the bid, a new form's id, and how the auction stands now."""
    who = http.principal()
    with pages.database.read(org=who.org) as session:
        _row, view = pages.service.view(session, auction_id, who.org)
    found = {
        "kind": kind,
        "text": text,
        "form_id": ids.new_id(),
        "state": wire.payload(view),
    }
    return Response(json.dumps(found), mimetype="application/json")


ACTS = {str(each): each for each in ActKind}

DONE = {
    ActKind.PAUSE: lazy_gettext("The auction is paused."),
    ActKind.RESUME: lazy_gettext("The auction goes on; the time of the pause was added."),
    ActKind.CANCEL: lazy_gettext("The auction is cancelled."),
    ActKind.ASK: lazy_gettext("The owner is asked to let you take the bid back."),
    ActKind.CONSENT: lazy_gettext("The bid is taken back."),
    ActKind.DECLINE: lazy_gettext("The bid stands."),
}


def _add_acts(routes: Blueprint, pages: Pages) -> None:
    @routes.post("/auctions/<auction_id>/acts")
    @http.requires("deal.negotiate")
    def acts(auction_id: str) -> ResponseReturnValue:
        kind = ACTS.get(request.form.get("kind", ""))
        if kind is None:
            raise werkzeug.exceptions.BadRequest

        def act(session: Session) -> str:
            pages.service.act(
                session, _actor(), auction_id, kind, text=request.form.get("text", "")[: forms.TEXT_MAX],
                about=request.form.get("about", type=int), request_key=http.form_id(),
            )  # fmt: skip
            flash(str(DONE[kind]), "ok")
            return url_for("auctions.room", auction_id=auction_id)

        try:
            with pages.database.write(org=http.principal().org) as session:
                return http.once(session, lambda: act(session))
        except Refused as refused:
            return _room_page(pages, auction_id, refused=wording.why(refused, ""), status=409)


# --- the result -----------------------------------------------------------------------------------


def _add_result(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/auctions/<auction_id>/result")
    @http.requires("deal.read")
    def result(auction_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.room(session, auction_id, http.principal().org)
        return render_template("auctions/result.html", room=found, charts=_charts(found), rules=found.auction.rules,
                               positions=_positions(found), over=OVER)  # fmt: skip

    @routes.get("/auctions/<auction_id>/bids.csv")
    @http.requires("deal.read")
    def bids_csv(auction_id: str) -> ResponseReturnValue:
        """Return the prices that the viewer has seen come about, never a limit."""
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.room(session, auction_id, http.principal().org)
        lines = [
            [each.at.isoformat(), str(lot.number), _known_as(found, each.bidder), found.row.currency, str(each.amount),
             "automatic" if each.is_automatic else "given"]
            for lot in found.auction.lots
            for each in views.moves(found.auction, lot, http.principal().org, found.view.at)
        ]  # fmt: skip
        return _csv("bids.csv", ["at", "lot", "bidder", "currency", "amount", "how"], lines)


def _positions(found: Room) -> dict[int, list[tuple[int, int, Decimal]]]:
    """Return the final ranks (place, bidder's number, amount) by lot: all of them for the owner, else one's own."""
    ranks: dict[int, list[tuple[int, int, Decimal]]] = {}
    for lot in found.view.lots if found.is_over else ():
        stands = model.standing(found.auction, found.view.at, lot.number)
        ranked = [
            (place, found.auction.alias(each.by) or 0, each.amount) for place, each in enumerate(stands.positions, 1)
        ]
        shows_all = found.is_owner or (
            found.auction.rules.display is Display.PRICE and found.auction.rules.format is not Format.SEALED
        )
        ranks[lot.number] = [each for each in ranked if shows_all or each[1] == found.alias]
    return ranks


def _known_as(found: Room, alias: int) -> str:
    return found.names.get(alias) or wording.bidder(alias)


def _actor() -> Actor:
    who = http.principal()
    return Actor(who.org, who.user_id, who.name)


def _zone() -> ZoneInfo:
    return ZoneInfo(str(get_timezone()))
