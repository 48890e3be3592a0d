"""Objects in EDIFACT packages: pictures, sounds, certificates between UNO and UNP. Cf. ISO 9735-8.

An object is bytes and no text: any sign may stand in it, so that it is taken out of a file before that is read, and put
back where it was after that is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tradehub.edi.envelope import Delimiters

LENGTH = 4
"""The element of UNO that states the object's length in octets, as its first component (S022, 0810)."""


def lifted(data: bytes, found: Delimiters) -> tuple[bytes, tuple[bytes, ...]]:
    """Return a file without the objects of its packages, and those in their order.

    A file in which one of them is not as long as its UNO says is left as it is, and has none.
    """
    if b"UNO" + found.element.encode() not in data:
        return data, ()
    opening = _opening(found)
    kept: list[bytes] = []
    objects: list[bytes] = []
    at = 0
    while (uno := opening.search(data, at)) is not None:
        stated = uno[1].split(found.element.encode())[LENGTH:]
        length = stated[0].split(found.component.encode())[0] if stated else b""
        stop = uno.end() + (int(length) if length.isdigit() and len(length) < 10 else len(data))
        if not data[stop : stop + 9].lstrip().startswith(b"UNP" + found.element.encode()):
            return data, ()
        kept.append(data[at : uno.end()])
        objects.append(data[uno.end() : stop])
        at = stop
    return b"".join((*kept, data[at:])), tuple(objects)


def put_back(data: bytes, objects: Sequence[bytes], found: Delimiters) -> bytes:
    """Return a file with the objects that were taken out of it."""
    waiting = iter(objects)
    return _opening(found).sub(lambda uno: uno[0] + next(waiting, b""), data) if objects else data


def _opening(found: Delimiters) -> re.Pattern[bytes]:
    element, end = (re.escape(sign.encode()) for sign in (found.element, found.segment))
    return re.compile(rb"(?<=" + end + rb")\s*(UNO" + element + rb"[^" + end + rb"]*)" + end)
