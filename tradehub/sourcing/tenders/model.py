"""A tender as a value: what was published, where it stands at a moment, and which move is allowed then.

Stages follow each other: prequalification, technical, commercial. Each has its own closing time, its own envelopes and
its own key; a stage is opened after it closed, and only for those who passed the stages before it. The rules are
numbered T1 to T26 in docs/tenders.md; ``RULES`` is their list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from tradehub.documents import Inquiry, Line, Offer, PartyId
from tradehub.documents.lines import keyed
from tradehub.documents.parts import Part

HUNDRED = Decimal(100)
PASSPHRASE_MIN = 14
PASSPHRASE_MAX = 200
TRIES_MAX = 10
TRIES_WITHIN = timedelta(minutes=15)
"""Wrong passphrases of one opener before the page closes to them for a while."""


class StageKind(StrEnum):
    PREQUALIFICATION = "prequalification"
    TECHNICAL = "technical"
    COMMERCIAL = "commercial"


ORDER = tuple(StageKind)


class Stage(Part):
    """``pass_mark`` is the least score (0 to 100) of the stage's own criteria; None asks for a verdict alone."""

    kind: StageKind
    closes_at: datetime
    pass_mark: Decimal | None = None


class Criterion(Part):
    """``weight`` is in points of 100. The price is scored by formula, all else by the named evaluators."""

    key: str
    name: str
    stage: StageKind
    weight: Decimal
    is_price: bool = False


class Notice(Part):
    """What every bidder is shown: the tender document in one of its versions."""

    number: str
    title: str
    text: str = ""
    inquiry: Inquiry
    stages: tuple[Stage, ...]
    criteria: tuple[Criterion, ...]
    is_open: bool = False
    is_sealed: bool = True
    is_divisible: bool = True
    questions_until: datetime
    valid_until: date
    version: int = 1
    change: str = ""

    def stage(self, kind: StageKind) -> Stage:
        """Raises TenderRefused where the tender has no such stage."""
        found = next((each for each in self.stages if each.kind is kind), None)
        if found is None:
            raise TenderRefused("NO_SUCH_STAGE", kind)
        return found

    def before(self, kind: StageKind) -> tuple[Stage, ...]:
        """Return the stages that come before ``kind``."""
        return tuple(each for each in self.stages if ORDER.index(each.kind) < ORDER.index(kind))

    def criteria_of(self, kind: StageKind) -> tuple[Criterion, ...]:
        return tuple(each for each in self.criteria if each.stage is kind)

    @property
    def closes_at(self) -> datetime:
        return self.stages[-1].closes_at

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines asked for, each with its number."""
        return tuple(line.model_copy(update={"number": key}) for key, line in keyed(self.inquiry.lines).items())


class Submission(Part):
    """What lies in an envelope: answers to the stage's criteria, and in the commercial one the offer."""

    offer: Offer | None = None
    answers: tuple[tuple[str, str], ...] = ()
    text: str = ""


class Phase(StrEnum):
    PREPARING = "preparing"
    READY = "ready"
    RUNNING = "running"
    TO_OPEN = "to_open"
    EVALUATING = "evaluating"
    TO_AWARD = "to_award"
    AWARDED = "awarded"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Standing:
    """What has happened so far. ``verdicts``: stage -> supplier -> passed, for the bidders of opened stages."""

    published_at: datetime | None = None
    cancelled_at: datetime | None = None
    awarded_at: datetime | None = None
    keys_ready: bool = False
    opened: Mapping[StageKind, datetime] = field(default_factory=dict)
    bidders: Mapping[StageKind, frozenset[PartyId]] = field(default_factory=dict)
    verdicts: Mapping[StageKind, Mapping[PartyId, bool]] = field(default_factory=dict)
    unscored: frozenset[StageKind] = frozenset()
    """Opened stages in which an evaluator still has a score to give."""


@dataclass(frozen=True)
class Where:
    """The phase, and the stage that it is about."""

    phase: Phase
    stage: StageKind | None = None
    until: datetime | None = None


class TenderRefused(Exception):
    """A move that the rules do not allow. ``code`` says which, ``rule`` is its number, ``value`` what was wrong."""

    def __init__(self, code: str, value: object = "") -> None:
        self.code, self.rule, self.value = code, RULES[code], value
        super().__init__(f"{code} ({self.rule}) {value}")


RULES: Mapping[str, str] = {
    "WEIGHTS_NOT_100": "T1",
    "STAGES_OUT_OF_ORDER": "T2",
    "OPENERS_NOT_TWO": "T3",
    "NOT_AN_OPENER": "T3",
    "PASSPHRASE_WEAK": "T4",
    "PASSPHRASE_SET": "T4",
    "KEYS_MISSING": "T5",
    "NOT_PUBLISHED": "T5",
    "PUBLISHED": "T5",
    "NOT_INVITED": "T6",
    "QUESTIONS_CLOSED": "T7",
    "NOT_ACKNOWLEDGED": "T8",
    "CHANGE_TOO_LATE": "T9",
    "CLOSING_IN_THE_PAST": "T9",
    "CLOSED": "T10",
    "NOT_PASSED": "T11",
    "NO_SUCH_STAGE": "T11",
    "INVALID_BID": "T12",
    "VALIDITY_TOO_SHORT": "T13",
    "NO_BID": "T14",
    "NOT_YET_CLOSED": "T15",
    "STAGE_BEFORE": "T16",
    "OPENED": "T17",
    "WRONG_PASSPHRASE": "T18",
    "TOO_MANY_TRIES": "T18",
    "HANDED_OVER": "T18",
    "NOT_OPENED": "T19",
    "NOT_AN_EVALUATOR": "T20",
    "SCORE_OUT_OF_RANGE": "T20",
    "BELOW_PASS_MARK": "T20",
    "OVER_DEMAND": "T21",
    "NOTHING_AWARDED": "T21",
    "NOT_OFFERED": "T21",
    "AWARDED": "T22",
    "CANCELLED": "T23",
    "SEALED_TENDER": "T24",
    "NO_SUCCESSOR": "T26",
    "ALREADY_OPENER": "T26",
    "OPENING_BEGUN": "T26",
    "NO_AUTHORITY": "T25",
    "OVER_LIMIT": "T25",
    "NO_RATE": "T25",
    "NO_APPROVER": "T25",
}
"""Each refusal and the rule it rests on."""


def where(notice: Notice, standing: Standing, *, now: datetime) -> Where:
    """Return how the tender stands: a function of what happened and of the clock, of nothing else."""
    if standing.cancelled_at:
        return Where(Phase.CANCELLED)
    if standing.awarded_at:
        return Where(Phase.AWARDED)
    if standing.published_at is None:
        return Where(Phase.READY if standing.keys_ready or not notice.is_sealed else Phase.PREPARING)
    for stage in notice.stages:
        if now < stage.closes_at:
            return Where(Phase.RUNNING, stage.kind, stage.closes_at)
        if stage.kind not in standing.opened:
            return Where(Phase.TO_OPEN, stage.kind)
        if stage.kind in standing.unscored or not _is_judged(stage.kind, notice, standing):
            return Where(Phase.EVALUATING, stage.kind)
    return Where(Phase.TO_AWARD, notice.stages[-1].kind)


def passed(notice: Notice, standing: Standing, kind: StageKind, supplier: PartyId) -> bool:
    """Return whether the supplier passed every stage before ``kind``."""
    return all(standing.verdicts.get(each.kind, {}).get(supplier, False) for each in notice.before(kind))


def check_running(standing: Standing) -> None:
    """Raises TenderRefused where the tender is not published, or over."""
    if standing.cancelled_at:
        raise TenderRefused("CANCELLED", standing.cancelled_at)
    if standing.awarded_at:
        raise TenderRefused("AWARDED", standing.awarded_at)
    if standing.published_at is None:
        raise TenderRefused("NOT_PUBLISHED")


def check_bid(notice: Notice, standing: Standing, kind: StageKind, supplier: PartyId, *, now: datetime) -> None:
    """Raises TenderRefused where no bid is taken for this stage now: too early, too late, or not of this supplier."""
    stage = notice.stage(kind)
    check_running(standing)
    if now >= stage.closes_at:
        raise TenderRefused("CLOSED", stage.closes_at)
    for earlier in notice.before(kind):
        # A stage that closes at the same time is bid for at once; one that closed earlier has to be passed first.
        if earlier.closes_at < stage.closes_at and not standing.verdicts.get(earlier.kind, {}).get(supplier, False):
            raise TenderRefused("NOT_PASSED", earlier.kind)


def check_question(notice: Notice, standing: Standing, *, now: datetime) -> None:
    check_running(standing)
    if now >= notice.questions_until:
        raise TenderRefused("QUESTIONS_CLOSED", notice.questions_until)


def check_opening(notice: Notice, standing: Standing, kind: StageKind, *, now: datetime) -> None:
    """Raises TenderRefused before the closing time, before the verdicts of the stage before, and the second time."""
    stage = notice.stage(kind)
    check_running(standing)
    if now < stage.closes_at:
        raise TenderRefused("NOT_YET_CLOSED", stage.closes_at)
    if kind in standing.opened:
        raise TenderRefused("OPENED", standing.opened[kind])
    for earlier in notice.before(kind):
        if earlier.kind not in standing.opened or not _is_judged(earlier.kind, notice, standing):
            raise TenderRefused("STAGE_BEFORE", earlier.kind)


def check_change(notice: Notice, standing: Standing, closes_at: datetime, *, now: datetime) -> None:
    """Raises TenderRefused for a change after the first closing, or to a time that has passed."""
    check_running(standing)
    if now >= notice.stages[0].closes_at:
        raise TenderRefused("CHANGE_TOO_LATE", notice.stages[0].closes_at)
    if closes_at <= now or closes_at < notice.stages[0].closes_at:
        raise TenderRefused("CLOSING_IN_THE_PAST", closes_at)


def check_notice(notice: Notice, *, now: datetime) -> None:
    """Raises TenderRefused where weights, stages or times do not fit each other."""
    total = sum((each.weight for each in notice.criteria), Decimal(0))
    if total != HUNDRED or any(each.weight <= 0 for each in notice.criteria):
        raise TenderRefused("WEIGHTS_NOT_100", total)
    kinds = [each.kind for each in notice.stages]
    times = [each.closes_at for each in notice.stages]
    in_order = kinds == sorted(set(kinds), key=ORDER.index) and times == sorted(times)
    known = {each.stage for each in notice.criteria} <= set(kinds)
    if not in_order or not known or kinds[-1:] != [StageKind.COMMERCIAL]:
        raise TenderRefused("STAGES_OUT_OF_ORDER", ", ".join(kinds))
    if times[0] <= now or notice.questions_until > times[-1]:
        raise TenderRefused("CLOSING_IN_THE_PAST", times[0])


def check_offer(notice: Notice, offer: Offer | None) -> None:
    """Raises TenderRefused for an offer that could not be compared: the place and the value are named."""
    if offer is None or not offer.lines:
        raise TenderRefused("INVALID_BID", "lines")
    asked = keyed(notice.inquiry.lines)
    if offer.currency is None:
        raise TenderRefused("INVALID_BID", "currency")
    if offer.allowances_charges:
        raise TenderRefused("INVALID_BID", "allowances_charges")
    if len(keyed(offer.lines)) != len(offer.lines):
        raise TenderRefused("INVALID_BID", "lines")
    for number, line in keyed(offer.lines).items():
        price, quantity = line.price, line.quantity
        plain = price is not None and price.amount >= 0 and not price.formula and not line.more_prices
        if number not in asked or line.allowances_charges or not plain:
            raise TenderRefused("INVALID_BID", f"lines.{number}")
        if quantity is not None and (quantity.value <= 0 or quantity.unit != _unit(asked[number].quantity)):
            raise TenderRefused("INVALID_BID", f"lines.{number}.quantity")
    until = offer.date_of("valid_until")
    if until is None or until < notice.valid_until:
        raise TenderRefused("VALIDITY_TOO_SHORT", notice.valid_until)


def check_quantities(notice: Notice, picked: Iterable[tuple[str, Decimal]]) -> None:
    """R23: of each line no more is awarded than was asked for. Raises TenderRefused naming the line."""
    asked = keyed(notice.inquiry.lines)
    sums: dict[str, Decimal] = {}
    for line, quantity in picked:
        if line not in asked or quantity <= 0:
            raise TenderRefused("NOT_OFFERED", line)
        sums[line] = sums.get(line, Decimal(0)) + quantity
    if not sums:
        raise TenderRefused("NOTHING_AWARDED")
    for line, total in sums.items():
        wanted = asked[line].quantity
        if wanted is not None and total > wanted.value:
            raise TenderRefused("OVER_DEMAND", f"{line}: {total} > {wanted.value}")


def check_passphrase(passphrase: str, common: frozenset[str], personal: Sequence[str] = ()) -> None:
    """Raises TenderRefused for what a thief of the database would guess first."""
    folded = passphrase.casefold().strip()
    names = [each.casefold() for each in personal if len(each) >= 4]
    bare = folded
    for each in (*names, "tradehub", "tender"):
        bare = bare.replace(each, "")
    short = not PASSPHRASE_MIN <= len(passphrase) <= PASSPHRASE_MAX or len(bare) < PASSPHRASE_MIN // 2
    if short or folded in common or len(set(folded)) < 6:
        raise TenderRefused("PASSPHRASE_WEAK", PASSPHRASE_MIN)


def _is_judged(kind: StageKind, notice: Notice, standing: Standing) -> bool:
    """The last stage needs no verdicts: the award is its verdict."""
    if kind is notice.stages[-1].kind:
        return True
    return standing.bidders.get(kind, frozenset()) <= set(standing.verdicts.get(kind, {}))


def _unit(quantity: object) -> str | None:
    return getattr(quantity, "unit", None)
