"""The rules of auctions at work: what may be done at a moment, and how a lot stands then.

Everything is computed from what the owner laid down, what happened, and the time: no step of a clock, no close and no
automatic bid is ever stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from tradehub.documents import PartyId
from tradehub.documents.amounts import AMOUNT_MAX, rounded
from tradehub.sourcing.auctions.ledger import Auction, Tally
from tradehub.sourcing.auctions.rules import (
    BIDDERS_MAX,
    LARGE_STEP,
    LONGEST,
    LOTS_MAX,
    OVER,
    SHORTEST,
    TICKS_MAX,
    Act,
    ActKind,
    Bid,
    Display,
    Event,
    Format,
    Lot,
    Move,
    Position,
    Refused,
    Rules,
    Standing,
    Status,
)


def step(auction: Auction, event: Event, *, now: datetime) -> Auction:
    """Return the auction with ``event`` happening at ``now``, which is not before anything that has happened.

    Raises Refused.
    """
    now = max(now, auction.events[-1].at) if auction.events else now
    if isinstance(event, Act):
        for guard in _GUARDS[event.kind]:
            guard(auction, event, now)
        return _appended(auction, event, now)
    return _appended(auction, _judged(auction, event, now), now)


def standing(auction: Auction, now: datetime, lot: int = 1) -> Standing:
    """Return how the lot stands at ``now``. Raises Refused where there is no such lot."""
    asked, stood = auction.ledger.stood.get(lot, (None, None))
    if stood is None or asked != now:
        stood = _standing(auction, now, auction.lot(lot))
        auction.ledger.stood[lot] = (now, stood)
    return stood


def _standing(auction: Auction, now: datetime, found: Lot) -> Standing:
    rules, lot = auction.rules, found.number
    tally = auction.ledger.tallies[lot]
    status = _status(auction, found, now)
    if rules.format is Format.CLOCK:
        return _clock_standing(auction, found, tally, status, now)
    if rules.format is Format.SEALED:
        return _sealed_standing(auction, found, tally, status)
    return Standing(
        status=status,
        ends_at=tally.ends_at,
        price=tally.price,
        leader=tally.leader,
        reserve_met=_meets(rules, found, tally.price),
        positions=tally.ranked(rules),
        moves=tuple(tally.moves),
    )


def overall(auction: Auction, now: datetime) -> Status:
    """Return the status of the auction as a whole: of the lot that has most still to happen."""
    found = {standing(auction, now, each.number).status for each in auction.lots}
    return next(status for status in Status if status in found)


def ends_at(auction: Auction) -> datetime:
    """Return when the last lot ends, as things stand."""
    return max(each.ends_at for each in auction.ledger.tallies.values())


def next_amount(auction: Auction, party: PartyId, now: datetime, lot: int = 1) -> Decimal | None:
    """Return the least that ``party`` may bid now, or the price it may accept; None where nothing can be bid.

    The leader of an open auction that shows prices gets its own amount: it may only give another limit.
    """
    rules, found = auction.rules, auction.lot(lot)
    stands = standing(auction, now, lot)
    if stands.status is not Status.RUNNING:
        return None
    if rules.format is Format.CLOCK:
        return stands.price
    if rules.format is Format.SEALED:
        return found.start
    own = stands.position(party)
    if rules.display is Display.RANK:
        wanted = rules.improved(own.amount) if own else found.start
    elif party == stands.leader:
        return own.amount if own else None
    else:
        wanted = found.start if stands.price is None else rules.improved(stands.price)
    return wanted if wanted > 0 else None


def is_large(auction: Auction, bid: Bid, now: datetime) -> bool:
    """True where the amount goes so far beyond the next valid one that the bidder may have mistyped it."""
    if auction.rules.format is not Format.OPEN or bid.amount is None:
        return False
    needed = next_amount(auction, bid.by, now, bid.lot)
    return needed is not None and auction.rules.sign * (bid.amount - needed) > needed * LARGE_STEP


def changes_at(auction: Auction, now: datetime) -> datetime | None:
    """Return the next moment at which the time alone changes how the auction stands; None where it never will."""
    moments = [auction.rules.starts_at]
    if auction.ledger.paused_at is None:
        for lot in auction.lots:
            found = standing(auction, now, lot.number)
            moments += [found.ends_at, *([found.steps_at] if found.steps_at else [])]
    if overall(auction, now) in OVER:
        return None
    return min((each for each in moments if each > now), default=None)


def clock_ends_at(rules: Rules, lots: Sequence[Lot]) -> datetime:
    """Return when a clock that nobody stops has stood one tick at the reserve of every lot."""
    return rules.starts_at + max(_ticks(rules, each) + 1 for each in lots) * _tick(rules)


def clock_line(auction: Auction, now: datetime, lot: int = 1) -> tuple[tuple[datetime, Decimal], ...]:
    """Return the prices that a clock has shown until ``now``, each with the moment at which it came up."""
    rules, found = auction.rules, auction.lot(lot)
    until = min(now, auction.ledger.tallies[lot].ends_at)
    if until < rules.starts_at:
        return ()
    return tuple(
        (auction.ledger.moment(rules.starts_at, done * _tick(rules)), _clock_price(rules, found, done))
        for done in range(_done_ticks(auction, found, until) + 1)
    )


def faults(auction: Auction, now: datetime) -> list[str]:
    """Return what is wrong with an auction that is to be held, as codes; empty where nothing is."""
    rules = auction.rules
    wrong = [code for code, is_wrong in _FAULTS.items() if is_wrong(auction, now)]
    if rules.format is Format.CLOCK and not wrong and max(_ticks(rules, each) for each in auction.lots) > TICKS_MAX:
        wrong.append("TOO_MANY_STEPS")
    return wrong


def _is_wrong_side(auction: Auction, now: datetime) -> bool:
    """A reserve is at least as good as the start; a clock runs from the start to it, the other way."""
    rules = auction.rules
    by_clock = rules.format is Format.CLOCK
    return any(
        rules.is_better(one, other)
        for lot in auction.lots if lot.reserve is not None
        for one, other in [(lot.reserve, lot.start) if by_clock else (lot.start, lot.reserve)]
    )  # fmt: skip


_FAULTS: Mapping[str, Callable[[Auction, datetime], bool]] = {
    "STARTS_IN_THE_PAST": lambda auction, now: auction.rules.starts_at < now - SHORTEST,
    "TOO_SHORT": lambda auction, now: auction.rules.ends_at - auction.rules.starts_at < SHORTEST,
    "TOO_LONG": lambda auction, now: auction.rules.ends_at - auction.rules.starts_at > LONGEST,
    "NO_LOT": lambda auction, now: (
        not 0 < len(auction.lots) <= LOTS_MAX or not all(each.lines for each in auction.lots)
    ),
    "NO_BIDDER": lambda auction, now: not auction.bidders,
    "TOO_MANY_BIDDERS": lambda auction, now: len(auction.bidders) > BIDDERS_MAX,
    "OWNER_BIDS": lambda auction, now: auction.owner in auction.bidders,
    "START_MISSING": lambda auction, now: any(not 0 < each.start <= AMOUNT_MAX for each in auction.lots),
    "INCREMENT_MISSING": lambda auction, now: auction.rules.increment.value <= 0,
    "INCREMENT_TOO_LARGE": lambda auction, now: (
        auction.rules.increment.is_percent and auction.rules.increment.value > 50
    ),
    "RESERVE_MISSING": lambda auction, now: (
        auction.rules.format is Format.CLOCK and any(each.reserve is None or each.reserve <= 0 for each in auction.lots)
    ),
    "RESERVE_WRONG_SIDE": _is_wrong_side,
    "TICK_MISSING": lambda auction, now: (
        auction.rules.format is Format.CLOCK
        and (auction.rules.tick is None or auction.rules.tick < timedelta(seconds=1))
    ),
}


# --- how it stands --------------------------------------------------------------------------------


def _status(auction: Auction, lot: Lot, now: datetime) -> Status:
    ledger, rules = auction.ledger, auction.rules
    tally = ledger.tallies[lot.number]
    if ledger.cancelled_at is not None:
        return Status.CANCELLED
    if now < rules.starts_at:
        return Status.SCHEDULED
    if ledger.paused_at is not None and ledger.paused_at < tally.ends_at:
        return Status.PAUSED
    if now < tally.ends_at:
        return Status.RUNNING
    return _outcome(rules, lot, tally)


def _outcome(rules: Rules, lot: Lot, tally: Tally) -> Status:
    if rules.format is Format.CLOCK:
        return Status.WON if tally.accepted else Status.EMPTY
    if tally.accepted is not None:
        return Status.UNOPENED
    if not tally.found:
        return Status.EMPTY
    best = tally.ranked(rules)[0].amount if rules.format is Format.SEALED else tally.price
    return Status.WON if _meets(rules, lot, best) else Status.SHORT


def _meets(rules: Rules, lot: Lot, price: Decimal | None) -> bool:
    return price is not None and (lot.reserve is None or not rules.is_better(lot.reserve, price))


def _clock_standing(auction: Auction, lot: Lot, tally: Tally, status: Status, now: datetime) -> Standing:
    rules, bid = auction.rules, tally.accepted
    if bid is not None:
        price = bid.amount if bid.amount is not None else lot.start
        position = Position(bid.by, price, price, bid.number)
        moves = (Move(bid.at, bid.by, price, is_automatic=False, leads=True),)
        return Standing(status, tally.ends_at, price, bid.by, reserve_met=True, positions=(position,), moves=moves)
    done = _done_ticks(auction, lot, min(now, tally.ends_at))
    steps_at = None
    if status in (Status.SCHEDULED, Status.RUNNING) and done < _ticks(rules, lot):
        steps_at = auction.ledger.moment(rules.starts_at, (done + 1) * _tick(rules))
    return Standing(status, tally.ends_at, _clock_price(rules, lot, done), steps_at=steps_at)


def _sealed_standing(auction: Auction, lot: Lot, tally: Tally, status: Status) -> Standing:
    """The best pays, or is paid, the price of the second; without one the reserve, or else the start (Vickrey)."""
    rules = auction.rules
    if status not in (Status.WON, Status.SHORT):
        return Standing(status, tally.ends_at)
    ranked = tally.ranked(rules)
    moves = tuple(Move(auction.bid(each.number).at, each.by, each.amount, False, each is ranked[0]) for each in ranked)
    least = lot.start if lot.reserve is None else lot.reserve
    second = rules.better(ranked[1].amount, least) if len(ranked) > 1 else least
    won = status is Status.WON
    return Standing(status, tally.ends_at, second if won else None, ranked[0].by, won, ranked, moves)


def _tick(rules: Rules) -> timedelta:
    if rules.tick is None:
        raise ValueError("a price that moves by the clock needs to know how long it stands")
    return rules.tick


def _ticks(rules: Rules, lot: Lot) -> int:
    """Return after how many steps the clock's price has come to the reserve."""
    if lot.reserve is None:
        raise ValueError("a price that moves by the clock needs to know where it rests")
    by = rules.increment.at(lot.start, rules.currency)
    return int((abs(lot.start - lot.reserve) / by).to_integral_value(ROUND_CEILING))


def _done_ticks(auction: Auction, lot: Lot, now: datetime) -> int:
    return min(auction.ledger.running(auction.rules.starts_at, now) // _tick(auction.rules), _ticks(auction.rules, lot))


def _clock_price(rules: Rules, lot: Lot, done: int) -> Decimal:
    """Return the price after ``done`` steps: downward where the owner sells, upward where it buys, to the reserve."""
    price = lot.start - rules.sign * done * rules.increment.at(lot.start, rules.currency)
    return price if lot.reserve is None else rules.better(price, lot.reserve)


# --- what may be done -----------------------------------------------------------------------------


def _appended(auction: Auction, event: Event, now: datetime) -> Auction:
    return auction.grown([replace(event, number=auction.version + 1, at=now)])


def _judged(auction: Auction, bid: Bid, now: datetime) -> Bid:
    """Return the bid as it is to be kept, with the amount that it comes to. Raises Refused."""
    _check_bidder(auction, bid)
    lot = auction.lot(bid.lot)
    stands = standing(auction, now, lot.number)
    _check_open(auction, stands)
    for amount in (bid.amount, bid.limit):
        _check_amount(auction.rules, amount)
    if bid.amount is None and bid.limit is None:
        raise Refused("NOT_AN_AMOUNT")
    bid = _JUDGES[auction.rules.format](auction, lot, stands, bid, now)
    if auction.rules.format is Format.OPEN and bid.by == stands.leader:
        after = standing(_appended(auction, bid, now), now, lot.number)
        bid = replace(bid, is_quiet=after.price == stands.price)
    return bid


def _check_bidder(auction: Auction, bid: Bid) -> None:
    if bid.by == auction.owner:
        raise Refused("OWN_AUCTION")
    if bid.by not in auction.bidders:
        raise Refused("NOT_INVITED")


def _check_open(auction: Auction, stands: Standing) -> None:
    if stands.status is Status.RUNNING:
        return
    if auction.rules.format is Format.CLOCK and stands.status is Status.WON:
        raise Refused("TAKEN")
    codes = {Status.SCHEDULED: "NOT_STARTED", Status.PAUSED: "PAUSED", Status.CANCELLED: "CANCELLED"}
    raise Refused(codes.get(stands.status, "CLOSED"))


def _check_amount(rules: Rules, amount: Decimal | None) -> None:
    if amount is None:
        return
    if not amount.is_finite() or not 0 < amount <= AMOUNT_MAX:
        raise Refused("NOT_AN_AMOUNT")
    if amount != rounded(amount, rules.currency):
        raise Refused("TOO_MANY_DECIMALS")


def _judge_open(auction: Auction, lot: Lot, stands: Standing, bid: Bid, now: datetime) -> Bid:
    rules = auction.rules
    if bid.limit is not None and not rules.allows_proxy:
        raise Refused("PROXY_NOT_ALLOWED")
    least = next_amount(auction, bid.by, now, lot.number)
    if least is None:
        raise Refused("INCREMENT")
    own = stands.position(bid.by)
    if own is not None and bid.by == stands.leader:
        return _judge_leader(auction, own, least, bid)
    amount = least if bid.amount is None else bid.amount
    if rules.is_better(least, amount):
        raise Refused("START_PRICE" if rules.is_better(lot.start, amount) else "INCREMENT", least)
    if bid.limit is not None and rules.is_better(amount, bid.limit):
        raise Refused("LIMIT_WORSE_THAN_BID", amount)
    return replace(bid, amount=amount)


def _judge_leader(auction: Auction, own: Position, least: Decimal, bid: Bid) -> Bid:
    """The leader may give a better limit, or improve its own amount where prices are not shown."""
    rules = auction.rules
    if rules.display is Display.PRICE:
        if bid.limit is None:
            raise Refused("YOU_LEAD")
        amount = own.amount
    else:
        amount = own.amount if bid.amount is None else bid.amount
        if rules.is_better(least, amount) and (bid.limit is None or amount != own.amount):
            raise Refused("INCREMENT", least)
    if bid.limit is not None and not rules.is_better(bid.limit, own.limit):
        raise Refused("LIMIT_NOT_BETTER", own.limit)
    if bid.limit is not None and rules.is_better(amount, bid.limit):
        raise Refused("LIMIT_WORSE_THAN_BID", amount)
    return replace(bid, amount=amount)


def _judge_sealed(auction: Auction, lot: Lot, stands: Standing, bid: Bid, now: datetime) -> Bid:
    """A later bid takes the place of the bidder's earlier one: nobody has seen either."""
    if bid.limit is not None or bid.amount is None:
        raise Refused("PROXY_NOT_ALLOWED")
    if auction.rules.is_better(lot.start, bid.amount):
        raise Refused("START_PRICE", lot.start)
    return bid


def _judge_clock(auction: Auction, lot: Lot, stands: Standing, bid: Bid, now: datetime) -> Bid:
    """Whoever accepts gets the price of the moment, which is never worse than the one it saw."""
    if bid.limit is not None or bid.amount is None or stands.price is None:
        raise Refused("PROXY_NOT_ALLOWED")
    if auction.rules.is_better(stands.price, bid.amount):
        raise Refused("NOT_THE_PRICE", stands.price)
    return replace(bid, amount=stands.price)


_JUDGES: Mapping[Format, Callable[[Auction, Lot, Standing, Bid, datetime], Bid]] = {
    Format.OPEN: _judge_open,
    Format.SEALED: _judge_sealed,
    Format.CLOCK: _judge_clock,
}


def _owner(auction: Auction, act: Act, now: datetime) -> None:
    if act.by != auction.owner:
        raise Refused("NOT_OWNER")


def _reason(auction: Auction, act: Act, now: datetime) -> None:
    if not act.text.strip():
        raise Refused("REASON_MISSING")


def _running(auction: Auction, act: Act, now: datetime) -> None:
    if overall(auction, now) is not Status.RUNNING:
        raise Refused("NOT_RUNNING")


def _paused(auction: Auction, act: Act, now: datetime) -> None:
    if auction.ledger.paused_at is None or auction.ledger.cancelled_at is not None:
        raise Refused("NOT_PAUSED")


def _not_over(auction: Auction, act: Act, now: datetime) -> None:
    if overall(auction, now) in OVER:
        raise Refused("OVER")


def _own_bid(auction: Auction, act: Act, now: datetime) -> None:
    if auction.bid(act.about).by != act.by:
        raise Refused("NOT_YOUR_BID")
    if act.about in auction.ledger.withdrawn:
        raise Refused("WITHDRAWN")
    if act.about in open_requests(auction):
        raise Refused("ASKED_ALREADY")


def _asked(auction: Auction, act: Act, now: datetime) -> None:
    if act.about not in open_requests(auction):
        raise Refused("NOT_ASKED")


def open_requests(auction: Auction) -> dict[int, Act]:
    """Return the requests to withdraw a bid that the owner has not answered, by the bid's number."""
    waiting: dict[int, Act] = {}
    for each in auction.ledger.acts:
        if each.about is not None and each.kind is ActKind.ASK:
            waiting[each.about] = each
        elif each.about is not None:
            waiting.pop(each.about, None)
    return waiting


_GUARDS: Mapping[ActKind, tuple[Callable[[Auction, Act, datetime], None], ...]] = {
    ActKind.PAUSE: (_owner, _reason, _running),
    ActKind.RESUME: (_owner, _paused),
    ActKind.CANCEL: (_owner, _reason, _not_over),
    ActKind.ASK: (_own_bid, _reason),
    ActKind.CONSENT: (_owner, _asked),
    ActKind.DECLINE: (_owner, _asked),
}
"""What must hold before each act."""
