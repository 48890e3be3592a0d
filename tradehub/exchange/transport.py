"""A transport carries bytes: two methods, one error. What the bytes mean is not its business."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Envelope:
    """Bytes on their way out. ``key`` is the same on every try, so that the receiver can tell a repetition."""

    key: str
    name: str
    payload: bytes
    content_type: str


class TransportError(Exception):
    """It did not go, or not surely. ``permanent`` when another try of the same bytes cannot help."""

    def __init__(self, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.permanent = permanent


class Arrival(Protocol):
    """Bytes that came. They stay where they are, safe, until ``accept`` or ``refuse`` says what became of them."""

    @property
    def key(self) -> str:
        """The same for the same arrival seen again after a crash."""

    @property
    def name(self) -> str: ...

    @property
    def payload(self) -> bytes:
        """What came; empty where ``is_too_large``."""

    @property
    def size(self) -> int:
        """Bytes that came, read or not."""

    @property
    def is_too_large(self) -> bool:
        """True for what is larger than the channel takes: it was not read, and can only be refused."""

    def accept(self) -> None: ...

    def erase(self) -> None:
        """It was taken in, and no copy of it may stay here."""

    def refuse(self, problem: dict[str, str]) -> None: ...


class Transport(Protocol):
    def send(self, envelope: Envelope) -> str:
        """Hand the bytes over and return what the other side said. Raises TransportError."""

    def poll(self) -> Iterator[Arrival]:
        """Yield what has come since; a transport that is not looked into yields nothing. Raises TransportError."""
