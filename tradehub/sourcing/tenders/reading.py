"""What the pages show of tenders: lists, the rooms of buyer and bidder, the comparison, the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tradehub.documents import Offer, PartyId
from tradehub.platform import clock
from tradehub.platform.db import org_of
from tradehub.platform.security import Membership, User, permissions_of
from tradehub.sourcing.tenders import comparison, model, optimiser, scoring, store
from tradehub.sourcing.tenders.awarding import money
from tradehub.sourcing.tenders.comparison import Grid
from tradehub.sourcing.tenders.hooks import Hooks
from tradehub.sourcing.tenders.model import Notice, Phase, StageKind, Standing, Submission, TenderRefused, Where
from tradehub.sourcing.tenders.optimiser import Explained, Solution, Unsolved
from tradehub.sourcing.tenders.plan import Plan
from tradehub.sourcing.tenders.scoring import Mark, Ranked
from tradehub.sourcing.tenders.store import (
    AnswerRow,
    BidRow,
    InvitationRow,
    NoticeRow,
    OpenerChangeRow,
    OpenerRow,
    QuestionRow,
    TenderRow,
)

LIST_LIMIT = 200
SERVE = "tender.serve"
"""The permission to open and evaluate tenders where one is named for it."""


class NotFound(Exception):
    """No such tender, or none that the session's organisation may see."""


@dataclass(frozen=True)
class TenderLine:
    """A tender in a list. ``todo`` says what the reader may do next, in one word of ``wording.TODOS``."""

    id: str
    number: str
    title: str
    is_ours: bool
    other_name: str
    where: Where
    todo: str = ""
    moved_at: datetime | None = None


@dataclass(frozen=True)
class BuyerRoom:
    """All that the buyer may know. Before a stage is opened of its bids only the number of them."""

    row: TenderRow
    notice: Notice
    plan: Plan
    standing: Standing
    where: Where
    versions: tuple[NoticeRow, ...]
    invited: tuple[InvitationRow, ...]
    names: dict[str, str]
    counts: dict[StageKind, int]
    openers: tuple[OpenerRow, ...]
    named: tuple[OpenerRow, ...]
    """Who is to take an opener's place and has not yet."""
    opener_changes: tuple[OpenerChangeRow, ...]
    handed: dict[StageKind, tuple[str, ...]]
    questions: tuple[QuestionRow, ...]
    answers: tuple[AnswerRow, ...]
    bids: tuple[BidRow, ...]
    submissions: dict[tuple[str, str], Submission]
    scores: dict[tuple[str, str], Decimal | None]


@dataclass(frozen=True)
class BidderRoom:
    """What one bidder may know: the documents, the answers, its own questions, bids and verdicts."""

    tender_id: str
    notice: Notice
    buyer_name: str
    standing: Standing
    where: Where
    versions: tuple[NoticeRow, ...]
    invitation: InvitationRow | None
    questions: tuple[QuestionRow, ...]
    answers: tuple[AnswerRow, ...]
    opener_changes: tuple[OpenerChangeRow, ...]
    bids: tuple[BidRow, ...]
    verdicts: dict[StageKind, bool]
    takes: tuple[StageKind, ...]
    """Stages for which a bid is taken now."""

    def live(self, kind: StageKind) -> BidRow | None:
        return next((each for each in self.bids if each.stage == kind and each.state == "live"), None)

    @property
    def to_acknowledge(self) -> bool:
        return self.invitation is not None and self.invitation.acknowledged < self.notice.version


class Gap(NamedTuple):
    """``percent`` is None where the least possible might be nothing."""

    amount: Decimal
    percent: Decimal | None


@dataclass(frozen=True)
class Proposal:
    """The award that the optimiser proposes, and its reasons in money; ``failed`` where it gave no answer.

    ``gap``: by how much, and by how many percent, it costs more than the least possible at most; None where it is proven.
    """

    explained: Explained | None
    picked: dict[tuple[str, str], Decimal]
    cost: Decimal | None = None
    cheapest: Decimal | None = None
    failed: bool = False
    gap: Gap | None = None


@dataclass(frozen=True)
class Compared:
    grid: Grid
    proposal: Proposal
    ranking: tuple[Ranked, ...]
    marks: tuple[Mark, ...]


class Reading:
    """Queries; each takes a session opened for the organisation that asks."""

    hooks: Hooks

    def tenders(
        self, session: Session, user_id: str | None = None, *, text: str = "", running: bool = False
    ) -> list[TenderLine]:
        """Return one's own tenders and those one may bid in, the latest first; ``running`` leaves out what is over."""
        own = select(TenderRow).order_by(TenderRow.created_at.desc()).limit(LIST_LIMIT)
        if running:
            own = own.where(TenderRow.awarded_at.is_(None), TenderRow.cancelled_at.is_(None))
        lines = [self._own_line(session, row, user_id) for row in session.scalars(own).all()]
        lines += self._others(session, running=running)
        words = text.casefold().split()
        return [each for each in lines if all(word in f"{each.number} {each.title}".casefold() for word in words)]

    def is_ours(self, session: Session, tender_id: str) -> bool:
        return store.tender_row(session, tender_id) is not None

    def buyer_room(self, session: Session, tender_id: str) -> BuyerRoom:
        """Raises NotFound where the organisation wrote no such tender."""
        row = store.tender_row(session, tender_id)
        if row is None:
            raise NotFound(tender_id)
        versions = store.notice_rows(session, tender_id)
        notice = Notice.model_validate(versions[-1].document if versions else row.draft)
        standing, bids = self.standing(session, tender_id), store.bids(session, tender_id, live=True)
        invited = store.invitations(session, tender_id)
        suppliers = [each.supplier_id for each in invited] or row.suppliers
        submissions = {
            (each.supplier_id, each.stage): Submission.model_validate(each.document)
            for each in bids
            if each.document is not None
        }
        stages = [each.kind for each in notice.stages]
        return BuyerRoom(
            row=row, notice=notice, plan=Plan.model_validate(row.plan), standing=standing,
            where=model.where(notice, standing, now=clock.now()), versions=tuple(versions), invited=tuple(invited),
            names={each: self.hooks.name_of(session, PartyId(each)) for each in suppliers},
            counts={kind: sum(each.stage == kind for each in bids) for kind in stages},
            openers=tuple(store.openers(session, tender_id)),
            named=tuple(each for each in store.all_openers(session, tender_id) if each.state == "named"),
            opener_changes=tuple(store.opener_changes(session, tender_id)),
            handed={
                kind: tuple({each.user_id: None for each in store.shares(session, tender_id, kind) if each.handed})
                for kind in stages
            },
            questions=tuple(store.questions(session, tender_id)), answers=tuple(store.answers(session, tender_id)),
            bids=tuple(bids), submissions=submissions,
            scores={
                (supplier, kind): self.stage_score(session, tender_id, notice, StageKind(kind), supplier)
                for supplier, kind in submissions
            },
        )  # fmt: skip

    def bidder_room(self, session: Session, tender_id: str) -> BidderRoom:
        """Raises NotFound where the organisation may not bid in such a tender."""
        versions = self._notices(session, tender_id)
        me = PartyId(org_of(session) or "")
        if versions[0].buyer_id == me:
            raise NotFound(tender_id)
        notice, standing = self._latest(versions), self.standing(session, tender_id)
        now = clock.now()
        return BidderRoom(
            tender_id=tender_id, notice=notice, buyer_name=self.hooks.name_of(session, PartyId(versions[0].buyer_id)),
            standing=standing, where=model.where(notice, standing, now=now), versions=tuple(versions),
            invitation=store.invitation(session, tender_id, me), questions=tuple(store.questions(session, tender_id)),
            answers=tuple(store.answers(session, tender_id)),
            opener_changes=tuple(store.opener_changes(session, tender_id)), bids=tuple(store.bids(session, tender_id)),
            verdicts={kind: found[me] for kind, found in standing.verdicts.items() if me in found},
            takes=tuple(each.kind for each in notice.stages if _takes(notice, standing, each.kind, me, now)),
        )  # fmt: skip

    def compared(self, session: Session, room: BuyerRoom) -> Compared:
        """Return the opened offers side by side, the proposed award and the ranking."""
        offers = offers_of(room)
        found = self.grid_of(room, room.plan)
        marks = _marks(session, room.row.id)
        bidders = [each for each in room.names if each in offers]
        ranking = scoring.ranking(bidders, room.notice.criteria, marks, found.totals)
        return Compared(found, _proposal(found, room), ranking, marks)

    def grid_of(self, room: BuyerRoom, plan: Plan) -> Grid:
        """Return the opened offers side by side, compared by a plan that may be older than the one in force."""
        return comparison.grid(room.notice.inquiry, offers_of(room), plan.basis, dict(plan.limit_prices))

    def standing(self, session: Session, tender_id: str) -> Standing:
        """Return what has happened, as far as the session's organisation may know it."""
        row = store.tender_row(session, tender_id)
        notices = store.notice_rows(session, tender_id)
        ended = {notices[0].ended: notices[0].ended_at} if notices else {}
        keys = store.stage_keys(session, tender_id)
        opened = {StageKind(stage): key.opened_at for stage, key in keys.items() if key.opened_at}
        verdicts: dict[StageKind, dict[PartyId, bool]] = {}
        for each in store.verdicts(session, tender_id):
            verdicts.setdefault(StageKind(each.stage), {})[PartyId(each.supplier_id)] = each.passed
        bidders: dict[StageKind, set[PartyId]] = {}
        for bid in store.bids(session, tender_id, live=True):
            if bid.opened_at is not None:
                bidders.setdefault(StageKind(bid.stage), set()).add(PartyId(bid.supplier_id))
        people = store.openers(session, tender_id) if row is not None else []
        return Standing(
            published_at=notices[0].at if notices else None,
            cancelled_at=(row.cancelled_at if row else None) or ended.get("cancelled"),
            awarded_at=(row.awarded_at if row else None) or ended.get("awarded"),
            keys_ready=bool(people) and all(each.public_key for each in people),
            opened=opened,
            bidders={kind: frozenset(found) for kind, found in bidders.items()},
            verdicts=verdicts,
            unscored=self._unscored(session, row, notices, bidders) if row is not None else frozenset(),
        )

    def stage_score(
        self, session: Session, tender_id: str, notice: Notice, kind: StageKind, supplier: str
    ) -> Decimal | None:
        criteria = [each for each in notice.criteria_of(kind) if not each.is_price]
        return scoring.stage_score(supplier, criteria, _marks(session, tender_id))

    def marks(self, session: Session, tender_id: str, user_id: str) -> dict[tuple[str, str], tuple[str, str]]:
        """Return one evaluator's own scores and reasons by (supplier, criterion)."""
        mine = [each for each in store.marks(session, tender_id) if each.user_id == user_id]
        return {(each.bidder, each.criterion): (each.score, each.reason) for each in mine}

    def notice(self, session: Session, tender_id: str) -> tuple[Notice, str]:
        """Return the tender document in its latest version with its SHA-256. Raises NotFound."""
        rows = self._notices(session, tender_id)
        return self._latest(rows), rows[-1].sha256

    def opener_changes(self, session: Session, tender_id: str) -> list[OpenerChangeRow]:
        """Return who took whose place among those who open, the first change first."""
        return store.opener_changes(session, tender_id)

    def is_sealed(self, session: Session, deal_id: str) -> bool:
        """Return whether a deal belongs to a tender whose bids are still sealed: nothing may be offered there in
        clear."""
        found = select(InvitationRow.tender_id).where(InvitationRow.deal_id == deal_id, InvitationRow.is_sealed)
        return session.scalar(found.limit(1)) is not None

    def of_deal(self, session: Session, deal_id: str) -> tuple[str, Notice, bool] | None:
        """Return the tender that a deal belongs to, its notice, and whether its bids are still sealed; None without one."""
        row = session.scalar(select(InvitationRow).where(InvitationRow.deal_id == deal_id).limit(1))
        rows = store.notice_rows(session, row.tender_id) if row is not None else []
        return (row.tender_id, self._latest(rows), row.is_sealed) if row is not None and rows else None

    def people(self, session: Session) -> list[tuple[str, str]]:
        """Return (id, name) of one's own people who may be openers and evaluators."""
        found = (
            select(User.id, User.name, Membership.roles)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.org == org_of(session), User.disabled_at.is_(None))
            .order_by(User.name, User.id)
        )
        return [(id, name) for id, name, roles in session.execute(found) if SERVE in permissions_of(roles)]

    @staticmethod
    def _latest(notices: Sequence[NoticeRow]) -> Notice:
        return Notice.model_validate(notices[-1].document)

    def _notices(self, session: Session, tender_id: str, *, lock: bool = False) -> list[NoticeRow]:
        """Return the published versions. Raises NotFound where the session may see none, NOT_PUBLISHED to the buyer."""
        found = store.notice_rows(session, tender_id, lock=lock)
        if not found:
            if store.tender_row(session, tender_id) is not None:
                raise TenderRefused("NOT_PUBLISHED")
            raise NotFound(tender_id)
        return found

    def _unscored(
        self, session: Session, row: TenderRow, notices: Sequence[NoticeRow], bidders: dict[StageKind, set[PartyId]]
    ) -> frozenset[StageKind]:
        if not notices:
            return frozenset()
        notice, plan = self._latest(notices), Plan.model_validate(row.plan)
        given = {(each.bidder, each.criterion, each.user_id) for each in store.marks(session, row.id)}
        wanting = set()
        for kind, suppliers in bidders.items():
            wanted = {
                (supplier, criterion.key, person.user_id)
                for supplier in suppliers
                for criterion in notice.criteria_of(kind)
                for person in plan.evaluators_of(kind)
                if not criterion.is_price
            }
            if wanted - given:
                wanting.add(kind)
        return frozenset(wanting)

    def _own_line(self, session: Session, row: TenderRow, user_id: str | None) -> TenderLine:
        moved_at = row.awarded_at or row.cancelled_at or row.published_at or row.created_at
        if row.awarded_at or row.cancelled_at:
            over = Where(Phase.AWARDED if row.awarded_at else Phase.CANCELLED)
            return TenderLine(row.id, row.number, row.title, True, "", over, "", moved_at)
        versions = store.notice_rows(session, row.id)
        notice = Notice.model_validate(versions[-1].document if versions else row.draft)
        standing = self.standing(session, row.id)
        at = model.where(notice, standing, now=clock.now())
        todo = self._todo(session, row, at, user_id)
        return TenderLine(row.id, row.number, row.title, True, "", at, todo, moved_at)

    def _todo(self, session: Session, row: TenderRow, at: Where, user_id: str | None) -> str:
        """Return what this person may do next for the buyer: as an opener or evaluator only what is theirs."""
        openers = {each.user_id: each for each in store.openers(session, row.id)}
        me = openers.get(user_id or "")
        named = next((each for each in store.all_openers(session, row.id) if each.state == "named"), None)
        if named is not None and at.phase in (Phase.RUNNING, Phase.TO_OPEN, Phase.EVALUATING):
            if named.user_id == user_id and named.public_key is None:
                return "passphrase"
            if named.follows == user_id and named.public_key is not None:
                return "give_place"
        evaluators = (
            {each.user_id for each in Plan.model_validate(row.plan).evaluators_of(at.stage)} if at.stage else ()
        )
        if at.phase is Phase.PREPARING:
            return "passphrase" if me is not None and me.public_key is None else ""
        if at.phase is Phase.TO_OPEN and at.stage is not None:
            handed = {each.user_id for each in store.shares(session, row.id, at.stage) if each.handed}
            return "open" if (not openers or me is not None) and user_id not in handed else ""
        if at.phase is Phase.RUNNING and any(not each.answered_at for each in store.questions(session, row.id)):
            return "answer"
        by_phase = {Phase.READY: "publish", Phase.TO_AWARD: "award"}
        if at.phase is Phase.EVALUATING:
            return "evaluate" if user_id in evaluators else ""
        return by_phase.get(at.phase, "")

    def _others(self, session: Session, *, running: bool) -> list[TenderLine]:
        """Return the tenders of others that one may bid in, the last changed first."""
        me = org_of(session) or ""
        latest = select(NoticeRow.tender_id).where(NoticeRow.buyer_id != me).group_by(NoticeRow.tender_id)
        shown = session.scalars(latest.order_by(func.max(NoticeRow.at).desc()).limit(LIST_LIMIT)).all()
        wanted = select(NoticeRow).where(NoticeRow.tender_id.in_(shown))
        versions: dict[str, list[NoticeRow]] = {}
        for row in session.scalars(wanted.order_by(NoticeRow.at.desc(), NoticeRow.version.desc())):
            versions.setdefault(row.tender_id, []).append(row)
        found = []
        for id, rows in versions.items():
            ended = next((Phase(row.ended) for row in rows if row.ended), None)
            if ended is None or not running:
                found.append(self._other_line(session, id, rows[0], ended, PartyId(me)))
        return found

    def _other_line(self, session: Session, id: str, latest: NoticeRow, ended: Phase | None, me: PartyId) -> TenderLine:
        notice, name = Notice.model_validate(latest.document), self.hooks.name_of(session, PartyId(latest.buyer_id))
        if ended is not None:
            return TenderLine(id, notice.number, notice.title, False, name, Where(ended), "", latest.at)
        at = model.where(notice, self.standing(session, id), now=clock.now())
        invited, todo = store.invitation(session, id, me), ""
        if at.phase is Phase.RUNNING and at.stage is not None and invited is not None:
            mine = [each for each in store.bids(session, id, live=True) if each.stage == at.stage]
            todo = "acknowledge" if invited.acknowledged < notice.version else "" if mine else "bid"
        return TenderLine(id, notice.number, notice.title, False, name, _as_told(at), todo, latest.at)


def offers_of(room: BuyerRoom) -> dict[str, Offer]:
    """Return the offers of the opened commercial bids that stand in their deals, by supplier."""
    entered = {each.supplier_id for each in room.bids if each.stage == StageKind.COMMERCIAL and not each.fault}
    return {
        supplier: submission.offer
        for (supplier, stage), submission in room.submissions.items()
        if stage == StageKind.COMMERCIAL and submission.offer is not None and supplier in entered
        and StageKind.COMMERCIAL in room.standing.opened
    }  # fmt: skip


def _proposal(found: Grid, room: BuyerRoom) -> Proposal:
    question = comparison.problem(found, room.plan.award, is_divisible=room.notice.is_divisible)
    try:
        explained = optimiser.explained(question)
    except Unsolved:
        return Proposal(None, {}, failed=True)
    steps = {each.line: each.step for each in question.demands}
    awarded = explained.solution.awarded if explained.solution else ()
    return Proposal(
        explained,
        {(supplier, line): count * steps[line] for supplier, line, count in awarded},
        money(explained.solution.cost) if explained.solution else None,
        money(explained.cheapest.cost) if explained.cheapest else None,
        gap=_gap(explained.solution),
    )


def _gap(solution: Solution | None) -> Gap | None:
    if solution is None or solution.is_proven:
        return None
    return Gap(money(solution.gap), solution.gap_percent)


def _marks(session: Session, tender_id: str) -> tuple[Mark, ...]:
    return tuple(
        Mark(each.bidder, each.criterion, each.user_name, Decimal(each.score), each.reason)
        for each in store.marks(session, tender_id)
    )


def _takes(notice: Notice, standing: Standing, kind: StageKind, me: PartyId, now: datetime) -> bool:
    try:
        model.check_bid(notice, standing, kind, me, now=now)
    except TenderRefused:
        return False
    return True


def _as_told(at: Where) -> Where:
    """A bidder is told that the tender is closed and being decided, not how far the buyer is with it."""
    inside = (Phase.TO_OPEN, Phase.EVALUATING, Phase.TO_AWARD)
    return Where(Phase.EVALUATING) if at.phase in inside else at
