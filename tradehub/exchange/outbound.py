"""What goes out: written, judged by our own reader, numbered, kept, and only then sent.

``send`` is the job of the outbox: one transaction makes the message. ``transmit`` carries its bytes, the same on every
try. A message that our own reader would refuse does not leave; neither does one that nobody agreed to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from tradehub.documents import (
    ApplicationResponse,
    Document,
    Judgement,
)
from tradehub.documents.parts import PartyId, Reference
from tradehub.exchange import answers
from tradehub.exchange.codec import Codec, Finding, Frame, Reading, Verdict, Written
from tradehub.exchange.model import Acknowledgement, Delivery, Direction, Reason, Validation, next_try
from tradehub.exchange.store import DeliveryAttemptRow, IssueRow, MessageRow, log_stage, next_number
from tradehub.exchange.transport import Envelope, Transport, TransportError
from tradehub.exchange.trial import Names, Plan, Trial, tried
from tradehub.partners.handling import Refusal
from tradehub.partners.model import Agreement, NoAgreement, agree
from tradehub.partners.profile import Channel, HttpChannel, Identity, Retry
from tradehub.partners.service import PartnerService
from tradehub.platform import clock, ids
from tradehub.platform.files import PayloadStore
from tradehub.platform.jobs import JobContext, Jobs, RetryLater
from tradehub.platform.outbox import SEND, OutboxRow

TRANSMIT = "exchange.transmit"
TRIED_LINES_MAX = 100
"""Lines of a document whose message is tried out while a transaction is open: writing and reading it takes up to a sixth of a
second, and nobody else may write to an embedded database meanwhile."""

OpenChannel = Callable[[str, Channel], Transport]
"""Return the transport of a channel, by its id and profile entry. Raises TransportError."""

OnReached = Callable[[Session, str, datetime], None]
"""Told, in the transaction that learns of it, that the document under this idempotency key has reached its receiver.

The same shape tells that it has failed: it could not leave, was not delivered, or the receiver's system rejected it.
"""


def nobody(session: Session, key: str, at: datetime) -> None:
    """Tell nobody."""


Explain = Callable[[str, str], str]
"""Return a capability's refusal, by its code, as a sentence that a message of a standard can hold."""


def unexplained(code: str, standard: str) -> str:
    """Say nothing beyond the code."""
    return ""


class Outbound:
    def __init__(
        self,
        *,
        payloads: PayloadStore,
        jobs: Jobs,
        partners: PartnerService,
        codec: Codec,
        open_channel: OpenChannel,
        on_reached: OnReached,
        on_failed: OnReached = nobody,
        explain: Explain = unexplained,
    ) -> None:
        self.explain = explain
        self.payloads = payloads
        self.jobs = jobs
        self.partners = partners
        self.codec = codec
        self.open_channel = open_channel
        self.on_reached = on_reached
        self.on_failed = on_failed

    # a document becomes a message

    def send(self, ctx: JobContext, outbox_id: str) -> None:
        """Make the message of an outbox row, and the job that carries it. A party on our own pages needs none.

        It is tried out before the transaction, so that judging a long message holds up no other writer.
        """
        with ctx.read() as session:
            planned = self._plan(session, session.get_one(OutboxRow, outbox_id))
        trial = None if planned is None else tried(self.codec, planned)
        with ctx.write() as session:
            waiting = session.get_one(OutboxRow, outbox_id, with_for_update=True)
            if waiting.closed_at is not None:
                return
            known = self.partners.party(session, waiting.recipient)
            if known is not None and known.is_web:
                waiting.closed_at, waiting.outcome = clock.now(), "web"
                return
            row = self._new_row(session, waiting)
            try:
                agreement = self._agreement(session, waiting)
            except NoAgreement as missing:
                self._stop(session, row, Reason(missing.rule), waiting.kind)
                return
            row.agreement_id, row.agreement_revision = agreement.id, agreement.revision
            row.channel = agreement.channel
            row.standard, row.type, row.release = agreement.message.split(":")
            plan = self._plan(session, waiting)
            if plan is None:
                text = "one of the two has no name in this standard's envelope"
                self._stop(session, row, Reason.CANNOT_BE_WRITTEN, text)
                return
            if trial is None or not trial.plan.is_like(plan):  # the profile changed meanwhile
                trial = tried(self.codec, plan)
            self._write(session, row, trial)

    def try_out(self, session: Session, document: Document, *, sender: PartyId, to: PartyId) -> Trial | None:
        """Try out the message that a document would leave as now, in the caller's transaction.

        None where there is nothing to try: its receiver uses our own pages, nobody agreed on a message, or the document is
        too long for others to wait for, and is tried by ``send`` alone. What an inquiry says to many is tried once for
        each message and guide.
        """
        known = self.partners.party(session, to)
        if (known is not None and known.is_web) or len(getattr(document, "lines", ())) > TRIED_LINES_MAX:
            return None
        stated = document.model_dump(mode="json")
        planned = self._plan(session, OutboxRow(sender=sender, recipient=to, kind=document.kind, document=stated))
        if planned is None:
            return None
        guide = planned.guide.model_dump_json() if planned.guide is not None else None
        key = (planned.agreement.message, guide, document.model_dump_json(exclude={"parties"}))
        trials: dict[tuple[str, str | None, str], Trial] = session.info.setdefault(Trial, {})
        if key not in trials:
            trials[key] = tried(self.codec, planned)
        return trials[key]

    def _plan(self, session: Session, waiting: OutboxRow) -> Plan | None:
        """Return all that a message is made of; None where nobody agreed on it, or one of the two has no name in it."""
        try:
            agreement = self._agreement(session, waiting)
        except NoAgreement:
            return None
        standard = agreement.message.partition(":")[0]
        names = self._names(session, waiting.sender, waiting.recipient, standard)
        if names is None:
            return None
        frame = self._frame(session, waiting.sender, waiting.recipient, names, Numbers(1, 1, 1))
        guide = self.partners.guides(session, waiting.recipient, "out").get(agreement.message)
        return Plan(waiting.restored(), agreement, names, frame, guide)

    def _new_row(self, session: Session, waiting: OutboxRow) -> MessageRow:
        row = MessageRow(
            id=ids.new_id(), owner=waiting.sender, direction=Direction.OUT, partner=waiting.recipient, channel="",
            created_at=clock.now(), kind=waiting.kind, outbox_id=waiting.id, deal=waiting.subject,
            reference=waiting.document.get("number"), document=waiting.document, validation=Validation.PENDING,
            delivery=Delivery.PENDING, acknowledgement=Acknowledgement.NONE, size=0,
        )  # fmt: skip
        session.add(row)
        session.flush()
        log_stage(session, row, "made")
        return row

    def _agreement(self, session: Session, waiting: OutboxRow) -> Agreement:
        return agree(
            self.partners.agreements(session, waiting.recipient),
            sender=PartyId(waiting.sender),
            receiver=PartyId(waiting.recipient),
            document=waiting.kind,
            on=clock.now().date(),
            of_change=waiting.kind == "order_response" and _answers_change(waiting),
        )

    def _write(self, session: Session, row: MessageRow, trial: Trial) -> None:
        """Make the message that was tried out, under numbers of its own, or say why it does not leave."""
        plan, agreement = trial.plan, trial.plan.agreement
        if trial.reason is not None:
            if trial.payload is not None:
                row.payload_sha256, row.size = self.payloads.put(trial.payload), len(trial.payload)
            self._stop(session, row, trial.reason, trial.text, trial.findings)
            return
        numbers = self._take_numbers(session, row, plan.names)
        frame = plan.frame.under(numbers.interchange, numbers.group, numbers.message, at=clock.now())
        final = self.codec.write(agreement.message, trial.written or plan.document, frame, plan.guide)
        row.validation = Validation.WARNED if trial.findings else Validation.ACCEPTED
        row.validated_at = clock.now()
        keep_findings(session, row, trial.findings)
        if agreement.ack.expect is not None:
            row.acknowledgement = Acknowledgement.EXPECTED
            if agreement.ack.on_missing == "task":
                row.ack_deadline = clock.now() + agreement.ack.within
        self._put(session, row, final, plan.names)

    def _put(self, session: Session, row: MessageRow, written: Written, names: Names) -> None:
        """Keep the bytes and let the job carry them, when the caller's transaction is committed."""
        row.payload_sha256, row.size = self.payloads.put(written.payload), len(written.payload)
        row.sender_id, row.receiver_id = _spelt(names.sender), _spelt(names.receiver)
        row.control_number, row.group_number = written.control_number, written.group_number
        row.message_number = written.message_number
        row.file_name = f"{row.type}-{written.control_number or row.reference or 0}-{row.id[-6:]}{written.suffix}"
        row.file_name = "".join(each if each.isalnum() or each in "-._" else "_" for each in row.file_name)
        log_stage(session, row, "written", row.message)
        self.jobs.enqueue_in_tx(session, TRANSMIT, row.id, id=f"transmit:{row.id}")

    def _stop(
        self, session: Session, row: MessageRow, reason: Reason, text: str | None, findings: tuple[Finding, ...] = ()
    ) -> None:
        """Keep the message from leaving, and show why."""
        row.validation, row.validation_reason, row.validated_at = Validation.REJECTED, reason, clock.now()
        row.reason_text, row.delivery = text, Delivery.NONE
        keep_findings(session, row, findings)
        log_stage(session, row, "rejected", reason)
        self._close_outbox(session, row, reason)
        self._tell(session, row, self.on_failed)

    def _close_outbox(self, session: Session, row: MessageRow, outcome: str) -> None:
        waiting = session.get(OutboxRow, row.outbox_id) if row.outbox_id else None
        if waiting is not None:
            waiting.closed_at, waiting.outcome = clock.now(), outcome

    def withdraw(self, session: Session, key: str) -> bool:
        """Keep what waits under an idempotency key from leaving, and say whether that could be done.

        It cannot once its bytes may be under way: the other side then has to be told.
        """
        same = select(OutboxRow).where(OutboxRow.idempotency_key == key).with_for_update()
        waiting = session.scalar(same.execution_options(populate_existing=True))
        if waiting is None or waiting.closed_at is not None:
            return False
        made = select(MessageRow).where(MessageRow.outbox_id == waiting.id).order_by(MessageRow.id.desc())
        row = session.scalar(made.limit(1).with_for_update().execution_options(populate_existing=True))
        if row is not None and (row.attempts or row.delivery != Delivery.PENDING):
            return False
        row = row or self._new_row(session, waiting)
        row.delivery, row.delivery_reason = Delivery.NONE, Reason.WITHDRAWN
        row.acknowledgement, row.ack_deadline = Acknowledgement.NONE, None
        if row.validation == Validation.PENDING:
            row.validation, row.validated_at = Validation.ACCEPTED, clock.now()
        waiting.closed_at, waiting.outcome = clock.now(), Reason.WITHDRAWN
        log_stage(session, row, "withdrawn")
        return True

    def first_attempt(self, session: Session, key: str) -> datetime | None:
        """Return when what left under a key was first handed to its transport; None where it never was."""
        return session.scalar(
            select(func.min(DeliveryAttemptRow.at))
            .join(MessageRow, MessageRow.id == DeliveryAttemptRow.message_id)
            .join(OutboxRow, OutboxRow.id == MessageRow.outbox_id)
            .where(OutboxRow.idempotency_key == key)
        )

    def reopen(self, session: Session, row: MessageRow) -> None:
        """Let the document of a message that did not leave be made into a message again."""
        waiting = session.get_one(OutboxRow, row.outbox_id)
        waiting.closed_at, waiting.outcome = None, None
        self.jobs.enqueue_in_tx(session, SEND, waiting.id, id=f"send:{waiting.id}:{ids.new_id()}")

    # envelopes

    def _names(self, session: Session, owner: str, partner: str, standard: str) -> Names | None:
        scheme = answers.IDENTITY_OF[standard]
        ours = self.partners.identity(session, owner, scheme)
        theirs = self.partners.identity(session, partner, scheme)
        return Names(ours, theirs) if ours and theirs else None

    def _take_numbers(self, session: Session, row: MessageRow, names: Names) -> Numbers:
        """Take the next control numbers; they are used up only with the message itself."""

        def take(level: str) -> int:
            return next_number(
                session, owner=row.owner, sender=_spelt(names.sender), receiver=_spelt(names.receiver),
                standard=str(row.standard), level=level,
            )  # fmt: skip

        if row.standard == "ubl":
            return Numbers(1, 1, take("document") if row.answers else 1)
        if row.standard == "x12":
            return Numbers(take("interchange"), take("group"), 1)
        return Numbers(take("interchange"), 1, 1)

    def _frame(self, session: Session, owner: str, partner: str, names: Names, numbers: Numbers) -> Frame:
        def group_name(party: str, fallback: str) -> str:
            found = self.partners.identity(session, party, "x12-gs")
            return found.value if found else fallback

        profile = self.partners.profile(session, partner)
        return Frame(
            sender=names.sender,
            receiver=names.receiver,
            group_sender=group_name(owner, names.sender.value),
            group_receiver=group_name(partner, names.receiver.value),
            envelope=answers.envelope_of(profile),
            at=clock.now(),
            interchange_number=numbers.interchange,
            group_number=numbers.group,
            message_number=numbers.message,
            functional_set=answers.functional_set_of(profile),
        )

    # acknowledgements of ours

    def acknowledge(
        self,
        session: Session,
        received: MessageRow,
        reading: Reading,
        *,
        refused: Mapping[int, Reason],
        whole: Reason | None,
        refusals: Mapping[int, str],
    ) -> MessageRow | None:
        """Make the standard's answer to a transmission; None where the standard, or its state, allows none."""
        standard = str(reading.standard)
        if standard not in answers.ACK_OF:
            return None
        row = MessageRow(
            id=ids.new_id(), owner=received.owner, direction=Direction.OUT, partner=received.partner,
            channel=received.channel, created_at=clock.now(), standard=standard, answers=received.id,
            kind="application_response", deal=received.deal, validation=Validation.ACCEPTED, validated_at=clock.now(),
            reference=received.reference, delivery=Delivery.PENDING, acknowledgement=Acknowledgement.NONE, size=0,
        )  # fmt: skip
        _, row.type, row.release = answers.ACK_OF[standard].split(":")
        names = self._names(session, row.owner, str(row.partner), standard)
        if names is None:
            return None
        frame = self._frame(session, row.owner, str(row.partner), names, Numbers(1, 1, 1))
        if self.codec.acknowledge(reading, refused, whole, refusals, frame) is None:
            return None
        session.add(row)
        session.flush()
        numbers = self._take_numbers(session, row, names)
        frame = frame.under(numbers.interchange, numbers.group, numbers.message, at=clock.now())
        written = self.codec.acknowledge(reading, refused, whole, refusals, frame)
        if written is not None:
            _, row.type, row.release = written.message.split(":")
            self._put(session, row, written, names)
        return row

    def refuse(self, session: Session, refused: MessageRow, refusal: Refusal) -> MessageRow | None:
        """Tell the sender of a sound message that its capability refuses it, and why: 824 or APERAK, where that was agreed.

        None where the standard tells it otherwise, there is no agreement about the message, or no map.
        """
        agreement = self._business_answer(session, refused)
        if agreement is None:
            return None
        row = MessageRow(
            id=ids.new_id(), owner=refused.owner, direction=Direction.OUT, partner=refused.partner,
            channel=agreement.channel, created_at=clock.now(), kind="application_response", answers=refused.id,
            deal=refused.deal, validation=Validation.PENDING, delivery=Delivery.PENDING,
            acknowledgement=Acknowledgement.NONE, size=0, standard=refused.standard,
        )  # fmt: skip
        partner = str(row.partner)
        names = self._names(session, row.owner, partner, str(row.standard))
        if names is None:
            return None
        session.add(row)
        session.flush()
        number = next_number(
            session, owner=row.owner, sender=_spelt(names.sender), receiver=_spelt(names.receiver),
            standard=str(row.standard), level="document",
        )  # fmt: skip
        sentence = self.explain(refusal.text, str(row.standard))
        document = _refusal(refused, refusal, sentence, f"AR-{number}")
        row.document, row.reference = document.model_dump(mode="json", exclude_defaults=True), document.number
        row.agreement_id, row.agreement_revision = agreement.id, agreement.revision
        log_stage(session, row, "made")
        _, row.type, row.release = agreement.message.split(":")
        frame = self._frame(session, row.owner, partner, names, Numbers(1, 1, 1))
        guide = self.partners.guides(session, partner, "out").get(agreement.message)
        self._write(session, row, tried(self.codec, Plan(document, agreement, names, frame, guide)))
        return row

    def _business_answer(self, session: Session, refused: MessageRow) -> Agreement | None:
        standard, today = str(refused.standard), clock.now().date()
        type = answers.BUSINESS_ACK_OF.get(standard)
        for each in self.partners.agreements(session, str(refused.partner)) if type else ():
            fits = each.direction == "out" and each.message.startswith(f"{standard}:{type}:")
            if fits and each.is_active and each.holds_on(today) and self.codec.knows(each.message):
                return each
        return None

    # bytes travel

    def transmit(self, ctx: JobContext, message_id: str) -> None:
        """Carry a message's bytes; try again by the channel's schedule, and give up when it is over."""
        if not ctx.once(f"begun:{ctx.attempt}", lambda session: self._begin_attempt(session, message_id)):
            return
        with ctx.read() as session:
            row = session.get_one(MessageRow, message_id)
            channel = self.partners.channel(session, str(row.partner), row.channel)
        retry = getattr(channel, "retry", Retry())
        try:
            said = self._carry(row, channel)
        except TransportError as error:
            self._note_failure(ctx, message_id, error, retry)
            return
        with ctx.write() as session:
            row = session.get_one(MessageRow, message_id)
            self._note_attempt(session, row, "sent", said, None)
            row.delivery, row.delivery_reason, row.delivered_at = Delivery.SENT, None, clock.now()
            log_stage(session, row, "sent", said)
            self._close_outbox(session, row, "sent")
            if isinstance(channel, HttpChannel):
                self._tell(session, row, self.on_reached)
                self._confirm_by_receipt(session, row)

    def _carry(self, row: MessageRow, channel: Channel | None) -> str:
        if channel is None:
            raise TransportError(f"the partner has no channel {row.channel}", permanent=True)
        transport = self.open_channel(f"{row.partner}.{row.channel}", channel)
        payload = self.payloads.get(str(row.payload_sha256))
        content_type = "application/xml" if row.standard == "ubl" else f"application/edi-{row.standard}"
        return transport.send(Envelope(row.id, str(row.file_name), payload, content_type))

    def _note_failure(self, ctx: JobContext, message_id: str, error: TransportError, retry: Retry) -> None:
        wait = None if error.permanent else next_try(retry, ctx.attempt)
        with ctx.write() as session:
            row = session.get_one(MessageRow, message_id)
            self._note_attempt(session, row, "failed", str(error), clock.now() + wait if wait else None)
            row.reason_text = str(error)
            if wait is not None:
                row.delivery, row.delivery_reason = Delivery.RETRYING, Reason.TRANSPORT
                raise RetryLater(wait, str(error))
            row.delivery = Delivery.FAILED
            row.delivery_reason = Reason.TRANSPORT if error.permanent else Reason.GAVE_UP
            log_stage(session, row, "failed", str(error))
            self._close_outbox(session, row, str(row.delivery_reason))
            self._tell(session, row, self.on_failed)

    def _begin_attempt(self, session: Session, message_id: str) -> bool:
        """Note that the bytes may be under way from now on: they cannot be taken back unsaid. False where they were."""
        row = session.get_one(MessageRow, message_id, with_for_update=True)
        if row.delivery == Delivery.NONE:
            return False
        row.attempts += 1
        session.add(
            DeliveryAttemptRow(
                owner=row.owner, message_id=row.id, number=row.attempts, at=clock.now(), outcome="begun", detail=""
            )
        )
        return True

    def _note_attempt(
        self, session: Session, row: MessageRow, outcome: str, detail: str, next_at: datetime | None
    ) -> None:
        mine = (DeliveryAttemptRow.message_id == row.id, DeliveryAttemptRow.number == row.attempts)
        attempt = session.scalars(select(DeliveryAttemptRow).where(*mine)).one()
        attempt.outcome, attempt.detail, attempt.next_at = outcome, detail[:1000], next_at

    def send_again(self, session: Session, row: MessageRow, *, key: str, actor: str | None = None) -> None:
        """Carry the same bytes once more. The same ``key`` does it once."""
        row.delivery, row.delivery_reason, row.settled_at = Delivery.PENDING, None, None
        log_stage(session, row, "sent-again", actor=actor)
        self.jobs.enqueue_in_tx(session, TRANSMIT, row.id, id=f"transmit:{row.id}:{key}")

    # acknowledgements of theirs

    def close(self, session: Session, answer: MessageRow, verdict: Verdict, *, at: datetime) -> list[MessageRow]:
        """Note what a received acknowledgement says of messages of ours, and return them; none if it names none."""
        closed = self._named(session, answer, verdict)
        for row in closed:
            if row.acknowledgement == Acknowledgement.REJECTED:
                continue
            row.ack_at = at
            if verdict.accepted:
                row.acknowledgement = Acknowledgement.ACCEPTED
                self._tell(session, row, self.on_reached)
            else:
                row.acknowledgement, row.ack_reason = Acknowledgement.REJECTED, Reason.REJECTED_BY_RECEIVER
                row.reason_text = verdict.text or None
                self._tell(session, row, self.on_failed)
            _keep_told(session, row, verdict.findings)
            log_stage(session, row, "acknowledged" if verdict.accepted else "ack-rejected", verdict.text or answer.id)
        return closed

    def _named(self, session: Session, answer: MessageRow, verdict: Verdict) -> list[MessageRow]:
        query = select(MessageRow).where(
            MessageRow.owner == answer.owner,
            MessageRow.partner == answer.partner,
            MessageRow.standard == answer.standard,
            MessageRow.direction == Direction.OUT,
            or_(MessageRow.answers.is_(None), MessageRow.type.in_(answers.BUSINESS_ACK_OF.values())),
        )
        told = False
        for column, value in (
            (MessageRow.control_number, verdict.interchange),
            (MessageRow.group_number, verdict.group),
            (MessageRow.message_number, verdict.message),
            (MessageRow.reference, verdict.reference),
        ):
            if value is not None:
                query, told = query.where(column == value), True
        return list(session.scalars(query.with_for_update())) if told else []

    def _confirm_by_receipt(self, session: Session, row: MessageRow) -> None:
        """Where no more than the 2xx was agreed on, it is the acknowledgement."""
        agreements = self.partners.agreements(session, str(row.partner))
        agreed = next((each for each in agreements if each.id == row.agreement_id), None)
        if agreed is not None and agreed.ack.expect == "http":
            row.acknowledgement, row.ack_at = Acknowledgement.ACCEPTED, clock.now()

    def _tell(self, session: Session, row: MessageRow, listener: OnReached) -> None:
        waiting = session.get(OutboxRow, row.outbox_id) if row.outbox_id else None
        if waiting is not None:
            listener(session, waiting.idempotency_key, clock.now())


AGREED_BETWEEN_US = "ZZZ"
"""The code of an error that no list names (X12 647, UN/EDIFACT 9321, which are too short for our rules)."""


@dataclass(frozen=True)
class Numbers:
    interchange: int
    group: int
    message: int


def _answers_change(waiting: OutboxRow) -> bool:
    return any(each.get("type") == "change" for each in waiting.document.get("references", ()))


def _spelt(name: Identity) -> str:
    return f"{name.qualifier}:{name.value}" if name.qualifier else name.value


def told(refusal: Refusal) -> str:
    """Return a refusal in the fewest words: the rule, the article it rests on, and the code."""
    by = ", ".join(filter(None, (refusal.rule, refusal.article)))
    return f"{by}: {refusal.text}"


TEXT_MAX = 60
"""What a TED02 holds (X12 824); a longer word on a refusal goes into the notes behind it."""

NOTE_MAX = 80
"""What an NTE02 holds."""


def _refusal(refused: MessageRow, refusal: Refusal, sentence: str, number: str) -> ApplicationResponse:
    """Return the verdict of a capability that does not act on a message, as its sender is to read it."""
    short = told(refusal)
    if refused.standard == "x12":
        pieces = wrap(sentence if len(short) <= TEXT_MAX else f"{short} {sentence}", NOTE_MAX)
        judgement = Judgement(code=AGREED_BETWEEN_US, text=short[:TEXT_MAX], more_texts=tuple(pieces))
    else:
        judgement = Judgement(code=AGREED_BETWEEN_US, text=" ".join(filter(None, (short, sentence))))
    return ApplicationResponse(
        number=number,
        action="original",
        issued_on=clock.now().date(),
        response="rejected",
        subject=Reference(type=str(refused.kind), value=refused.reference),
        judgements=(judgement,),
    )


def _keep_told(session: Session, row: MessageRow, findings: tuple[Finding, ...]) -> None:
    """Store what the receiver found in a message of ours, behind what we found in it ourselves."""
    known = session.scalar(select(func.max(IssueRow.number)).where(IssueRow.message_id == row.id)) or 0
    _store(session, row, findings[: max(MAX_ISSUES - known, 0)], known + 1)


def keep_findings(session: Session, row: MessageRow, findings: tuple[Finding, ...]) -> None:
    """Store what was found in a message, and let its worst speak for it."""
    kept = findings[:MAX_ISSUES]
    _store(session, row, kept, 1)
    worst = next((each for each in kept if each.severity == "error"), None)
    if worst is not None:
        row.reason_text = worst.text


def _store(session: Session, row: MessageRow, findings: tuple[Finding, ...], first: int) -> None:
    for number, each in enumerate(findings, first):
        session.add(
            IssueRow(
                owner=row.owner, message_id=row.id, number=number, severity=each.severity, fault=each.fault,
                segment=each.segment, tag=each.tag, element=each.element, component=each.component,
                repetition=each.repetition, path=each.path, element_id=each.element_id, code=each.code,
                value=each.value, rule=each.rule, text=each.text, line=each.line,
            )
        )  # fmt: skip


MAX_ISSUES = 200
"""Issues kept of one message; a file of garbage has as many as it has segments, and nobody reads them."""
