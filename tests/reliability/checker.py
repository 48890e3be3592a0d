"""What must be true of a hub, whatever was done to it: held against its partners' books."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.reliability.partners import FolderPartner, HttpPartner, Ledger, Transmission
from tradehub.exchange.model import Delivery, Direction, Validation
from tradehub.exchange.store import MessageRow
from tradehub.negotiation.store import DealRow, OfferRow
from tradehub.platform.db import Database
from tradehub.platform.files import NoPayload, PayloadStore

FINAL = re.compile(r"[0-9a-f]{64}")
DRAFT = re.compile(r"[0-9a-f]{64}\.[0-9a-f]{32}\.tmp")


class Wrong(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    ALTERED = "altered"
    UNANSWERED = "unanswered"
    MISNUMBERED = "misnumbered"
    LEFT_BEHIND = "left behind"
    INVENTED = "invented"


@dataclass(frozen=True)
class Violation:
    wrong: Wrong
    what: str

    def __str__(self) -> str:
        return f"{self.wrong}: {self.what}"


@dataclass(frozen=True)
class Evidence:
    """The hub's data at rest, and its partners."""

    data_dir: Path
    folder: FolderPartner
    http: HttpPartner
    ledger: Ledger

    @property
    def payloads(self) -> PayloadStore:
        return PayloadStore(self.data_dir / "payloads")


def lost(evidence: Evidence) -> list[Violation]:
    """What was acknowledged and is not kept. Holds at every moment, so also right after a kill."""
    acknowledged = evidence.ledger.acknowledged()
    with _reading(evidence) as session:
        kept = set(session.scalars(select(MessageRow.payload_sha256).where(MessageRow.direction == Direction.IN)))
    gone = [each for each in acknowledged if each.digest not in kept or each.digest not in evidence.payloads]
    return [Violation(Wrong.LOST, f"{each.number} was acknowledged over {each.channel}") for each in gone]


def violations(evidence: Evidence) -> list[Violation]:
    """Everything that is wrong once the hub has come to rest."""
    with _reading(evidence) as session:
        rows = list(session.scalars(select(MessageRow).order_by(MessageRow.created_at, MessageRow.id)))
        deals = Counter(session.scalars(select(DealRow.inquiry_number)))
        offers = Counter(session.scalars(select(OfferRow.number)))
    found = [*_unsettled(evidence), *_invented(evidence, rows), *_numbers(evidence), *_left_behind(evidence)]
    for each in evidence.ledger:
        mine = [row for row in rows if row.direction == Direction.IN and row.payload_sha256 == each.digest]
        found += _of_transmission(evidence, each, mine)
        found += _of_answer(evidence, each, mine, rows)
        if each.acknowledged and (deals[each.number], offers[each.number]) != (1, 1):
            wrong = Wrong.DOUBLED if deals[each.number] or offers[each.number] else Wrong.LOST
            found.append(
                Violation(wrong, f"{each.number} made {deals[each.number]} deals, {offers[each.number]} offers")
            )
    return found


def _of_transmission(evidence: Evidence, sent: Transmission, rows: list[MessageRow]) -> Iterator[Violation]:
    if not sent.acknowledged:
        yield Violation(Wrong.UNANSWERED, f"{sent.number} was sent {sent.sent} times and never acknowledged")
        return
    acted = [row for row in rows if row.validation in (Validation.ACCEPTED, Validation.WARNED)]
    unknown = set(sent.taken) - {row.id for row in rows}
    if not acted or unknown:
        yield Violation(Wrong.LOST, f"{sent.number} was acknowledged as {unknown or 'taken'} and not acted on")
    if len(acted) > 1:
        yield Violation(Wrong.DOUBLED, f"{sent.number} was acted on {len(acted)} times")
    if acted and acted[0].delivery != Delivery.HANDED_ON:
        yield Violation(Wrong.LOST, f"{sent.number} stands at {acted[0].delivery} {acted[0].delivery_reason}")
    others = [row for row in rows if row not in acted]
    if any(row.validation == Validation.PENDING for row in others):
        yield Violation(Wrong.LEFT_BEHIND, f"{sent.number} has not been judged")
    elif any(row.validation != Validation.DUPLICATE or row.duplicate_of is None for row in others):
        yield Violation(Wrong.DOUBLED, f"{sent.number} came again and was not flagged")
    most, least = (1, 1) if sent.key else (sent.sent, sent.sent if sent.channel == "folder" else 1)
    if not least <= len(rows) <= most:
        wrong = Wrong.DOUBLED if len(rows) > most else Wrong.LOST
        yield Violation(wrong, f"{sent.number} was sent {sent.sent} times and is there {len(rows)} times")
    try:
        kept = evidence.payloads.get(sent.digest)
    except NoPayload:
        yield Violation(Wrong.LOST, f"the bytes of {sent.number}")
        return
    if kept != sent.payload:
        yield Violation(Wrong.ALTERED, f"the bytes of {sent.number}")


def _of_answer(
    evidence: Evidence, sent: Transmission, rows: list[MessageRow], everything: list[MessageRow]
) -> Iterator[Violation]:
    """One answer for each transmission, made once and sent at least once, always the same bytes."""
    made = [row for row in everything if row.direction == Direction.OUT and row.answers in {each.id for each in rows}]
    if not sent.acknowledged or len(made) != 1:
        if sent.acknowledged:
            wrong = Wrong.DOUBLED if made else Wrong.UNANSWERED
            yield Violation(wrong, f"{sent.number} has {len(made)} answers")
        return
    answer = made[0]
    payload = evidence.payloads.get(str(answer.payload_sha256))
    if sent.channel == "folder":
        told = [content for name, content in evidence.folder.answers().items() if name == answer.file_name]
    else:
        told = evidence.http.answers.get(answer.id, [])
    if not told or answer.delivery != Delivery.SENT:
        yield Violation(Wrong.UNANSWERED, f"the answer to {sent.number} has not arrived: {answer.delivery}")
    if any(each != payload for each in told):
        yield Violation(Wrong.ALTERED, f"the answer to {sent.number}")


def _unsettled(evidence: Evidence) -> Iterator[Violation]:
    waiting = evidence.folder.left()
    if waiting:
        yield Violation(Wrong.LEFT_BEHIND, f"files not taken: {', '.join(waiting)}")
    dropped = sum(each.sent for each in evidence.ledger if each.channel == "folder")
    taken = Counter(evidence.folder.processed())
    if len(taken) != dropped or set(taken.values()) - {1}:
        yield Violation(Wrong.LEFT_BEHIND, f"{dropped} files were dropped and {sum(taken.values())} lie in processed")


def _invented(evidence: Evidence, rows: list[MessageRow]) -> Iterator[Violation]:
    known = {each.digest for each in evidence.ledger}
    for row in rows:
        if row.direction == Direction.IN and row.payload_sha256 not in known:
            yield Violation(Wrong.INVENTED, f"message {row.id} holds what nobody sent")


def _numbers(evidence: Evidence) -> Iterator[Violation]:
    """The 997s that the partner holds are numbered from 1 on, none twice, none missing; each answers one order."""
    files = evidence.folder.answers().values()
    numbers = sorted(int(content.split(b"*")[13]) for content in files)
    if numbers != list(range(1, len(numbers) + 1)):
        yield Violation(Wrong.MISNUMBERED, f"the 997s in the folder have the numbers {numbers}")
    answered = Counter(re.findall(rb"AK1\*PO\*(\d+)", b"".join(files)))
    if set(answered.values()) - {1}:
        yield Violation(Wrong.DOUBLED, f"orders answered more than once: {answered.most_common(3)}")


def _left_behind(evidence: Evidence) -> Iterator[Violation]:
    """What a crash leaves ends in .tmp; under a final name is all of it or nothing."""
    for path in sorted((evidence.data_dir / "payloads").rglob("*")):
        if path.is_dir() or DRAFT.fullmatch(path.name):
            continue
        if not FINAL.fullmatch(path.name):
            yield Violation(Wrong.LEFT_BEHIND, path.name)
        elif sha256(path.read_bytes()).hexdigest() != path.name:
            yield Violation(Wrong.ALTERED, f"payload {path.name}")
    for name, content in evidence.folder.answers().items():
        if name.endswith((".tmp", ".part")) or not content.rstrip().endswith(b"~"):
            yield Violation(Wrong.LEFT_BEHIND, f"torn or unfinished in the partner's folder: {name}")


@contextmanager
def _reading(evidence: Evidence) -> Iterator[Session]:
    """A session of a database that is opened for it alone: the next process is to find the log as the dead left it."""
    database = Database(f"sqlite:///{evidence.data_dir / 'tradehub.db'}")
    try:
        with database.read() as session:
            yield session
    finally:
        database.dispose()
