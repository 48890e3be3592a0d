"""The rules run over a written history: a JSON object a line in, what became of each a line out (docs/negotiation.md).

An independent model of the law can be run against it: nothing here knows of a database, a page or a message.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tradehub.documents import PartyId
from tradehub.documents.amounts import added
from tradehub.documents.parts import EXACT
from tradehub.negotiation import model
from tradehub.negotiation.model import Calendar, Contract, Ground, Kind, Ledger, Negotiation, Offer, Refused, Statement
from tradehub.negotiation.model.materiality import MATERIALITY, UNKNOWN, Change

LINES_MAX = 100_000
"""Lines read of one file: a simulation holds all of its negotiations in memory."""

CENT = Decimal("0.01")

MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
YEARS = range(1900, 2900)
CENTURY_S = 100 * 366 * 24 * 3600


def _number(value: object) -> object:
    if isinstance(value, float):
        raise ValueError("write numbers as text, so that no digit is lost")
    return value


def _iso(value: object) -> object:
    if not isinstance(value, str) or MOMENT.match(value) is None:
        raise ValueError("a moment is ISO 8601 text with an offset, as 2026-11-23T09:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    if value.year not in YEARS:
        raise ValueError(f"the year is none of {YEARS.start} to {YEARS.stop - 1}")
    return value.astimezone(UTC)


def _class_of_terms(value: str) -> str:
    known = [each.name for each in (*MATERIALITY, UNKNOWN)]
    if value not in known:
        raise ValueError(f"no class of terms; there are {', '.join(known)}")
    return value


Number = Annotated[Decimal, BeforeValidator(_number), Field(allow_inf_nan=False, max_digits=24, decimal_places=9)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Moment = Annotated[AwareDatetime, BeforeValidator(_iso), AfterValidator(_in_utc)]
Seconds = Annotated[int, Field(ge=0, le=CENTURY_S, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
TermClassName = Annotated[str, AfterValidator(_class_of_terms)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineEntry(_Entry):
    """A line of an offer. ``price`` is per one unit, in the offer's currency; ``formula`` fixes a price to come."""

    item: str | None = None
    quantity: Number | None = None
    unit: str | None = None
    price: Number | None = None
    formula: str | None = None


class OfferEntry(_Entry):
    """The terms of a proposal: lines by number, and any other terms by path (docs/negotiation.md, Materiality)."""

    lines: dict[Name, LineEntry] = {}
    terms: dict[Name, str] = {}
    firm: Flag | None = None
    accept_by: Moment | None = None
    accept_within_s: Annotated[int, Field(gt=0, le=CENTURY_S, strict=True)] | None = None
    irrevocable: Flag = False
    as_is_only: Flag = False
    divisible: Flag = False
    group: str | None = None
    amends: str | None = None
    terminates: Flag = False
    catalogue: Flag = False
    performance_accepts: Flag = False
    conditional_on_receipt: Flag = False
    standard_terms: str | None = None


class PlaceEntry(_Entry):
    zone: str = "UTC"
    weekend: frozenset[Annotated[int, Field(ge=0, le=6)]] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()


class NegotiationEntry(_Entry):
    kind: Literal["negotiation"]
    negotiation: Name
    buyer: Name
    seller: Name
    regime: Literal["CISG", "PRC", "UCC"] = "CISG"
    reasonable_s: Seconds | None = None
    undue_delay_s: Seconds | None = None
    receipt_within_s: Seconds | None = None
    rounds_max: Annotated[int, Field(ge=0, strict=True)] | None = None
    materiality: dict[TermClassName, Flag] = {}
    silence_accepts: Flag = False
    performance_accepts: Flag = False
    formation: Literal["agreement", "confirmation", "signature"] = "agreement"
    battle: Literal["last_shot", "knock_out"] = "last_shot"
    places: dict[Name, PlaceEntry] = {}


class StatementEntry(_Entry):
    kind: Kind
    id: Name
    negotiation: str | None = None
    by: str | None = None
    about: str | None = None
    at: Moment
    reached_at: Moment | None = None
    sent_at: Moment | None = None
    claimed_at: Moment | None = None
    offer: OfferEntry | None = None
    lines: dict[Name, Number | None] = {}
    changes: tuple[str, ...] | None = None
    terms_hash: str | None = None
    expected_version: Annotated[int, Field(strict=True)] | None = None
    conditional: Flag = False
    delayed: Flag = False
    reviewed: Flag = True
    attributed: Flag = True
    may_bind: Flag = True
    limit: Number | None = None
    standard_terms: str | None = None
    text: str = ""


class PickEntry(_Entry):
    negotiation: Name
    about: Name
    lines: dict[Name, Number | None] = {}


class AwardEntry(_Entry):
    """What a buyer takes of several suppliers' offers; every other open offer made to it is declined (R23)."""

    kind: Literal["award"]
    id: Name
    by: Name
    at: Moment
    demand: dict[Name, Number] = {}
    picks: tuple[PickEntry, ...]
    among: tuple[str, ...] | None = None


class NowEntry(_Entry):
    kind: Literal["now"]
    at: Moment
    negotiation: str | None = None


_ENTRIES: Mapping[str, type[_Entry]] = {"negotiation": NegotiationEntry, "award": AwardEntry, "now": NowEntry}


class Invalid(ValueError):
    """A line that says nothing the rules could be asked about."""


def simulate(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Return, for each line that is not blank, what became of it; a statement that reaches later has a line for that.

    Never raises for what a line holds: one that cannot be read has the outcome ``invalid``, with its number and why.
    """
    world = World()
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        if number > LINES_MAX:
            yield {"line": number, "outcome": "invalid", "error": f"more than {LINES_MAX} lines"}
            return
        try:
            yield from world.take(_read(text))
        except Invalid as error:
            yield {"line": number, "outcome": "invalid", "error": str(error)}
    yield from world.rest()


def _read(text: str) -> _Entry:
    try:
        raw = json.loads(text, parse_constant=_constant)
        json.dumps(raw, ensure_ascii=False).encode()  # half a character cannot be hashed, nor printed
    except (ValueError, RecursionError) as error:
        raise Invalid(f"not JSON: {error}") from None
    if not isinstance(raw, dict):
        raise Invalid("not a JSON object")
    try:
        return _ENTRIES.get(str(raw.get("kind")), StatementEntry).model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise Invalid(f"{where}: {first['msg']}") from None


def _constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


@dataclass
class World:
    """The negotiations of one history, as far as it has been read. ``arrivals`` is what is still on its way, but for what a
    line said has ``reached`` before its time."""

    negotiations: dict[str, Negotiation] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    arrivals: list[tuple[datetime, int, str, str]] = field(default_factory=list)
    reached: set[tuple[str, str]] = field(default_factory=set)
    counted: int = 0
    last: datetime | None = None

    def take(self, entry: _Entry) -> Iterator[dict[str, Any]]:
        match entry:
            case NegotiationEntry():
                yield self._open(entry)
            case NowEntry():
                self._wanted(entry.negotiation)
                yield from self._until(entry.at)
                for negotiation in self._wanted(entry.negotiation):
                    yield {"kind": "now", "at": _moment(entry.at), **self._standing(negotiation.id, entry.at)}
            case AwardEntry():
                for place, pick in enumerate(entry.picks):
                    self._of(pick.negotiation, f"picks.{place}.negotiation")
                for named in entry.among or ():
                    self._of(named, "among")
                yield from self._until(entry.at)
                yield self._award(entry)
            case StatementEntry():
                self._of(entry.negotiation)
                yield from self._until(entry.at)
                negotiation = self._of(entry.negotiation)
                yield self._say(entry, negotiation, self._statement(entry, negotiation))

    def rest(self) -> Iterator[dict[str, Any]]:
        """What still arrives after the last line."""
        while self.arrivals:
            yield from self._arrive()

    def _open(self, entry: NegotiationEntry) -> dict[str, Any]:
        if entry.negotiation in self.negotiations:
            raise Invalid(f"negotiation: {entry.negotiation} is open already")
        if entry.buyer == entry.seller:
            raise Invalid("seller: a negotiation has two parties")
        for party in entry.places.keys() - {entry.buyer, entry.seller}:
            raise Invalid(f"places.{party}: neither the buyer nor the seller")
        self.negotiations[entry.negotiation] = Negotiation(
            id=entry.negotiation,
            buyer=PartyId(entry.buyer),
            seller=PartyId(entry.seller),
            regime=model.REGIMES[entry.regime],
            ground=_ground(entry),
            calendars={PartyId(party): _calendar(party, place) for party, place in entry.places.items()},
        )
        return {"kind": "negotiation", "negotiation": entry.negotiation, "outcome": "accepted"}

    def _of(self, id: str | None, field: str = "negotiation") -> Negotiation:
        if id is None and len(self.negotiations) == 1:
            return next(iter(self.negotiations.values()))
        if id is None or id not in self.negotiations:
            raise Invalid(
                f"{field}: which of {len(self.negotiations)}?" if id is None else f"{field}: no negotiation {id}"
            )
        return self.negotiations[id]

    def _wanted(self, id: str | None) -> list[Negotiation]:
        return list(self.negotiations.values()) if id is None else [self._of(id)]

    def _until(self, at: datetime) -> Iterator[dict[str, Any]]:
        """Let arrive what does so by ``at``: a notice comes before what is said at the same moment."""
        if self.last is not None and at < self.last:
            raise Invalid(f"at: {_moment(at)} lies before the line above it")
        self.last = at
        while self.arrivals and self.arrivals[0][0] <= at:
            yield from self._arrive()

    def _arrive(self) -> Iterator[dict[str, Any]]:
        at, _, negotiation, about = self.arrivals.pop(0)
        if (negotiation, about) not in self.reached:
            statement = Statement(f"{about}:reach", Kind.REACH, about=about)
            yield self._made(self.negotiations[negotiation], statement, at)

    def _statement(self, entry: StatementEntry, negotiation: Negotiation) -> Statement:
        """What is said; an acceptance that is a counter-offer in law is one of all the offer's terms, but for what it
        states (CISG 19(1)), of the lines it names, as far as they are left (R22)."""
        parent = _stated(negotiation, entry.about)
        said = _statement(entry, parent)
        if entry.kind is not Kind.ACCEPT or parent is None or entry.changes or _has_strange_lines(entry, parent):
            return said
        ledger = self._ledger(negotiation.id, entry.at)
        standing = ledger.standings.get(parent.id)
        if (
            standing is None
            or ledger.change_of(said, parent) is not Change.MATERIAL
            or (entry.changes is not None and said.offer is not None)
        ):
            return said
        known = _stated(negotiation, entry.id)
        left = standing.remaining if parent.divisible else parent.quantities
        return replace(said, offer=_counter(entry, parent, left if known is None else known.quantities))

    def _say(self, entry: StatementEntry, negotiation: Negotiation, statement: Statement) -> dict[str, Any]:
        answer = self._made(negotiation, statement, entry.at)
        if statement.kind is Kind.REACH and statement.about is not None and answer["outcome"] == "accepted":
            self.reached.add((negotiation.id, statement.about))
        if answer["outcome"] == "accepted" and statement.reached_at is None and entry.reached_at is not None:
            self.counted += 1
            self.arrivals.append((entry.reached_at, self.counted, negotiation.id, statement.id))
            self.arrivals.sort()
        return answer

    def _made(self, negotiation: Negotiation, statement: Statement, at: datetime) -> dict[str, Any]:
        head = {"kind": str(statement.kind), "id": statement.id, "at": _moment(at)}
        try:
            after = model.step(negotiation, statement, now=at, ledger=self._ledger(negotiation.id, at))
        except Refused as refused:
            why = _why(refused, negotiation, statement)
            reason = {"outcome": "refused", "code": why.code, "rule": why.rule, "article": why.article}
            return {**head, **reason, **self._standing(negotiation.id, at)}
        self.negotiations[negotiation.id] = after
        outcome = "unchanged" if after is negotiation else "accepted"
        return {**head, "outcome": outcome, **self._standing(negotiation.id, at)}

    def _ledger(self, id: str, at: datetime) -> Ledger:
        """Return how a negotiation stands: time only goes on here, so that nothing is folded twice."""
        negotiation = self.negotiations[id]
        ledger = self.ledgers.setdefault(id, Ledger(negotiation))
        ledger.go_on(negotiation, at)
        return ledger

    def _standing(self, id: str, at: datetime) -> dict[str, Any]:
        return _standing(self._ledger(id, at))

    def _award(self, entry: AwardEntry) -> dict[str, Any]:
        kept = dict(self.negotiations)
        head: dict[str, Any] = {"kind": "award", "id": entry.id, "at": _moment(entry.at)}
        try:
            self._check_demand(entry)
            for place, pick in enumerate(entry.picks):
                lines = _taken(self._of(pick.negotiation).offer(pick.about), pick)
                said = Statement(f"{entry.id}:{place}", Kind.ACCEPT, PartyId(entry.by), pick.about, lines=lines)
                self._step(pick.negotiation, said, entry.at)
            self._decline(entry)
        except Refused as refused:
            self.negotiations = kept
            return {
                **head, "outcome": "refused", "code": refused.code, "rule": refused.rule, "article": refused.article
            }  # fmt: skip
        everywhere = {id: self._standing(id, entry.at) for id in self.negotiations}
        return {**head, "outcome": "accepted", "negotiations": everywhere}

    def _check_demand(self, entry: AwardEntry) -> None:
        awarded: dict[str, Decimal] = {}
        for pick in entry.picks:
            offer = self._of(pick.negotiation).offer(pick.about)
            offered = offer.quantities if isinstance(offer, _Stated) else {}
            for line, amount in (pick.lines or dict.fromkeys(offered)).items():
                quantity = offered.get(line, Decimal(0)) if amount is None else amount
                awarded[line] = awarded.get(line, Decimal(0)) + quantity
        if any(quantity > entry.demand.get(line, quantity) for line, quantity in awarded.items()):
            raise Refused("MORE_THAN_DEMANDED")

    def _decline(self, entry: AwardEntry) -> None:
        picked = {each.negotiation for each in entry.picks}
        for id in entry.among if entry.among is not None else tuple(self.negotiations):
            negotiation = self._of(id)
            if id in picked or negotiation.buyer != entry.by:
                continue
            for offer in negotiation.offers:
                if model.states(negotiation, now=entry.at)[offer.id] is model.State.EFFECTIVE and offer.by != entry.by:
                    said = Statement(f"{entry.id}:no:{offer.id}", Kind.REJECT, PartyId(entry.by), offer.id)
                    self._step(id, said, entry.at)

    def _step(self, negotiation: str, statement: Statement, at: datetime) -> None:
        said, before = replace(statement, reached_at=at), self._of(negotiation)
        try:
            self.negotiations[negotiation] = model.step(before, said, now=at)
        except Refused as refused:
            raise _why(refused, before, said) from refused


def _statement(entry: StatementEntry, parent: _Stated | None) -> Statement:
    in_transit = "reached_at" in entry.model_fields_set and (entry.reached_at is None or entry.reached_at > entry.at)
    by = PartyId(entry.by) if entry.by is not None else None
    words, standard_terms, lines = entry.offer, entry.standard_terms, tuple(entry.lines.items())
    if entry.kind is Kind.ACCEPT and parent is not None:
        standard_terms = standard_terms or (words.standard_terms if words is not None else None)
        if not parent.divisible:
            lines = () if _amounts_named(entry, parent) == parent.quantities else lines
            words = None if _has_strange_lines(entry, parent) else words
        if words is not None and entry.changes is None:
            words = _overlaid(parent.words, words, standard_terms)
    return Statement(
        id=entry.id, kind=entry.kind, by=by, about=entry.about,
        offer=None if words is None else _offer(entry, words, parent), text=entry.text,
        reached_at=None if in_transit else entry.at, sent_at=entry.sent_at, claimed_at=entry.claimed_at, lines=lines,
        changes=_changes(entry, parent), terms_hash=entry.terms_hash, expected_version=entry.expected_version,
        conditional=entry.conditional, delayed=entry.delayed, reviewed=entry.reviewed, attributed=entry.attributed,
        may_bind=entry.may_bind, limit=entry.limit, standard_terms=standard_terms,
    )  # fmt: skip


@dataclass(frozen=True)
class _Stated(Offer):
    """An offer with the terms, and the quantities by line, that the history states of it."""

    stated: Mapping[str, str] = field(default_factory=dict)
    quantities: Mapping[str, Decimal] = field(default_factory=dict)
    words: OfferEntry = field(default_factory=OfferEntry)


def _offer(entry: StatementEntry, said: OfferEntry, parent: Offer | None) -> Offer:
    accept_by, within = said.accept_by, said.accept_within_s
    if entry.kind is Kind.ACCEPT and parent is not None and accept_by is None and within is None:
        accept_by = parent.accept_by
    amends = said.amends or (parent.amends if parent is not None else None)
    stated, valued = _flat(said), _amounts(said)
    quantities = {
        name: line.quantity for name, line in said.lines.items() if line.quantity is not None and line.quantity > 0
    }
    firm = said.firm if said.firm is not None else entry.kind is not Kind.INQUIRY
    return _Stated(
        id=entry.id, by=PartyId(entry.by or ""), terms_hash=_hash(stated), firm=firm, accept_by=accept_by,
        irrevocable=said.irrevocable, parent=entry.about, number=entry.id,
        accept_within=timedelta(seconds=within) if within is not None else None, as_is_only=said.as_is_only,
        divisible=said.divisible, group=said.group, amends=amends, terminates=said.terminates,
        catalogue=said.catalogue, performance_accepts=said.performance_accepts,
        conditional_on_receipt=said.conditional_on_receipt, standard_terms=said.standard_terms,
        lines=quantities if said.divisible else {}, amounts=valued if said.divisible else {},
        amount=_sum(valued), lacking=_lacking(said), stated=stated,
        quantities=quantities, words=said,
    )  # fmt: skip


def _stated(negotiation: Negotiation, id: str | None) -> _Stated | None:
    return next((each for each in negotiation.offers if each.id == id and isinstance(each, _Stated)), None)


def _amounts_named(entry: StatementEntry | PickEntry, offer: _Stated) -> dict[str, Decimal | None]:
    return {line: offer.quantities.get(line) if amount is None else amount for line, amount in entry.lines.items()}


def _has_strange_lines(entry: StatementEntry, parent: _Stated) -> bool:
    """Whether it names lines that an indivisible offer does not have; of a divisible one the rules ask that."""
    return not parent.divisible and any(line not in parent.quantities for line in entry.lines)


def _overlaid(base: OfferEntry, own: OfferEntry, standard_terms: str | None) -> OfferEntry:
    """``own`` with what it leaves out as in ``base``: terms, and standard terms. How it may be accepted is its own."""
    lines = dict(base.lines)
    for name, line in own.lines.items():
        lines[name] = lines.get(name, LineEntry()).model_copy(update=line.model_dump(exclude_none=True))
    terms = {**base.terms, **own.terms}
    return own.model_copy(
        update={"lines": lines, "terms": terms, "standard_terms": standard_terms or base.standard_terms}
    )


def _counter(entry: StatementEntry, parent: _Stated, left: Mapping[str, Decimal]) -> Offer:
    """An acceptance as the counter-offer that it is. ``left`` are the quantities of the offer that it can speak of."""
    own = entry.offer or OfferEntry()
    whole = _overlaid(parent.words, own, entry.standard_terms or own.standard_terms)
    lines = {}
    for name, line in whole.lines.items():
        if entry.lines and name not in entry.lines:
            continue
        is_own = name not in parent.words.lines or (name in own.lines and own.lines[name].quantity is not None)
        amount = entry.lines.get(name)
        if amount is None:
            amount = line.quantity if is_own else left.get(name)
        if amount is not None or is_own:
            lines[name] = line.model_copy(update={"quantity": amount})
    return _offer(entry, whole.model_copy(update={"lines": lines}), parent)


def _why(refused: Refused, negotiation: Negotiation, said: Statement) -> Refused:
    """Return what refuses ``said``: part of an indivisible offer that names a line it does not have is no part of it."""
    if refused.code == "INDIVISIBLE":
        offer = negotiation.offer(said.about)
        if isinstance(offer, _Stated) and any(line not in offer.quantities for line, _ in said.lines):
            return Refused("NO_SUCH_LINE", negotiation.regime)
    return refused


def _taken(offer: Offer, pick: PickEntry) -> tuple[tuple[str, Decimal | None], ...]:
    """What a pick limits its acceptance to; all lines of an indivisible offer are the offer."""
    if offer.divisible or not isinstance(offer, _Stated):
        return tuple(pick.lines.items())
    return () if _amounts_named(pick, offer) == offer.quantities else tuple(pick.lines.items())


def _changes(entry: StatementEntry, parent: _Stated | None) -> tuple[str, ...]:
    """The paths named, or those at which an acceptance's own terms differ from the offer's; silence agrees."""
    if entry.changes is not None:
        return entry.changes
    if entry.kind is not Kind.ACCEPT or entry.offer is None or parent is None:
        return ()
    return tuple(path for path, value in _flat(entry.offer).items() if parent.stated.get(path) != value)


def _flat(said: OfferEntry) -> dict[str, str]:
    flat = dict(said.terms)
    for name, line in said.lines.items():
        for term, value in line.model_dump(exclude_none=True).items():
            flat[f"lines.{name}.{term}"] = _plain(value) if isinstance(value, Decimal) else str(value)
    return flat


def _plain(number: Decimal) -> str:
    """``12.40`` and ``12.4`` are the same number; none is written with an exponent, and nothing is minus nothing."""
    return format(number.normalize(EXACT), "f") if number else "0"


def _hash(stated: Mapping[str, str]) -> str:
    text = json.dumps(stated, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _lacking(said: OfferEntry) -> str | None:
    lines = said.lines.values()
    if not lines or any(not line.item for line in lines):
        return "NOT_DEFINITE_ITEM"
    if any(line.quantity is None or line.quantity <= 0 for line in lines):
        return "NOT_DEFINITE_QUANTITY"
    priced = all(line.price is not None or line.formula for line in lines)
    return None if priced and said.terms.get("currency") else "NOT_DEFINITE_PRICE"


def _amounts(said: OfferEntry) -> dict[str, Decimal]:
    found = {
        name: EXACT.multiply(line.price, line.quantity).quantize(CENT, ROUND_HALF_UP, EXACT)
        for name, line in said.lines.items()
        if line.price is not None and line.quantity is not None
    }
    return found if len(found) == len(said.lines) else {}


def _sum(amounts: Mapping[str, Decimal]) -> Decimal | None:
    return added(amounts.values()) if amounts else None


def _ground(entry: NegotiationEntry) -> Ground:
    usual = Ground()

    def span(seconds: int | None, default: timedelta) -> timedelta:
        return default if seconds is None else timedelta(seconds=seconds)

    return Ground(
        reasonable=span(entry.reasonable_s, usual.reasonable),
        undue_delay=span(entry.undue_delay_s, usual.undue_delay),
        receipt_within=span(entry.receipt_within_s, usual.receipt_within),
        rounds_max=entry.rounds_max,
        materiality=entry.materiality,
        silence_accepts=entry.silence_accepts,
        performance_accepts=entry.performance_accepts,
        formation=entry.formation,
        battle=entry.battle,
    )


def _calendar(party: str, place: PlaceEntry) -> Calendar:
    try:
        zone: tzinfo = UTC if place.zone == "UTC" else ZoneInfo(place.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"places.{party}.zone: no such time zone: {place.zone}") from None
    if len(place.weekend) == 7:
        raise Invalid(f"places.{party}.weekend: no day is worked")
    return Calendar(place.weekend, place.holidays, place.workdays, zone)


def _standing(ledger: Ledger) -> dict[str, Any]:
    negotiation = ledger.negotiation
    return {
        "negotiation": negotiation.id,
        "version": negotiation.version,
        "turn": model.turn_of(ledger),
        "states": {id: str(state) for id, state in ledger.states.items()},
        "contracts": [_contract(each) for each in ledger.contracts()],
    }


def _contract(contract: Contract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "offer": contract.offer.id,
        "terms": contract.terms.id,
        "terms_hash": contract.terms.terms_hash,
        "state": str(contract.state),
        "concluded_at": _moment(contract.concluded_at) if contract.concluded_at else None,
        "version": contract.version,
        "lines": {line: _plain(amount) for line, amount in contract.lines.items()},
        "knocked_out": list(contract.knocked_out),
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
