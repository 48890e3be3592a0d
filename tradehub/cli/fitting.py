"""What a message that was made from another standard's document says, as far as the standard lets it stand.

A value that does not fit its element, and one that its segment allows only beside another, would have the whole
message refused. They are cut or left out, one after the other, until nothing more is to be mended; ``convert`` names
among the losses what this takes away. What a standard demands and the document does not say stays missing.
"""

from __future__ import annotations

from dataclasses import replace

from tradehub.edi import Fault, Map, OutMessage, Severity
from tradehub.edi.reading import Placed
from tradehub.edi.segments import COMPONENT, ELEMENT

_UNFIT = frozenset({Fault.TOO_SHORT, Fault.INVALID_CODE, Fault.INVALID_CHARACTER, Fault.NOT_A_NUMBER})
ROUNDS = 8
"""What is left out may leave something else alone."""


def fitted(rules: Map, made: OutMessage) -> OutMessage:
    """Return the message without what no reader of the standard would take."""
    raw = list(made.raw)
    for _ in range(ROUNDS):
        decoded = rules.read(raw, ELEMENT, COMPONENT)
        wrong = [each for each in decoded.findings if each.finding.severity is Severity.ERROR]
        places = [rules.machine.places[at] if at >= 0 else None for at in decoded.places]
        kept = _mended(raw, wrong, [each is not None and (each.is_head or each.mandatory) for each in places])
        if kept == raw:
            break
        raw = kept
    return replace(made, raw=tuple(raw))


def _mended(raw: list[str], wrong: list[Placed], needed: list[bool]) -> list[str]:
    kept: list[str | None] = list(raw)
    for each in wrong:
        at, finding = each.number - 1, each.finding
        segment = kept[at] if at < len(kept) else None
        if segment is None:
            continue
        if finding.fault is Fault.TOO_LONG:
            kept[at] = _with(segment, finding.element, finding.component, _cut(finding.value, finding.rule))
        elif finding.fault in _UNFIT:
            kept[at] = _with(segment, finding.element, finding.component, "")
        elif finding.fault is Fault.MISSING_CONDITIONAL and finding.rule.startswith("R"):
            kept[at] = segment if needed[at] else None
        elif finding.fault is Fault.MISSING_CONDITIONAL and len(finding.rule) == len("P0304"):
            for alone in (finding.rule[1:3], finding.rule[3:5]):
                segment = _with(segment, int(alone), 0, "")
            kept[at] = segment
    return [each for each in kept if each is not None]


def _cut(value: str, bounds: str) -> str:
    """Return as many words as fit; nothing of a value that is one word, since a part of a number is another number."""
    most = int(bounds.rpartition("/")[2])
    return value[: most + 1].rpartition(" ")[0]


def _with(segment: str, element: int, component: int, value: str) -> str:
    """Return the segment with another value at a place, without empty places at its end."""
    elements = segment.split(ELEMENT)
    parts = elements[element].split(COMPONENT) if element < len(elements) else [""]
    if component:
        parts[component - 1] = value
        value = COMPONENT.join(parts).rstrip(COMPONENT)
    if element < len(elements):
        elements[element] = value
    return ELEMENT.join(elements).rstrip(ELEMENT)
