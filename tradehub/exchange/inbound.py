"""What comes in: kept first, answered after.

``receive`` puts the bytes on the disk, then commits a row and a job, and only then lets its caller acknowledge (an HTTP
2xx, a file moved away). ``process`` is that job: one transaction reads the bytes, finds who sent them and what was
agreed, hands each message to its capability, and writes the standard's answer. What is wrong with a message is told to
its sender, shown in the monitor, and changes nothing else.

What nobody may read yet is processed on arrival, before anything of it is on the disk, and kept as an envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tradehub.documents import Document
from tradehub.documents.parts import PartyId
from tradehub.exchange import answers, sealed
from tradehub.exchange.codec import Codec, Name, Part, Reading
from tradehub.exchange.model import (
    Acknowledgement,
    Delivery,
    Direction,
    Earlier,
    Reason,
    Repetition,
    Validation,
    repetition,
)
from tradehub.exchange.outbound import Outbound, keep_findings, told
from tradehub.exchange.sealed import SealedFor, Sealing
from tradehub.exchange.store import MessageRow, log_stage
from tradehub.partners.handling import Handler, Received, Refusal
from tradehub.partners.model import ACKNOWLEDGEMENTS, RECEIPTS, Agreement, NoAgreement, agree, kind_of
from tradehub.partners.profile import Control
from tradehub.partners.service import PartnerService
from tradehub.platform import clock, ids
from tradehub.platform.db import Database
from tradehub.platform.files import PayloadStore
from tradehub.platform.jobs import JobContext, Jobs

PROCESS = "exchange.process"

PATIENCE = timedelta(seconds=10)
"""How long a sender is kept waiting by tries to note what came, before it is told to come again."""


Witness = Callable[[Session, Document, Received, str | None], None]
"""Told of each document that could be read, whether it was acted on, refused, or bears a number that was used before;
with the deal where its handler knew one. What it notes stays, whatever became of the message."""


def nobody(session: Session, document: Document, received: Received, deal: str | None) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Arrived:
    """Bytes as a channel brought them: whose channel it is, and a key that is the same for the same arrival."""

    payload: bytes
    owner: PartyId
    partner: PartyId
    channel: str
    key: str | None = None
    name: str | None = None
    replay_of: str | None = None


@dataclass(frozen=True)
class Receipt:
    """What the caller may tell the sender, now that it is kept. ``reason`` when it is no use trying to read it.

    ``first`` is the message that brought the same bytes over this channel first: itself, if it is new. ``is_sealed``
    when no copy of the bytes may stay anywhere; what became of the messages is known then, and ``outcomes`` says it.
    """

    message_id: str
    first: str
    reason: Reason | None = None
    is_sealed: bool = False
    outcomes: tuple[Mapping[str, str], ...] = ()

    @property
    def is_repeated(self) -> bool:
        return self.first != self.message_id


class Holder(NamedTuple):
    """A message that a part of its transmission's key is kept for."""

    held_for: SealedFor
    message: str


class Inbound:
    def __init__(
        self,
        *,
        database: Database,
        payloads: PayloadStore,
        jobs: Jobs,
        partners: PartnerService,
        codec: Codec,
        outbound: Outbound,
        handlers: Mapping[str, Handler],
        witness: Witness = nobody,
        sealing: Sealing | None = None,
    ) -> None:
        self.witness = witness
        self.sealing = sealing
        self.database = database
        self.payloads = payloads
        self.jobs = jobs
        self.partners = partners
        self.codec = codec
        self.outbound = outbound
        self.handlers = handlers

    def receive(self, arrived: Arrived) -> Receipt:
        """Keep what came and see to it that it is processed. When this returns, it will not be lost.

        Raises DBAPIError where the database is busy for too long; the sender, or the next poll, tries again.
        """
        sealed_at_once = self._take_sealed(arrived, self.sealing) if self.sealing is not None else None
        if sealed_at_once is not None:
            return sealed_at_once
        digest = self.payloads.put(arrived.payload)
        return self.database.transact(lambda session: self.record(session, arrived, digest), within=PATIENCE)

    def _take_sealed(self, arrived: Arrived, sealing: Sealing) -> Receipt | None:
        """Look at what might have to be sealed before any of it is kept. None for all else: that is read by its job."""
        with self.database.read() as session:
            if not sealing.keepers.watch(session, arrived.owner, arrived.partner):
                return None
            guides = self.partners.guides(session, arrived.partner, "in")
        reading = self.codec.read(arrived.payload, guides)
        if reading.standard is None:
            return None
        taken = self.database.transact(
            lambda session: self._sealed(session, arrived, reading, sealing), within=PATIENCE
        )
        return None if taken is None else taken[0]

    def _sealed(
        self, session: Session, arrived: Arrived, reading: Reading, sealing: Sealing
    ) -> tuple[Receipt, Sequence[Holder]] | None:
        """Take in and process a transmission that nobody may read yet; None where all of it may be read after all."""
        self.partners.lock(session, arrived.partner)
        held_for = _held_for(session, arrived, reading, sealing)
        if not any(held_for):
            return None
        row = _new_row(arrived, None, reading.standard)
        row.sealed_as = sealing.fingerprint(arrived.payload)
        known = _known(session, arrived.key)
        if known is not None and known.bytes_known_by == row.sealed_as:
            return Receipt(known.id, known.id, is_sealed=True), ()
        if known is not None:
            row.intake_key = None
        first = _same_bytes(session, row) or row.id
        session.add(row)
        session.flush()
        log_stage(session, row, "received", arrived.name)
        if reading.pieces:
            rows, holders, outcomes = [row], *self._sealed_pieces(session, row, reading, sealing)
        else:
            processing = _Processing(self, session, row, self.codec.silenced(reading), held_for)
            processing.run()
            rows, outcomes = processing.rows, processing.outcomes
            holders = [Holder(named, each.id) for each, named in zip(rows, held_for, strict=True) if named]
        envelope, parts = sealed.enclosed(arrived.payload, reading, row.id, len(holders))
        digest = self.payloads.put(envelope)
        for each in rows:
            each.payload_sha256 = digest
            log_stage(session, each, "sealed")
        for holder, key_part in zip(holders, parts, strict=True):
            sealing.keepers.keep(session, holder.held_for, row.id, holder.message, key_part)
        return Receipt(row.id, first, is_sealed=True, outcomes=tuple(outcomes)), holders

    def _sealed_pieces(
        self, session: Session, row: MessageRow, reading: Reading, sealing: Sealing
    ) -> tuple[list[Holder], list[Mapping[str, str]]]:
        guides = self.partners.guides(session, str(row.partner), "in")
        holders: list[Holder] = []
        outcomes: list[Mapping[str, str]] = []
        for number, piece in enumerate(reading.pieces):
            arrived = _piece(row, number, piece)
            taken = self._sealed(session, arrived, self.codec.read(piece, guides), sealing)
            if taken is None:
                self.record(session, arrived, self.payloads.put(piece))
                continue
            holders += taken[1]
            outcomes += taken[0].outcomes
        _stands_for(session, row, reading)
        return holders, outcomes

    def refuse_unread(self, arrived: Arrived, size: int) -> Receipt:
        """Note what was too large to be read, so that it is seen; its bytes stay where the channel puts them."""

        def note(session: Session) -> Receipt:
            known = _known(session, arrived.key)
            if known is not None:
                return Receipt(known.id, known.id, Reason.TOO_LARGE)
            row = _new_row(arrived, None, None)
            row.size = size
            session.add(row)
            session.flush()
            log_stage(session, row, "received", arrived.name)
            _refuse_on_arrival(session, row, Reason.TOO_LARGE)
            return Receipt(row.id, row.id, Reason.TOO_LARGE)

        return self.database.transact(note, within=PATIENCE)

    def record(self, session: Session, arrived: Arrived, digest: str) -> Receipt:
        """Make the row and the job of a payload that is kept already, in the caller's transaction."""
        known = _known(session, arrived.key)
        if known is not None and known.payload_sha256 == digest:
            return Receipt(known.id, known.id, _reason(known))
        standard = self.codec.detect(arrived.payload)
        row = _new_row(arrived, digest, standard)
        if known is not None:  # the key of another arrival: not to be trusted, and no reason to lose this one
            row.intake_key = None
        first = _same_bytes(session, row) or row.id
        session.add(row)
        session.flush()
        log_stage(session, row, "received", arrived.name)
        if standard is None:
            _refuse_on_arrival(session, row, Reason.NOT_EDI)
            return Receipt(row.id, first, Reason.NOT_EDI)
        self.jobs.enqueue_in_tx(session, PROCESS, row.id, id=f"process:{row.id}")
        return Receipt(row.id, first)

    def process(self, ctx: JobContext, message_id: str) -> None:
        """Read, judge, hand on and answer one transmission, all in one transaction. A second run does nothing."""
        with ctx.read() as session:
            row = session.get_one(MessageRow, message_id)
            guides = self.partners.guides(session, str(row.partner), "in")
        reading = self.codec.read(self.payloads.get(str(row.payload_sha256)), guides)
        digests = [self.payloads.put(piece) for piece in reading.pieces]
        with ctx.write() as session:
            row = session.get_one(MessageRow, message_id)
            self.partners.lock(session, str(row.partner))
            session.refresh(row)
            if row.validation != Validation.PENDING:
                return
            if reading.pieces:
                self._split(session, row, reading, digests)
            else:
                _Processing(self, session, row, reading).run()

    def _split(self, session: Session, row: MessageRow, reading: Reading, digests: list[str]) -> None:
        """Take each interchange of a file in as a transmission of its own; the file's row stands for the whole."""
        for number, (piece, digest) in enumerate(zip(reading.pieces, digests, strict=True)):
            self.record(session, _piece(row, number, piece), digest)
        _stands_for(session, row, reading)


class _Processing:
    """One transmission in one transaction."""

    def __init__(
        self, inbound: Inbound, session: Session, first: MessageRow, reading: Reading,
        held_for: Sequence[SealedFor | None] = (),
    ) -> None:  # fmt: skip
        self.inbound = inbound
        self.session = session
        self.first = first
        self.reading = reading
        self.held_for = held_for
        self.outcomes: list[Mapping[str, str]] = []
        self.now = clock.now()
        self.rows: list[MessageRow] = []
        self.refused: dict[int, Reason] = {}
        self.refusals: dict[str, Refusal] = {}
        self.agreements = inbound.partners.agreements(session, str(first.partner))

    def run(self) -> None:
        self.rows = list(self._open_rows())
        for row, part in zip(self.rows, self.reading.parts, strict=False):
            keep_findings(self.session, row, (*self.reading.findings, *part.findings))
        if not self.reading.parts:
            keep_findings(self.session, self.first, self.reading.findings)
        whole = self._fault_of_the_whole()
        if whole is None and self._is_repeated():
            return
        for position, row in enumerate(self.rows):
            if whole is not None or not self.reading.parts:
                self._reject(row, whole or Reason.UNREADABLE)
            else:
                self._judge(position, row, self.reading.parts[position])
        self._answer(whole)

    def _open_rows(self) -> Iterable[MessageRow]:
        """Yield a row for each message; the first is the one made on arrival."""
        for position in range(max(1, len(self.reading.parts))):
            row = self.first
            if position:
                row = _sibling(self.first, position)
                self.session.add(row)
            _describe(row, self.reading, position, is_sealed=self._is_sealed(position))
            self.session.flush()
            log_stage(self.session, row, "read")
            yield row

    def _is_sealed(self, position: int) -> bool:
        return position < len(self.held_for) and self.held_for[position] is not None

    # the whole transmission

    def _fault_of_the_whole(self) -> Reason | None:
        if self.reading.reason is not None:
            return self.reading.reason
        if self.reading.sender is not None:
            sender = self._who(self.reading.sender)
            if sender is None:
                return Reason.UNKNOWN_SENDER
            if sender != self.first.partner:
                return Reason.SENDER_NOT_OF_CHANNEL
        if self.reading.receiver is not None and self._who(self.reading.receiver) != self.first.owner:
            return Reason.UNKNOWN_RECEIVER
        log_stage(self.session, self.first, "identified", self.first.partner)
        return None

    def _who(self, name: Name) -> PartyId | None:
        who = self.inbound.partners.who
        return who(self.session, self.first.owner, name.scheme, name.value, name.qualifier or None)

    def _is_repeated(self) -> bool:
        """Deal with a transmission whose number was there before, and say whether it was dealt with."""
        if self.first.control_number is None:
            return False
        earlier = [each for each in self._earlier() if not self._is_of_replay(each)]
        kind, before = repetition(
            [Earlier(each.id, each.bytes_known_by, Validation(each.validation)) for each in earlier],
            self.first.bytes_known_by,
        )
        if before is None:
            return False
        if kind is Repetition.SAME:
            self._answer_again(before.message_id)
            return True
        policy = self._control().check_duplicates
        if policy == "accept":
            return False
        for position, row in enumerate(self.rows):
            self._reject(row, Reason.OTHER_CONTENT)
            self.refused[position] = Reason.OTHER_CONTENT
            row.duplicate_of = before.message_id
            if policy == "hold":
                row.validation = Validation.HELD
            document = self.reading.parts[position].document if position < len(self.reading.parts) else None
            if document is not None:
                self.inbound.witness(self.session, document, self._received(row), None)
        self._answer(Reason.OTHER_CONTENT)
        return True

    def _earlier(self) -> list[MessageRow]:
        since = self.now - timedelta(days=self._control().window_days)
        same = select(MessageRow).where(
            MessageRow.owner == self.first.owner,
            MessageRow.partner == self.first.partner,
            MessageRow.standard == self.first.standard,
            MessageRow.direction == Direction.IN,
            MessageRow.control_number == self.first.control_number,
            MessageRow.id.not_in([row.id for row in self.rows]),
            MessageRow.created_at >= since,
        )
        if self.first.standard == "ubl":  # no envelope: the document's own number counts, by its type
            same = same.where(MessageRow.type == self.first.type)
        return list(self.session.scalars(same.order_by(MessageRow.created_at)))

    def _is_of_replay(self, row: MessageRow) -> bool:
        """True for the transmission that this one replays, and its other replays."""
        root = self.first.replay_of
        return root is not None and root in (row.id, row.received_with, row.replay_of)

    def _control(self) -> Control:
        profile = self.inbound.partners.profile(self.session, str(self.first.partner))
        return answers.control_of(profile, str(self.first.standard))

    def _answer_again(self, earlier: str) -> None:
        """The same once more: not acted on, and answered with the very bytes of the first answer."""
        original = self.session.get_one(MessageRow, earlier)
        root = original.received_with or original.id
        family = select(MessageRow.id).where(or_(MessageRow.id == root, MessageRow.received_with == root))
        given = self.session.scalars(
            select(MessageRow)
            .where(
                MessageRow.answers.in_(family),
                MessageRow.direction == Direction.OUT,
                MessageRow.owner == self.first.owner,
            )
            .order_by(MessageRow.created_at, MessageRow.id)
        ).all()
        for row in self.rows:
            row.validation, row.validation_reason, row.validated_at = Validation.DUPLICATE, Reason.DUPLICATE, self.now
            row.delivery, row.duplicate_of = Delivery.NONE, original.id
            row.deal, row.subject = original.deal, original.subject
            row.acknowledgement, row.ack_at = original.acknowledgement, self.now
            log_stage(self.session, row, "duplicate", original.id)
        for answer in given:
            self.inbound.outbound.send_again(self.session, answer, key=self.first.id)

    # one message

    def _judge(self, position: int, row: MessageRow, part: Part) -> None:
        if row.message.rsplit(":", 1)[0] in ACKNOWLEDGEMENTS:
            self._take_acknowledgement(row, part)
            return
        reason = self._reason_against(row, part)
        if reason is not None:
            self.refused[position] = reason
            self._reject(row, reason)
            return
        warned = any(each.severity == "warning" for each in part.findings)
        row.validation, row.validated_at = Validation.WARNED if warned else Validation.ACCEPTED, self.now
        log_stage(self.session, row, "accepted", row.agreement_id)
        self._hand_on(row, part)

    def _reason_against(self, row: MessageRow, part: Part) -> Reason | None:
        if kind_of(row.message) is None or part.kind is None:
            return Reason.UNKNOWN_MESSAGE
        try:
            agreement = self._agreement(row)
        except NoAgreement as missing:
            return Reason(missing.rule)
        row.agreement_id, row.agreement_revision = agreement.id, agreement.revision
        if not part.accepted or part.document is None:
            return Reason.SYNTAX
        if self._was_acted_on(row):
            return Reason.DUPLICATE
        return None

    def _agreement(self, row: MessageRow) -> Agreement:
        return agree(
            self.agreements,
            sender=PartyId(str(row.partner)),
            receiver=PartyId(row.owner),
            document=row.message,
            on=self.now.date(),
        )

    def _was_acted_on(self, row: MessageRow) -> bool:
        """True for the sound part of a transmission that is replayed for the sake of another part."""
        root = self.first.replay_of
        if root is None:
            return False
        family = or_(MessageRow.id == root, MessageRow.received_with == root, MessageRow.replay_of == root)
        acted = select(MessageRow.id).where(
            family,
            MessageRow.message_number == row.message_number,
            MessageRow.group_number == row.group_number,
            MessageRow.type == row.type,
            MessageRow.delivery == Delivery.HANDED_ON,
        )
        return self.session.scalars(acted).first() is not None

    def _hand_on(self, row: MessageRow, part: Part) -> None:
        handler = self.inbound.handlers.get(str(part.kind))
        if handler is None or part.document is None:
            row.delivery, row.delivery_reason = Delivery.FAILED, Reason.NO_HANDLER
            return
        received = self._received(row)
        attempt = self.session.begin_nested()
        handled = handler(self.session, part.document, received)
        row.deal, row.subject = handled.deal, handled.subject
        row.delivered_at = self.now
        if handled.refusal is None:
            attempt.commit()
            self.outcomes += [handled.receipt] if handled.receipt else []
            row.delivery = Delivery.HANDED_ON
            log_stage(self.session, row, "handed-on", handled.subject or handled.deal)
            self.inbound.witness(self.session, part.document, received, handled.deal)
            return
        deal, subject = handled.deal, handled.subject
        self.refusals[row.id] = handled.refusal
        self.outcomes.append({"refused": handled.refusal.rule, "reason": handled.refusal.text})
        attempt.rollback()
        self.session.refresh(row)
        row.deal, row.subject, row.delivered_at = deal, subject, self.now
        row.delivery, row.delivery_reason, row.reason_text = (
            Delivery.REFUSED,
            handled.refusal.rule,
            handled.refusal.text,
        )
        log_stage(self.session, row, "refused", handled.refusal.rule)
        self.inbound.witness(self.session, part.document, received, deal)

    def _received(self, row: MessageRow) -> Received:
        return Received(
            message_id=row.id, owner=PartyId(row.owner), partner=PartyId(str(row.partner)), standard=str(row.standard),
            type=str(row.type), received_at=row.created_at, agreement_id=row.agreement_id,
            payload_sha256=row.bytes_known_by, claimed_at=self._claimed_at(row), is_sealed=self._is_sealed(row.position),
        )  # fmt: skip

    def _claimed_at(self, row: MessageRow) -> datetime | None:
        """Return what the transmission says of when it was made, at the partner's own clock; never after it came."""
        made = self.reading.prepared_at
        if made is None:
            return None
        profile = self.inbound.partners.profile(self.session, str(row.partner))
        zone = clock.zone(profile.timezone if profile is not None else None)
        claimed = made if made.tzinfo else made.replace(tzinfo=zone)
        return claimed if claimed <= row.created_at else None

    def _take_acknowledgement(self, row: MessageRow, part: Part) -> None:
        row.validation, row.validated_at = Validation.ACCEPTED if part.accepted else Validation.REJECTED, self.now
        if not part.accepted:
            row.validation_reason, row.delivery = Reason.SYNTAX, Delivery.NONE
            return
        closed = [
            answered
            for verdict in part.verdicts
            for answered in self.inbound.outbound.close(self.session, row, verdict, at=self.now)
        ]
        row.delivered_at = self.now
        if not closed:
            row.delivery, row.delivery_reason = Delivery.REFUSED, Reason.ACKNOWLEDGES_NOTHING
            return
        row.delivery, row.answers = Delivery.HANDED_ON, closed[0].id
        row.deal, row.subject, row.reference = closed[0].deal, closed[0].subject, closed[0].reference
        log_stage(self.session, row, "handed-on", closed[0].id)

    def _reject(self, row: MessageRow, reason: Reason) -> None:
        again = reason is Reason.DUPLICATE
        row.validation = Validation.DUPLICATE if again else Validation.REJECTED
        row.validation_reason, row.validated_at, row.delivery = reason, self.now, Delivery.NONE
        log_stage(self.session, row, "duplicate" if again else "rejected", reason)

    # the answer

    def _answer(self, whole: Reason | None) -> None:
        if self.reading.parts and all(row.message.rsplit(":", 1)[0] in RECEIPTS for row in self.rows):
            return
        sent = self.inbound.outbound.acknowledge(
            self.session, self.first, self.reading, refused=self._told(), whole=whole, refusals=self._refusals()
        )
        if sent is None:
            return
        for row in self.rows:
            sound = row.validation in (Validation.ACCEPTED, Validation.WARNED, Validation.DUPLICATE)
            sound = sound and not (row.delivery == Delivery.REFUSED and row.standard == "ubl")
            row.acknowledgement = Acknowledgement.ACCEPTED if sound else Acknowledgement.REJECTED
            row.ack_at = self.now
            log_stage(self.session, row, "answered", sent.message)
        for row in self.rows:
            refusal = self.refusals.get(row.id)
            answer = self.inbound.outbound.refuse(self.session, row, refusal) if refusal is not None else None
            if answer is not None:
                log_stage(self.session, row, "answered", answer.message)

    def _told(self) -> dict[int, Reason]:
        """What the exchange itself holds against a part: its syntax the codec knows, a replay's twin is no fault."""
        return {
            position: reason
            for position, reason in self.refused.items()
            if reason not in (Reason.SYNTAX, Reason.DUPLICATE)
        }

    def _refusals(self) -> dict[int, str]:
        explain = self.inbound.outbound.explain
        return {
            position: " ".join(filter(None, (told(refusal), explain(refusal.text, str(row.standard)))))
            for position, row in enumerate(self.rows)
            if (refusal := self.refusals.get(row.id)) is not None
        }


def _known(session: Session, key: str | None) -> MessageRow | None:
    return None if key is None else session.scalar(select(MessageRow).where(MessageRow.intake_key == key))


def _same_bytes(session: Session, row: MessageRow) -> str | None:
    """Return the first message that the same bytes made on the same channel, replays aside."""
    hashed = MessageRow.sealed_as if row.sealed_as is not None else MessageRow.payload_sha256
    return session.scalar(
        select(MessageRow.id)
        .where(
            hashed == row.bytes_known_by,
            MessageRow.owner == row.owner,
            MessageRow.partner == row.partner,
            MessageRow.channel == row.channel,
            MessageRow.direction == Direction.IN,
            MessageRow.received_with.is_(None),
            MessageRow.replay_of.is_(None),
        )
        .order_by(MessageRow.created_at, MessageRow.id)
        .limit(1)
    )


def _held_for(session: Session, arrived: Arrived, reading: Reading, sealing: Sealing) -> list[SealedFor | None]:
    """Return for each message what it must stay unread for."""
    clean = [part.accepted and not (part.findings or reading.findings) for part in reading.parts]
    documents = [part.document for part in reading.parts]
    return [
        sealing.keepers.sealed_for(
            session, arrived.owner, arrived.partner, document, arrived.payload, is_understood=is_clean
        )
        for document, is_clean in zip(documents or [None], clean or [False], strict=True)
    ]


def _reason(row: MessageRow) -> Reason | None:
    return Reason.NOT_EDI if row.validation_reason == Reason.NOT_EDI else None


def _refuse_on_arrival(session: Session, row: MessageRow, reason: Reason) -> None:
    row.validation, row.validation_reason = Validation.REJECTED, reason
    row.validated_at, row.delivery = clock.now(), Delivery.NONE
    log_stage(session, row, "rejected", reason)


def _new_row(arrived: Arrived, digest: str | None, standard: str | None) -> MessageRow:
    return MessageRow(
        id=ids.new_id(), owner=arrived.owner, direction=Direction.IN, partner=arrived.partner, channel=arrived.channel,
        intake_key=arrived.key, file_name=arrived.name, created_at=clock.now(), payload_sha256=digest,
        size=len(arrived.payload), standard=standard, replay_of=arrived.replay_of, validation=Validation.PENDING,
        delivery=Delivery.PENDING, acknowledgement=Acknowledgement.NONE,
    )  # fmt: skip


def _piece(row: MessageRow, number: int, piece: bytes) -> Arrived:
    """Return an interchange of a file as if it had come alone."""
    name = f"{row.file_name or row.id} ({number + 1})"
    return Arrived(piece, PartyId(row.owner), PartyId(str(row.partner)), row.channel, f"{row.id}:{number}", name)


def _stands_for(session: Session, row: MessageRow, reading: Reading) -> None:
    """The row of a file stands for its interchanges, each of which is a transmission of its own."""
    row.standard = reading.standard
    row.validation, row.delivery = Validation.ACCEPTED, Delivery.HANDED_ON
    row.validated_at = row.delivered_at = clock.now()
    log_stage(session, row, "split", str(len(reading.pieces)))


def _sibling(first: MessageRow, position: int) -> MessageRow:
    return MessageRow(
        id=ids.new_id(), owner=first.owner, direction=Direction.IN, partner=first.partner, channel=first.channel,
        file_name=first.file_name, created_at=first.created_at, payload_sha256=first.payload_sha256,
        sealed_as=first.sealed_as, size=first.size,
        received_with=first.id, position=position, replay_of=first.replay_of, validation=Validation.PENDING,
        delivery=Delivery.PENDING, acknowledgement=Acknowledgement.NONE,
    )  # fmt: skip


def _describe(row: MessageRow, reading: Reading, position: int, *, is_sealed: bool) -> None:
    row.standard, row.control_number, row.is_test = reading.standard, reading.control_number, reading.is_test
    row.sender_id = str(reading.sender) if reading.sender else None
    row.receiver_id = str(reading.receiver) if reading.receiver else None
    if position >= len(reading.parts):
        return
    part = reading.parts[position]
    row.type, row.release, row.kind = part.type, part.release, part.kind
    row.group_number, row.message_number = part.group_number, part.message_number
    if part.document is not None:
        row.reference = part.document.number
    if part.document is not None and not is_sealed:
        row.document = part.document.model_dump(mode="json", exclude_defaults=True)
