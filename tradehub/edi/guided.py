"""Which issues a partner's guide makes, and not the standard: 999 has codes of their own for these."""

from __future__ import annotations

from dataclasses import replace

from tradehub.edi.acknowledgement import GUIDE
from tradehub.edi.schema import Guide
from tradehub.edi.segments import Fault, Issue

_ELEMENTS = {Fault.INVALID_CODE: "close", Fault.MISSING_ELEMENT: "require"}
_SEGMENTS = {Fault.MISSING_SEGMENT: "require", Fault.UNEXPECTED_SEGMENT: "forbid", Fault.NOT_IN_SET: "forbid"}


def marked(issues: list[Issue], guide: Guide | None) -> list[Issue]:
    """Return the issues, those that the guide makes with ``guide`` as their rule."""
    if guide is None:
        return issues
    return [replace(issue, rule=GUIDE) if _is_of(guide, issue) else issue for issue in issues]


def _is_of(guide: Guide, issue: Issue) -> bool:
    part = (_ELEMENTS if issue.at.element else _SEGMENTS).get(issue.fault)
    if part is None:
        return False
    name = f"{issue.at.tag}.{issue.at.element:02}" if issue.at.element else issue.at.tag
    return any(each == name or each.endswith(f".{name}") for each in getattr(guide, part))
