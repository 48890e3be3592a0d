"""Where one interchange of a file ends and the next begins, so that several may be read side by side."""

from __future__ import annotations

import re

from tradehub.edi import edifact, x12
from tradehub.edi.intake import LOOK, detect

TRAILERS = {"x12": ("IEA", "ISA"), "edifact": ("UNZ", "UN[AB]")}


def spans(data: bytes) -> list[tuple[int, int]]:
    """Return (start, end) of each interchange of X12 or EDIFACT; the whole file where there is no more than one.

    A new one is known by the trailer before it and its own header; what stands between two goes with the first.
    """
    found = detect(data)
    whole = [(0, len(data))]
    if found.standard not in TRAILERS or found.encoding.startswith("utf-16"):
        return whole
    opening = data[found.start : found.start + LOOK].decode("latin-1")
    signs, _ = (x12 if found.standard == "x12" else edifact).delimiters(opening)
    trailer, header = TRAILERS[found.standard]
    end = re.escape(signs.segment.encode())
    element = re.escape(signs.element.encode())
    pattern = end + rb"\s*%b%b[^%b]{1,40}%b\s*(?=%b)" % (trailer.encode(), element, end, end, header.encode())
    starts = [0, *(match.end() for match in re.finditer(pattern, data))]
    return [*zip(starts, [*starts[1:], len(data)], strict=True)]
