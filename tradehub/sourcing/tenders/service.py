"""What people do in a tender: write and publish it, ask and answer, bid, evaluate, award.

Each use case takes the caller's write session and is one transaction there, with its entry in the tender's audit chain.
TenderRefused says why not; nothing is then changed. No price is in an audit entry, in a log or in a row that is not an
envelope, before the envelope is opened (``opening``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, Offer, PartyId
from tradehub.documents.lines import keyed
from tradehub.documents.parts import DatedEvent, Note
from tradehub.partners.authority import Verdict, Wanted
from tradehub.platform import clock, ids
from tradehub.platform.db import to_json
from tradehub.platform.sealing import split
from tradehub.sourcing.tenders import landed, model, sealing, store
from tradehub.sourcing.tenders.binding import Intent, Picked, frozen, intended, overtaken
from tradehub.sourcing.tenders.hooks import Actor, Pick
from tradehub.sourcing.tenders.model import Notice, Phase, StageKind, Submission, TenderRefused
from tradehub.sourcing.tenders.opening import Opening, about_bid, packed
from tradehub.sourcing.tenders.plan import Plan
from tradehub.sourcing.tenders.reading import NotFound, Reading
from tradehub.sourcing.tenders.store import (
    AnswerRow,
    BidRow,
    InvitationRow,
    MarkRow,
    NoticeRow,
    OpenerRow,
    QuestionRow,
    ShareRow,
    StageKeyRow,
    TenderRow,
    VerdictRow,
)


@dataclass(frozen=True)
class Opener:
    user_id: str
    name: str


@dataclass(frozen=True)
class TenderDraft:
    """A tender as written. ``notice`` has no number yet; ``openers`` are two, or three with a deputy; none without
    seals."""

    notice: Notice
    plan: Plan
    suppliers: Sequence[PartyId]
    openers: Sequence[Opener] = ()


@dataclass(frozen=True)
class Receipt:
    """What a bidder takes home. ``fingerprint`` binds the contents, ``envelope_sha256`` is that of the sealed bytes."""

    number: int
    stage: StageKind
    at: datetime
    fingerprint: str
    envelope_sha256: str | None


class TenderService(Opening, Reading):
    """The capability: its commands here, keys and envelopes in ``opening``, queries in ``reading``."""

    # The buyer writes

    def create(self, session: Session, actor: Actor, draft: TenderDraft, *, request_key: str | None = None) -> str:
        """Write a tender down and return its id; nobody is told of it yet. The same ``request_key`` gives the first."""
        if request_key is not None:
            known = session.scalar(select(TenderRow.id).where(TenderRow.request_key == request_key))
            if known is not None:
                return known
        now = clock.now()
        model.check_notice(draft.notice, now=now)
        people = list({each.user_id: each for each in draft.openers}.values())
        if draft.notice.is_sealed and len(people) not in (2, 3):
            raise TenderRefused("OPENERS_NOT_TWO", len(people))
        number = f"T-{now.year}-{store.next_number(session, actor.party):04d}"
        notice = draft.notice.model_copy(update={"number": number})
        row = TenderRow(
            id=ids.new_id(), buyer_id=actor.party, number=number, title=notice.title,
            draft=notice.model_dump(mode="json"), plan=draft.plan.model_dump(mode="json"),
            suppliers=[str(each) for each in dict.fromkeys(draft.suppliers)], request_key=request_key,
            created_by=actor.user_id, created_at=now, plan_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        for place, person in enumerate(people if notice.is_sealed else (), 1):
            session.add(
                OpenerRow(
                    tender_id=row.id,
                    buyer_id=actor.party,
                    user_id=person.user_id,
                    name=person.name,
                    place=place,
                    tries=0,
                )
            )
        self._note(session, row.id, actor.party, actor, "tender.created", {"openers": [p.user_id for p in people]})
        return row.id

    def publish(self, session: Session, actor: Actor, tender_id: str) -> str:
        """Make the stages' keys, invite the suppliers, and return the inquiry's id. The notice can now only be added
        to."""
        row = self._tender(session, tender_id)
        if row.published_at is not None:
            raise TenderRefused("PUBLISHED", row.published_at)
        notice, now = Notice.model_validate(row.draft), clock.now()
        model.check_notice(notice, now=now)
        row.inquiry_id = self.hooks.send_inquiry(
            session, actor, _letter(notice), [PartyId(each) for each in row.suppliers],
            note=Plan.model_validate(row.plan).note, request_key=f"tender:{row.id}",
        )  # fmt: skip
        row.published_at = now
        self._make_keys(session, row, notice, now)
        self._add_notice(session, row, notice, now)
        for each in row.suppliers:
            supplier = PartyId(each)
            deal = self.hooks.deal_with(session, actor, row.inquiry_id, supplier)
            session.add(_invitation(row.id, row.buyer_id, supplier, deal, notice, now))
        session.flush()
        self._note(session, row.id, row.buyer_id, actor, "tender.published", {"inquiry": row.inquiry_id})
        return row.inquiry_id

    def amend(self, session: Session, actor: Actor, tender_id: str, change: str, closes_at: datetime) -> int:
        """Publish an addendum, which every bidder acknowledges before it bids, and return its version.

        ``closes_at`` is the first closing, which may only move back; all later times move by as much.
        """
        row = self._tender(session, tender_id)
        notices = store.notice_rows(session, tender_id, lock=True)
        notice, now = self._latest(notices), clock.now()
        model.check_change(notice, self.standing(session, tender_id), closes_at, now=now)
        by = closes_at - notice.stages[0].closes_at
        stages = tuple(each.model_copy(update={"closes_at": each.closes_at + by}) for each in notice.stages)
        moved = {
            "version": notice.version + 1, "change": change.strip(), "stages": stages,
            "questions_until": notice.questions_until + by, "valid_until": notice.valid_until + by,
        }  # fmt: skip
        amended = notice.model_copy(update=moved)
        self._add_notice(session, row, amended, now)
        self._note(session, row.id, row.buyer_id, actor, "tender.amended", {"version": amended.version})
        return amended.version

    def cancel(self, session: Session, actor: Actor, tender_id: str) -> None:
        """End the tender without an award. Envelopes that are still sealed stay so for good."""
        row = self._tender(session, tender_id)
        if row.awarded_at or row.cancelled_at:
            raise TenderRefused("AWARDED" if row.awarded_at else "CANCELLED", row.awarded_at or row.cancelled_at)
        row.cancelled_at = clock.now()
        self._end(session, tender_id, "cancelled", row.cancelled_at)
        self._note(session, row.id, row.buyer_id, actor, "tender.cancelled", {})

    def set_plan(self, session: Session, actor: Actor, tender_id: str, plan: Plan) -> None:
        """State what offers are compared by and how the award is limited. The page says when this was last done."""
        row = self._tender(session, tender_id)
        if row.awarded_at:
            raise TenderRefused("AWARDED", row.awarded_at)
        row.plan, row.plan_at = plan.model_dump(mode="json"), clock.now()
        digest = sha256(to_json(row.plan).encode()).hexdigest()
        self._note(session, row.id, row.buyer_id, actor, "tender.planned", {"sha256": digest})

    # Questions

    def ask(self, session: Session, actor: Actor, tender_id: str, text: str) -> str:
        notices = self._notices(session, tender_id)
        notice, now = self._latest(notices), clock.now()
        model.check_question(notice, self.standing(session, tender_id), now=now)
        self._joined(session, actor, tender_id, notices, now)
        row = QuestionRow(
            id=ids.new_id(), tender_id=tender_id, buyer_id=notices[0].buyer_id, supplier_id=actor.party,
            text=text.strip(), at=now,
        )  # fmt: skip
        session.add(row)
        self._note(session, tender_id, notices[0].buyer_id, actor, "tender.asked", {"question": row.id})
        return row.id

    def answer(
        self, session: Session, actor: Actor, tender_id: str, question_id: str, question: str, answer: str
    ) -> str:
        """Answer to all bidders. ``question`` is the wording that they read, free of what tells who asked."""
        self._tender(session, tender_id)
        asked = session.scalar(
            select(QuestionRow).where(QuestionRow.id == question_id, QuestionRow.tender_id == tender_id)
        )
        notices = self._notices(session, tender_id)
        if asked is None:
            raise NotFound(question_id)
        asked.answered_at = clock.now()
        row = AnswerRow(
            id=ids.new_id(), tender_id=tender_id, buyer_id=actor.party, is_open=notices[0].is_open,
            question=question.strip(), answer=answer.strip(), at=asked.answered_at,
        )  # fmt: skip
        session.add(row)
        self._note(session, tender_id, actor.party, actor, "tender.answered", {"answer": row.id})
        return row.id

    # Bidders

    def acknowledge(self, session: Session, actor: Actor, tender_id: str, version: int) -> None:
        """The bidder has read the tender document up to this version."""
        notices = self._notices(session, tender_id)
        notice, now = self._latest(notices), clock.now()
        row = self._joined(session, actor, tender_id, notices, now)
        row.acknowledged = max(row.acknowledged, min(version, notice.version))
        self._note(session, tender_id, notices[0].buyer_id, actor, "tender.acknowledged", {"version": version})

    def bid(self, session: Session, actor: Actor, tender_id: str, kind: StageKind, submission: Submission) -> Receipt:
        """Take an envelope, in place of the bidder's earlier one for this stage, and return the receipt."""
        notices = self._notices(session, tender_id, lock=True)
        notice, buyer, now = self._latest(notices), notices[0].buyer_id, clock.now()
        invited = self._joined(session, actor, tender_id, notices, now)
        if invited.acknowledged < notice.version:
            raise TenderRefused("NOT_ACKNOWLEDGED", notice.version)
        model.check_bid(notice, self.standing(session, tender_id), kind, actor.party, now=now)
        earlier = [
            each for each in store.bids(session, tender_id) if each.supplier_id == actor.party and each.stage == kind
        ]
        number = 1 + max((each.number for each in earlier), default=0)
        if actor.message_id is None and submission.offer is not None:
            submission = submission.model_copy(update={"offer": submission.offer.model_copy(update={"number": None})})
        submission = _checked(notice, kind, submission, number, now)
        for each in earlier:
            if each.state == "live":
                each.state, each.ended_at = "replaced", now
        row = BidRow(
            id=ids.new_id(), tender_id=tender_id, buyer_id=buyer, supplier_id=actor.party, stage=str(kind),
            number=number, state="live", at=now, user_id=actor.user_id, user_name=actor.name, channel=actor.channel,
            message_id=actor.message_id, version=notice.version,
        )  # fmt: skip
        self._into_envelope(session, row, submission, is_sealed=notice.is_sealed)
        session.add(row)
        details = {"stage": str(kind), "number": number, "fingerprint": row.fingerprint, "by": str(actor.party)}
        self._note(session, tender_id, buyer, actor, "tender.bid", details)
        return _receipt(row)

    def withdraw(self, session: Session, actor: Actor, tender_id: str, kind: StageKind) -> None:
        """Take the envelope back before the closing time. It is never opened."""
        notices = self._notices(session, tender_id, lock=True)
        notice, now = self._latest(notices), clock.now()
        model.check_bid(notice, self.standing(session, tender_id), kind, actor.party, now=now)
        live = [
            each
            for each in store.bids(session, tender_id, live=True)
            if each.supplier_id == actor.party and each.stage == kind
        ]
        if not live:
            raise TenderRefused("NO_BID", kind)
        for each in live:
            each.state, each.ended_at = "withdrawn", now
        details = {"stage": str(kind), "number": live[0].number, "by": str(actor.party)}
        self._note(session, tender_id, notices[0].buyer_id, actor, "tender.withdrawn", details)

    def _into_envelope(self, session: Session, row: BidRow, submission: Submission, *, is_sealed: bool) -> None:
        contents, salt = packed(submission), self.entropy(sealing.SALT_SIZE)
        row.fingerprint = sealing.fingerprint(contents, salt)
        if not is_sealed:
            row.document, row.salt = submission.model_dump(mode="json"), salt.hex()
            return
        key = store.stage_keys(session, row.tender_id)[row.stage]
        envelope = sealing.seal(salt + contents, bytes.fromhex(key.public_key), about_bid(row), self.entropy)
        row.sealed, row.envelope_sha256 = envelope.hex(), sha256(envelope).hexdigest()

    # Evaluation and award

    def score(
        self, session: Session, actor: Actor, tender_id: str, kind: StageKind, scores: Mapping[tuple[str, str], Decimal],
        reasons: Mapping[tuple[str, str], str],
    ) -> None:  # fmt: skip
        """Give scores of 0 to 100, by (supplier, criterion), as one of the stage's named evaluators."""
        row = self._tender(session, tender_id)
        notice, plan = self._evaluated(session, row, kind), Plan.model_validate(row.plan)
        if actor.user_id not in {each.user_id for each in plan.evaluators_of(kind)}:
            raise TenderRefused("NOT_AN_EVALUATOR", kind)
        bidders = self.standing(session, tender_id).bidders.get(kind, frozenset())
        keys = {each.key for each in notice.criteria_of(kind) if not each.is_price}
        for (supplier, criterion), score in scores.items():
            if supplier not in bidders or criterion not in keys:
                raise NotFound(f"{supplier} {criterion}")
            if not 0 <= score <= model.HUNDRED:
                raise TenderRefused("SCORE_OUT_OF_RANGE", score)
            mark = session.get(MarkRow, (tender_id, supplier, criterion, actor.user_id)) or MarkRow(
                tender_id=tender_id, buyer_id=row.buyer_id, bidder=supplier, criterion=criterion,
                user_id=actor.user_id or "", user_name=actor.name or "",
            )  # fmt: skip
            mark.score, mark.at = f"{score:f}", clock.now()
            mark.reason = reasons.get((supplier, criterion), "").strip()
            session.add(mark)
        session.flush()
        told = {f"{supplier} {criterion}": f"{score:f}" for (supplier, criterion), score in scores.items()}
        self._note(session, tender_id, row.buyer_id, actor, "tender.scored", told)

    def judge(
        self, session: Session, actor: Actor, tender_id: str, kind: StageKind, passed: Mapping[PartyId, bool]
    ) -> None:
        """Say who passes a stage. Where it has a pass mark, the scores decide and are only confirmed here."""
        row = self._tender(session, tender_id)
        notice, plan = self._evaluated(session, row, kind), Plan.model_validate(row.plan)
        if actor.user_id not in {each.user_id for each in plan.evaluators_of(kind)}:
            raise TenderRefused("NOT_AN_EVALUATOR", kind)
        standing = self.standing(session, tender_id)
        if kind in standing.unscored or standing.bidders.get(kind, frozenset()) != set(passed):
            raise TenderRefused("STAGE_BEFORE", kind)
        if any(
            each.kind in standing.opened for each in notice.stages if notice.stage(kind) in notice.before(each.kind)
        ):
            raise TenderRefused("OPENED", kind)
        mark = notice.stage(kind).pass_mark
        for supplier, verdict in passed.items():
            score = self.stage_score(session, tender_id, notice, kind, supplier)
            if mark is not None and score is not None and verdict != (score >= mark):
                raise TenderRefused("BELOW_PASS_MARK", f"{supplier}: {score} / {mark}")
            known = session.get(VerdictRow, (tender_id, supplier, str(kind))) or VerdictRow(
                tender_id=tender_id, buyer_id=row.buyer_id, supplier_id=supplier, stage=str(kind)
            )
            known.passed, known.by, known.at = verdict, actor.user_id, clock.now()
            session.add(known)
        session.flush()
        told = {str(supplier): verdict for supplier, verdict in passed.items()}
        self._note(session, tender_id, row.buyer_id, actor, "tender.judged", {"stage": str(kind), **told})

    def award(self, session: Session, actor: Actor, tender_id: str, picked: Picked) -> None:
        """Award quantities by (supplier, line): each supplier's share is accepted in its deal, the others are declined.

        Per line no more than the demand (R23), and of each bid no more than it offers. Raises Unauthorised where the buyer
        does not allow the actor as much.
        """
        row, picks = self._to_award(session, tender_id, picked, lock=True)
        self.hooks.award(session, actor, row.inquiry_id or "", picks)
        row.awarded_at = clock.now()
        row.award = {
            str(each.supplier): {line: f"{quantity:f}" for line, quantity in each.lines.items()} for each in picks
        }
        self._end(session, tender_id, "awarded", row.awarded_at)
        self._note(session, tender_id, row.buyer_id, actor, "tender.awarded", row.award)

    def may_award(self, session: Session, actor: Actor, tender_id: str, picked: Picked) -> Verdict:
        """Return whether the actor may award so much alone. Raises TenderRefused where it could not be awarded now."""
        row, picks = self._to_award(session, tender_id, picked)
        return self.hooks.authorise(session, actor, self.hooks.bound(session, actor, row.inquiry_id or "", picks))

    def to_approve(
        self, session: Session, actor: Actor, tender_id: str, picked: Picked, *, proposed: Decimal | None
    ) -> Wanted:
        """Return an award as it is frozen for those who may approve it, beside the cost of the ``proposed`` one.

        Raises TenderRefused where it could not be made now.
        """
        row, picks = self._to_award(session, tender_id, picked, lock=True)
        room = self.buyer_room(session, tender_id)
        binding = self.hooks.bound(session, actor, row.inquiry_id or "", picks)
        names = ", ".join(room.names[each.supplier] for each in picks)
        intent = Intent(tender_id, picked, room.plan, proposed)
        return frozen(binding, intent, title=f"{row.number} · {row.title}", suppliers=names)

    def carry_out(self, session: Session, actor: Actor, wanted: Wanted) -> None:
        """Make the award that was approved. Raises Overtaken, by the rule that refuses it, where it can be no more."""
        intent = intended(wanted)
        try:
            self.award(session, actor, intent.tender_id, intent.picked)
        except TenderRefused as refused:
            raise overtaken(refused) from refused

    def _to_award(
        self, session: Session, tender_id: str, picked: Picked, *, lock: bool = False
    ) -> tuple[TenderRow, list[Pick]]:
        """Return the tender with what is picked of each deal. Raises TenderRefused where it may not be awarded so."""
        row = self._tender(session, tender_id) if lock else store.tender_row(session, tender_id)
        if row is None:
            raise NotFound(tender_id)
        notice = self._latest(self._notices(session, tender_id, lock=lock))
        at = model.where(notice, self.standing(session, tender_id), now=clock.now())
        if at.phase is not Phase.TO_AWARD or row.inquiry_id is None:
            code = {Phase.AWARDED: "AWARDED", Phase.CANCELLED: "CANCELLED"}.get(at.phase, "NOT_OPENED")
            raise TenderRefused(code, at.phase)
        model.check_quantities(notice, [(line, quantity) for (_, line), quantity in picked.items()])
        return row, self._picks(session, tender_id, notice, picked)

    def _picks(self, session: Session, tender_id: str, notice: Notice, picked: Picked) -> list[Pick]:
        bids = {
            each.supplier_id: each
            for each in store.bids(session, tender_id, live=True)
            if each.stage == StageKind.COMMERCIAL and each.document is not None
        }
        deals = {each.supplier_id: each.deal_id for each in store.invitations(session, tender_id)}
        asked = {line.number or "": line for line in notice.lines}
        picks = []
        for supplier in dict.fromkeys(name for name, _ in picked):
            bid, deal = bids.get(supplier), deals.get(supplier)
            if bid is None or deal is None or bid.offer_id is None:
                raise TenderRefused("NOT_OFFERED", supplier)
            offer = Submission.model_validate(bid.document).offer or Offer()
            lines = {line: quantity for (name, line), quantity in picked.items() if name == supplier}
            for line, quantity in lines.items():
                least, most = landed.offered_quantities(offer, asked[line])
                if not least <= quantity <= most or not most:
                    raise TenderRefused("NOT_OFFERED", f"{supplier}, {line}: {least} – {most}")
            whole = {each.number or "": each.quantity.value if each.quantity else None for each in offer.lines}
            picks.append(Pick(supplier, deal, bid.offer_id, lines, is_whole=lines == whole))
        return picks

    # Common

    def _evaluated(self, session: Session, row: TenderRow, kind: StageKind) -> Notice:
        if row.awarded_at or row.cancelled_at:
            raise TenderRefused("AWARDED" if row.awarded_at else "CANCELLED", row.awarded_at or row.cancelled_at)
        notice = self._latest(self._notices(session, row.id))
        notice.stage(kind)
        if kind not in self.standing(session, row.id).opened:
            raise TenderRefused("NOT_OPENED", kind)
        return notice

    def _joined(
        self, session: Session, actor: Actor, tender_id: str, notices: Sequence[NoticeRow], now: datetime
    ) -> InvitationRow:
        """Return the bidder's invitation; whoever comes to an open tender is invited by coming. Raises NOT_INVITED."""
        known = store.invitation(session, tender_id, actor.party)
        if known is not None:
            return known
        notice = self._latest(notices)
        if not notice.is_open or actor.party == notices[0].buyer_id:
            raise TenderRefused("NOT_INVITED")
        row = _invitation(tender_id, notices[0].buyer_id, actor.party, None, notice, now)
        row.acknowledged = notice.version  # it read the latest document when it came
        session.add(row)
        session.flush()
        return row

    def _make_keys(self, session: Session, row: TenderRow, notice: Notice, now: datetime) -> None:
        """Make each stage's key pair, seal its halves to the openers, and forget the private key."""
        people = store.openers(session, row.id)
        if notice.is_sealed and not all(each.public_key for each in people):
            raise TenderRefused("KEYS_MISSING", ", ".join(each.name for each in people if not each.public_key))
        for stage in notice.stages:
            private = self.entropy(sealing.KEY_SIZE) if notice.is_sealed else b""
            session.add(
                StageKeyRow(
                    id=ids.new_id(),
                    tender_id=row.id,
                    buyer_id=row.buyer_id,
                    is_open=notice.is_open,
                    stage=str(stage.kind),
                    at=now,
                    public_key=sealing.public_of(private).hex() if private else "",
                )
            )
            session.add_all(self._shares(row, stage.kind, private, people) if private else ())

    def _shares(self, row: TenderRow, kind: StageKind, private: bytes, people: Sequence[OpenerRow]) -> list[ShareRow]:
        """Halves for each pair: any two of three open, and no half of one pair fits one of another."""
        found = []
        for at, one in enumerate(people):
            for other in people[at + 1 :]:
                halves = split(private, 2, self.entropy)
                for (holder, partner), half in zip(((one, other), (other, one)), halves, strict=True):
                    about = self.about_share(row.id, kind, holder.user_id, partner.user_id)
                    sealed = sealing.seal(half, bytes.fromhex(holder.public_key or ""), about, self.entropy)
                    found.append(
                        ShareRow(
                            tender_id=row.id,
                            stage=str(kind),
                            user_id=holder.user_id,
                            other_id=partner.user_id,
                            buyer_id=row.buyer_id,
                            sealed=sealed.hex(),
                        )
                    )
        return found

    def _add_notice(self, session: Session, row: TenderRow, notice: Notice, now: datetime) -> None:
        document = notice.model_dump(mode="json")
        session.add(
            NoticeRow(
                id=ids.new_id(),
                tender_id=row.id,
                buyer_id=row.buyer_id,
                is_open=notice.is_open,
                version=notice.version,
                document=document,
                sha256=sha256(to_json(document).encode()).hexdigest(),
                at=now,
            )
        )
        session.flush()

    def _end(self, session: Session, tender_id: str, how: str, at: datetime) -> None:
        for each in store.notice_rows(session, tender_id)[:1]:
            each.ended, each.ended_at = how, at
        for invited in store.invitations(session, tender_id):
            invited.is_sealed = False


def _checked(notice: Notice, kind: StageKind, submission: Submission, number: int, now: datetime) -> Submission:
    """Return the submission as it goes into the envelope: a commercial one holds a numbered offer, no other does."""
    if kind is not StageKind.COMMERCIAL:
        if submission.offer is not None:
            raise TenderRefused("INVALID_BID", "offer")
        known = {each.key for each in notice.criteria_of(kind)}
        if not {key for key, _ in submission.answers} <= known:
            raise TenderRefused("INVALID_BID", "answers")
        return submission
    model.check_offer(notice, submission.offer)
    asked = {line.number: line for line in notice.lines}
    offer = submission.offer or Offer()
    lines = tuple(
        line.model_copy(
            update={"number": name, "quantity": line.quantity or asked[name].quantity, "item": asked[name].item}
        )
        for name, line in keyed(offer.lines).items()
    )
    own = offer.number or f"{notice.number}-B{number}"
    head = {"number": own, "action": "original", "issued_on": offer.issued_on or now.date(), "lines": lines}
    return submission.model_copy(update={"offer": offer.model_copy(update=head)})


def _letter(notice: Notice) -> Inquiry:
    """Return the inquiry that the suppliers get: its lines, the closing day as the day for offers, and how to bid."""
    dates = tuple(each for each in notice.inquiry.dates if each.type != "respond_by")
    closing = DatedEvent(type="respond_by", on=notice.closes_at.date())
    closes = notice.closes_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    how = f"Tender {notice.number}: bids are sealed and taken on its page, by API or by message until {closes}."
    notes = (*notice.inquiry.notes, Note(text=how)) if notice.is_sealed else notice.inquiry.notes
    return notice.inquiry.model_copy(update={"dates": (*dates, closing), "notes": notes})


def _invitation(
    tender_id: str, buyer: str, supplier: PartyId, deal: str | None, notice: Notice, now: datetime
) -> InvitationRow:
    return InvitationRow(
        tender_id=tender_id, buyer_id=buyer, supplier_id=supplier, deal_id=deal, at=now, acknowledged=1,
        is_sealed=notice.is_sealed,
    )  # fmt: skip


def _receipt(row: BidRow) -> Receipt:
    return Receipt(row.number, StageKind(row.stage), row.at, row.fingerprint, row.envelope_sha256)
