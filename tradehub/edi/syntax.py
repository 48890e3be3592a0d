"""What is to be said of a message without a map: whether its segments are segments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tradehub.edi.envelope import Delimiters
from tradehub.edi.segments import Fault, Issue, Position
from tradehub.edi.x12 import Cut

TAGS = {"x12": re.compile(r"[A-Z][A-Z0-9]{1,2}\Z"), "edifact": re.compile(r"[A-Z][A-Z0-9]{2}\Z")}
"""X12 element 721 and EDIFACT 0135; TRADACOMS writes its tags as EDIFACT does."""


def faults(cut: Cut, found: Delimiters) -> Iterator[Issue]:
    """Yield the segments whose tags are none, and in X12, those that hold nothing."""
    form = TAGS.get(cut.interchange.standard, TAGS["edifact"])
    for number, segment in enumerate(cut.body[cut.shared :], 2):
        tag, *elements = segment.split(found.element)
        tag = tag.split(found.component)[0].strip()
        at = Position(cut.interchange.control_number, cut.group.control_number, cut.control_number, number, tag[:3])
        if not form.match(tag):
            yield Issue(Fault.UNKNOWN_SEGMENT, at, f"{tag[:20]!r} is no tag of a segment", value=tag[:20])
        elif not any(elements) and cut.interchange.standard == "x12":  # EDIFACT knows segments of a tag alone
            yield Issue(Fault.EMPTY_SEGMENT, at, "the segment is empty")
