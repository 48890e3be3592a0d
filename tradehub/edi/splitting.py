"""A file of many messages taken apart: each message in an interchange of its own, as valid as it was, with the control
references that it came with.

The messages are not written anew: header, message and group keep every sign that was received; only the counts in the
trailers are those of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tradehub.edi.envelope import Interchange, ReadMessage
from tradehub.edi.intake import Reading


class Part(NamedTuple):
    """One message with an envelope of its own."""

    message: ReadMessage
    payload: bytes


def split(reading: Reading) -> Iterator[Part]:
    """Yield each message of an X12 or EDIFACT file; none of another, or of one that holds no message."""
    for message in reading:
        yield Part(message, _enveloped(message, reading.una).encode(message.interchange.charset, "replace"))


def _enveloped(message: ReadMessage, una: str) -> str:
    interchange, group = message.interchange, message.group
    end = interchange.delimiters.segment
    raw = message.raw if message.raw.rstrip("\r\n").endswith(end) else message.raw + end
    parts = [
        una.strip("\r\n") if interchange.header else "",
        *(part + end for part in (interchange.header, group.header) if part),
        raw,
        *(part + end for part in _trailers(interchange, has_group=bool(group.header), group=group.control_number)),
    ]
    return "".join(parts)


def _trailers(interchange: Interchange, *, has_group: bool, group: str) -> Iterator[str]:
    """Yield the trailers of one message: what was received may be missing, or count what is elsewhere now."""
    element = interchange.delimiters.element
    tags = ("GE", "IEA") if interchange.standard == "x12" else ("UNE", "UNZ")
    if has_group:
        yield element.join((tags[0], "1", group))
    if interchange.header:
        yield element.join((tags[1], "1", interchange.control_number))
