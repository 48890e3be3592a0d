"""The rules of one segment, walked slowly: run only where the generated function says that something is wrong.

Each fault is named with element, component, code and value; the segment comes back with the faulty values blanked, so
that
what is right in it can still be bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tradehub.edi.functions import read_date, read_time
from tradehub.edi.schema import Condition, ElementRule, SegmentRule, Use
from tradehub.edi.segments import Fault, Severity


class Finding(NamedTuple):
    """A fault within one segment, before it has a place in the interchange."""

    fault: Fault
    element: int
    component: int
    text: str
    element_id: str = ""
    value: str = ""
    rule: str = ""
    severity: Severity = Severity.ERROR


_UNUSED = "the partner's guide does not use this element"
_NUMBER = re.compile(r"-?(\d*)(?:\.(\d*))?\Z", re.ASCII)
_INTEGER = re.compile(r"-?(\d+)\Z", re.ASCII)


RELEASE_BOUND = frozenset({
    Fault.TOO_LONG, Fault.TOO_SHORT, Fault.INVALID_CODE, Fault.TOO_MANY_ELEMENTS, Fault.MISSING_CONDITIONAL,
    Fault.EXCLUDED,
})  # fmt: skip
"""Faults against what changes from release to release: under a release that stands in they are warnings.

Not TOO_MANY_COMPONENTS: that is nearly always a separator within a text that was not released.
"""


def explain(
    rule: SegmentRule, elements: list[str], component: str, *, stands_in: bool = False
) -> tuple[list[Finding], list[str]]:
    """Return the findings of a segment (``elements`` begins with the tag) and the segment with faulty values
    blanked. ``stands_in``: the rule is of another release than the message."""
    clean = list(elements)
    found: list[Finding] = []
    for at in range(len(rule.uses) + 1, len(elements)):
        if elements[at]:
            found.append(Finding(Fault.TOO_MANY_ELEMENTS, at, 0, "the segment has no such element", value=elements[at]))
            clean[at] = ""
            break
    if len(elements) > 1 and not any(elements[1:]):
        found.append(Finding(Fault.EMPTY_SEGMENT, 0, 0, "the segment is empty"))
    for at, use in enumerate(rule.uses, 1):
        value = elements[at] if at < len(elements) else ""
        faults = list(element_faults(use, value, at, component))
        if not faults:
            continue
        if stands_in:
            faults = milder(faults)
        found += faults
        if at < len(clean) and any(each.severity is Severity.ERROR for each in faults):
            clean[at] = _blanked(use, value, faults, component)
    values = [elements[at] if at < len(elements) else "" for at in range(1, len(rule.uses) + 1)]
    found += _conditions(rule.conditions, values, [use.ref for use in rule.uses], 0)
    return milder(found) if stands_in else found, clean


def milder(found: list[Finding]) -> list[Finding]:
    """Return findings as they count under a rule of another release."""
    return [each._replace(severity=Severity.WARNING) if each.fault in RELEASE_BOUND else each for each in found]


def _blanked(use: Use, value: str, faults: list[Finding], component: str) -> str:
    if not use.parts:
        return ""
    parts = value.split(component)[: len(use.parts)]
    for each in faults:
        if 0 < each.component <= len(parts) and each.severity is Severity.ERROR:
            parts[each.component - 1] = ""
    return component.join(parts).rstrip(component)


def element_faults(use: Use, value: str, at: int, component: str) -> Iterator[Finding]:
    """Yield what is wrong with one element, or composite, at position ``at``."""
    if not value:
        if use.mandatory:
            yield Finding(Fault.MISSING_ELEMENT, at, 0, "the element is mandatory", use.ref, rule="M")
        return
    if use.forbidden:
        yield Finding(Fault.FORBIDDEN, at, 0, _UNUSED, use.ref, value)
        return
    if use.element is not None:
        yield from _value(use.element, value, at, 0)
        return
    parts = value.split(component)
    for number in range(len(use.parts) + 1, len(parts) + 1):
        if parts[number - 1]:
            yield Finding(
                Fault.TOO_MANY_COMPONENTS, at, number, "the composite has no such component", use.ref, parts[number - 1]
            )
            break
    for number, part in enumerate(use.parts, 1):
        text = parts[number - 1] if number <= len(parts) else ""
        if not text and part.mandatory:
            yield Finding(Fault.MISSING_ELEMENT, at, number, "the component is mandatory", part.ref, rule="M")
        elif text and part.forbidden:
            yield Finding(Fault.FORBIDDEN, at, number, _UNUSED, part.ref, text)
        elif text and part.element is not None:
            yield from _value(part.element, text, at, number)
    texts = [parts[number] if number < len(parts) else "" for number in range(len(use.parts))]
    yield from _conditions(use.conditions, texts, [part.ref for part in use.parts], at)


def _value(rule: ElementRule, value: str, at: int, component: int) -> Iterator[Finding]:
    kind = rule.type
    if kind in {"DT", "TM"}:
        yield from _moment(rule, value, at, component)
        return
    length = len(value)
    if kind[0] in "RN" or kind == "n":
        digits = _digits(kind, value)
        if digits is None:
            fault = Fault.NOT_A_NUMBER if kind == "n" else Fault.INVALID_CHARACTER
            yield Finding(fault, at, component, f"{value!r} is not a number", rule.id, value, kind)
            return
        length = digits
    fits = rule.min <= length <= rule.max
    if rule.codes and value not in rule.codes and (fits or rule.codes_are_closed):
        severity = Severity.ERROR if rule.codes_are_closed else Severity.WARNING
        yield Finding(
            Fault.INVALID_CODE, at, component, f"{value!r} is not in the code list", rule.id, value, severity=severity
        )
        return
    bounds = f"{kind} {rule.min}/{rule.max}"
    if length > rule.max:
        yield Finding(Fault.TOO_LONG, at, component, f"{length} characters, at most {rule.max}", rule.id, value, bounds)
    elif length < rule.min:
        yield Finding(
            Fault.TOO_SHORT, at, component, f"{length} characters, at least {rule.min}", rule.id, value, bounds
        )
    if kind == "a" and any(sign.isdigit() for sign in value):
        yield Finding(Fault.INVALID_CHARACTER, at, component, f"{value!r} is not alphabetic", rule.id, value, kind)


def _digits(kind: str, value: str) -> int | None:
    """Return how many digits count for the length, or None for what is no number."""
    if kind[0] == "N":
        whole = _INTEGER.match(value)
        return len(whole[1]) if whole else None
    match = _NUMBER.match(value.replace(",", ".", 1) if kind == "n" else value)
    if not match or not (match[1] or match[2]):
        return None
    return len(match[1]) + len(match[2] or "")


def _moment(rule: ElementRule, value: str, at: int, component: int) -> Iterator[Finding]:
    bounds = f"{rule.type} {rule.min}/{rule.max}"
    if len(value) > rule.max:
        yield Finding(
            Fault.TOO_LONG, at, component, f"{len(value)} characters, at most {rule.max}", rule.id, value, bounds
        )
        return
    if len(value) < rule.min:
        yield Finding(
            Fault.TOO_SHORT, at, component, f"{len(value)} characters, at least {rule.min}", rule.id, value, bounds
        )
        return
    fault, read, what = (
        (Fault.INVALID_DATE, read_date, "day") if rule.type == "DT" else (Fault.INVALID_TIME, read_time, "time")
    )
    try:
        read(value)
    except ValueError:
        yield Finding(fault, at, component, f"{value!r} is a {what} that does not exist", rule.id, value, rule.type)


def _conditions(
    conditions: tuple[Condition, ...], values: list[str], refs: list[str], within: int
) -> Iterator[Finding]:
    for each in conditions:
        for position in _broken(each, values):
            at, component = (within, position) if within else (position, 0)
            fault = Fault.EXCLUDED if each.kind == "E" else Fault.MISSING_CONDITIONAL
            text = f"condition {each} is not met"
            yield Finding(fault, at, component, text, refs[position - 1], values[position - 1], str(each))


def _broken(condition: Condition, values: list[str]) -> list[int]:
    """Return the positions at fault: the missing ones, or for E the one too many."""
    present = [position for position in condition.positions if position <= len(values) and values[position - 1]]
    absent = [position for position in condition.positions if position not in present and position <= len(values)]
    first, *others = condition.positions
    match condition.kind:
        case "P":
            return absent if present else []
        case "R":
            return [] if present else absent[:1]
        case "E":
            return present[1:]
        case "C":
            return [each for each in absent if each != first] if first in present else []
        case _:
            return others[:1] if first in present and len(present) == 1 else []
