"""What the exchange asks of the EDI engine, in the exchange's own words: the one place where the two touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from tradehub.documents import Document
from tradehub.edi.schema import Guide
from tradehub.exchange.model import Reason
from tradehub.partners.profile import Envelope, Identity

NO_GUIDES: Mapping[str, Guide] = MappingProxyType({})


@dataclass(frozen=True)
class Name:
    """A sender or receiver as an envelope names it, under one of the schemes of partner identities."""

    scheme: str
    qualifier: str
    value: str

    def __str__(self) -> str:
        return f"{self.qualifier}:{self.value}" if self.qualifier else self.value


@dataclass(frozen=True)
class Finding:
    """An issue as it is stored and shown: fault, place, value, codes, and the raw segment with its caret."""

    severity: str
    fault: str
    text: str
    segment: int | None = None
    tag: str | None = None
    element: int | None = None
    component: int | None = None
    repetition: int | None = None
    path: str | None = None
    element_id: str | None = None
    code: str | None = None
    value: str | None = None
    rule: str | None = None
    line: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What a received acknowledgement says of one message of ours, named by control numbers or by its own number.

    ``findings`` are the receiver's, placed in our message.
    """

    accepted: bool
    text: str = ""
    interchange: str | None = None
    group: str | None = None
    message: str | None = None
    reference: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Part:
    """One message of a transmission. ``document`` is None where nothing could be made of it."""

    type: str
    release: str
    group_number: str | None
    message_number: str | None
    kind: str | None
    document: Document | None
    findings: tuple[Finding, ...]
    accepted: bool
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A transmission as read. ``reason`` says why all of it is refused; ``native`` is the engine's own view of it.

    ``pieces`` are its interchanges where it holds several: each is then a transmission of its own. ``prepared_at`` is
    what it says of when it was made, at its sender's own clock.
    """

    standard: str | None
    sender: Name | None
    receiver: Name | None
    control_number: str | None
    is_test: bool
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...] = ()
    reason: Reason | None = None
    native: Any = None
    pieces: tuple[bytes, ...] = ()
    prepared_at: datetime | None = None


class Leaf(NamedTuple):
    """An element or attribute of an XML text that has no others in it: where it stands, what it says, on which line."""

    path: str
    text: str
    line: int


@dataclass(frozen=True)
class Frame:
    """What an envelope is made of: who to whom, when, under which numbers, in which form."""

    sender: Identity
    receiver: Identity
    group_sender: str
    group_receiver: str
    envelope: Envelope
    at: datetime
    interchange_number: int
    group_number: int
    message_number: int
    functional_set: str = ""

    def under(self, interchange: int, group: int, message: int, *, at: datetime) -> Frame:
        """Return the same under other numbers, at another time."""
        return replace(self, interchange_number=interchange, group_number=group, message_number=message, at=at)


@dataclass(frozen=True)
class Written:
    """A transmission ready to leave, with the numbers that it carries."""

    payload: bytes
    message: str
    control_number: str | None
    group_number: str | None
    message_number: str | None
    content_type: str
    suffix: str


class CannotWrite(Exception):
    """The document does not fit its message."""

    def __init__(self, text: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(text)
        self.findings = findings


class Codec(Protocol):
    def detect(self, payload: bytes) -> str | None:
        """Return x12, edifact or ubl; None for what is neither EDI nor XML."""

    def leaves(self, payload: bytes) -> Sequence[Leaf]:
        """Return what an XML text says, leaf by leaf; nothing for other texts."""

    def knows(self, message: str) -> bool:
        """Return whether there is a map for ``message``, as in ``x12:824:004010``."""

    def read(self, payload: bytes, guides: Mapping[str, Guide] = NO_GUIDES) -> Reading:
        """Read whatever came, each message by the partner's guide to it. Never raises for what a partner did."""

    def silenced(self, reading: Reading) -> Reading:
        """Return a reading whose findings, and whose acknowledgement, quote nothing of what the messages say."""

    def read_as_others(self, payload: bytes, guides: Mapping[str, Guide] = NO_GUIDES) -> Reading:
        """Read as a system does that passes over what we state in a form of our own."""

    def write(self, message: str, document: Document, frame: Frame, guide: Guide | None = None) -> Written:
        """Return the transmission that carries ``document`` as ``message``. Raises CannotWrite."""

    def acknowledge(
        self,
        reading: Reading,
        refused: Mapping[int, Reason],
        whole: Reason | None,
        refusals: Mapping[int, str],
        frame: Frame,
    ) -> Written | None:
        """Return the standard's answer to a transmission, or None where it provides none.

        ``refused`` are the parts (by position) that the exchange turned down though their syntax may be sound,
        ``whole`` why all of it is turned down, ``refusals`` what a capability says against a sound part; only an
        answer on the business level can tell the last.
        """
