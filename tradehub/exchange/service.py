"""The exchange as its hub sees it: put together once, jobs registered, channels looked into, messages mended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.orm import Session

from tradehub.documents.parts import PartyId
from tradehub.exchange import outbound as out
from tradehub.exchange import sealed
from tradehub.exchange.codec import Codec
from tradehub.exchange.inbound import PROCESS, Arrived, Inbound, Receipt, Witness, nobody
from tradehub.exchange.model import Direction
from tradehub.exchange.outbound import Explain, OnReached, OpenChannel, Outbound
from tradehub.exchange.sealed import Sealing
from tradehub.exchange.store import MessageRow, log_stage
from tradehub.exchange.transport import Arrival
from tradehub.exchange.transports import opener
from tradehub.partners.handling import Handler
from tradehub.partners.service import PartnerService, PolledChannelOf
from tradehub.platform import clock, ids
from tradehub.platform.db import Database
from tradehub.platform.files import PayloadStore
from tradehub.platform.jobs import JobContext, Jobs
from tradehub.platform.outbox import SEND

POLL = "exchange.poll"


class CannotReplay(Exception):
    """Only what came in can be replayed, and only what went out resent; nothing that is sealed."""


class ExchangeService:
    def __init__(
        self,
        *,
        database: Database,
        payloads: PayloadStore,
        jobs: Jobs,
        partners: PartnerService,
        codec: Codec,
        data_dir: Path,
        handlers: Mapping[str, Handler],
        on_reached: OnReached,
        on_failed: OnReached = out.nobody,
        open_channel: OpenChannel | None = None,
        explain: Explain = out.unexplained,
        witness: Witness = nobody,
        sealing: Sealing | None = None,
    ) -> None:
        self.database = database
        self.payloads = payloads
        self.jobs = jobs
        self.partners = partners
        self.data_dir = data_dir
        self.open_channel = open_channel or opener(data_dir)
        self.outbound = Outbound(
            payloads=payloads,
            jobs=jobs,
            partners=partners,
            codec=codec,
            open_channel=self.open_channel,
            on_reached=on_reached,
            on_failed=on_failed,
            explain=explain,
        )
        self.inbound = Inbound(
            database=database,
            payloads=payloads,
            jobs=jobs,
            partners=partners,
            codec=codec,
            outbound=self.outbound,
            handlers=handlers,
            witness=witness,
            sealing=sealing,
        )

    def unseal(self, session: Session, transmission: str, key: bytes) -> None:
        """Keep in clear what was sealed. Raises Tampered for another key."""
        sealed.unseal(session, self.payloads, transmission, key)

    def register(self) -> None:
        """Make the exchange's jobs known. Every process does so before it runs a worker."""
        self.jobs.register(PROCESS, self.inbound.process)
        self.jobs.register(SEND, self.outbound.send)
        self.jobs.register(out.TRANSMIT, self.outbound.transmit)
        self.jobs.register(POLL, self.poll_job)

    # channels

    def polled_channels(self, session: Session) -> list[PolledChannelOf]:
        """Return the channels that are looked into by a schedule."""
        return [each for each in self.partners.channels(session) if each.channel.kind == "folder"]

    def poll_job(self, ctx: JobContext, channel_id: str) -> None:
        with ctx.read() as session:
            found = next((each for each in self.polled_channels(session) if each.id == channel_id), None)
        if found is not None:
            self.poll(found)

    def poll(self, channel: PolledChannelOf) -> int:
        """Take in what a channel holds and return how many transmissions that were. Raises TransportError."""
        count = 0
        for arrival in self.open_channel(channel.id, channel.channel).poll():
            receipt = self._take(channel, arrival)
            if receipt.is_sealed:
                arrival.erase()
            elif receipt.reason is None:
                arrival.accept()
            else:
                arrival.refuse({"rule": receipt.reason, "message": receipt.message_id})
            count += 1
        return count

    def _take(self, channel: PolledChannelOf, arrival: Arrival) -> Receipt:
        arrived = Arrived(arrival.payload, channel.owner, channel.party, channel.name, arrival.key, arrival.name)
        if arrival.is_too_large:
            return self.inbound.refuse_unread(arrived, arrival.size)
        return self.inbound.receive(arrived)

    # mending

    def replay(self, session: Session, message_id: str, *, actor: str, payload: bytes | None = None) -> Receipt:
        """Take a received transmission in once more, as it was or mended; the first stays as it is, and is settled.

        Raises CannotReplay for what did not come in, LookupError for what the session does not see.
        """
        row = _seen(session, message_id)
        if row.direction != Direction.IN or row.payload_sha256 is None or row.sealed_as is not None:
            raise CannotReplay(message_id)
        raw = payload if payload is not None else self.payloads.get(row.payload_sha256)
        digest = self.payloads.put(raw)
        root = row.replay_of or row.received_with or row.id
        arrived = Arrived(
            raw, PartyId(row.owner), PartyId(str(row.partner)), row.channel, None, row.file_name, replay_of=root
        )
        receipt = self.inbound.record(session, arrived, digest)
        self.settle(session, message_id, actor=actor, stage="replayed", detail=receipt.message_id)
        return receipt

    def resend(self, session: Session, message_id: str, *, actor: str) -> None:
        """Send a message again, byte for byte. Raises CannotReplay for what came in or never was written."""
        row = _seen(session, message_id)
        if row.direction != Direction.OUT:
            raise CannotReplay(message_id)
        if row.control_number is None and row.outbox_id is not None:
            self._make_anew(session, row, actor)
            return
        self.outbound.send_again(session, row, key=ids.new_id(), actor=actor)

    def _make_anew(self, session: Session, row: MessageRow, actor: str) -> None:
        """A message that could not be written, or that we refused ourselves, is made again from its document."""
        self.outbound.reopen(session, row)
        self.settle(session, row.id, actor=actor, stage="made-again", detail=None)

    def settle(
        self, session: Session, message_id: str, *, actor: str, stage: str = "settled", detail: str | None
    ) -> None:
        """Note that a person has dealt with a message; it asks for no attention any more."""
        row = _seen(session, message_id)
        row.settled_at = clock.now()
        log_stage(session, row, stage, detail, actor=actor)


def _seen(session: Session, message_id: str) -> MessageRow:
    row = session.get(MessageRow, message_id)
    if row is None:
        raise LookupError(message_id)
    return row
