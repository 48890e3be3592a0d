"""Units of measure that nobody knows. Reading keeps them as they came; business is not done in them.

Known are the codes of the maps' unit tables (UN/ECE Recommendation 20, and its packages with X before them).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from tradehub import edi
from tradehub.edi import xml
from tradehub.edi.maps import MapStore
from tradehub.edi.schema import Guide
from tradehub.edi.segments import COMPONENT
from tradehub.edi.xml_intake import line_of

_TABLES = (("x12", "004010"), ("edifact", "D96A"))
_ELEMENTS = {"x12": "355", "edifact": "6411"}


@lru_cache
def known_units(maps: MapStore) -> frozenset[str]:
    """Return the units, by their Recommendation 20 codes, that at least one standard's table knows."""
    return frozenset(unit for pair in _TABLES for unit in maps.dictionary(*pair).tables.get("unit", {}).values())


def unknown_in_segments(message: edi.ReadMessage, maps: MapStore) -> tuple[edi.Issue, ...]:
    """Return an issue at each element of a message whose unit code the standard's table does not know."""
    if not _has_unknown(message.document, f"{message.standard}:"):
        return ()
    release = message.map_key.split("/")[1] if message.map_key else ""
    return tuple(_in_segments(message, maps, release)) if release else ()


def _has_unknown(value: Any, prefix: str) -> bool:
    if isinstance(value, dict):
        unit = value.get("unit")
        if isinstance(unit, str) and unit.startswith(prefix):
            return True
        return any(_has_unknown(each, prefix) for name, each in value.items() if name != "extensions")
    return isinstance(value, list | tuple) and any(_has_unknown(each, prefix) for each in value)


def _in_segments(message: edi.ReadMessage, maps: MapStore, release: str) -> Iterator[edi.Issue]:
    dictionary = maps.dictionary(message.standard, release)
    codes, wanted = dict(dictionary.tables.get("unit", {})), _ELEMENTS[message.standard]
    if isinstance(message.guide, Guide):
        codes |= {**message.guide.tables.get("unit", {}), **message.guide.rename.get("unit", {})}
    for segment in message.segments():
        rule = dictionary.segments.get(segment.tag)
        for number, use in enumerate(rule.uses if rule else (), 1):
            if use.ref == wanted:
                places = [(0, segment.element(number))]
            else:
                parts = segment.element(number).split(COMPONENT)
                places = [
                    (at, parts[at - 1])
                    for at, part in enumerate(use.parts, 1)
                    if part.ref == wanted and at <= len(parts)
                ]
            for component, code in places:
                if code and code not in codes:
                    yield _issue(message, segment, number, component, wanted, code)


def _issue(
    message: edi.ReadMessage, segment: edi.Segment, element: int, component: int, wanted: str, code: str
) -> edi.Issue:
    at = edi.Position(
        message.interchange.control_number, message.group.control_number, message.control_number, segment.number,
        segment.tag, _loop_of(segment.tag), element, component,
    )  # fmt: skip
    return edi.Issue(edi.Fault.INVALID_CODE, at, f"{code} is no unit that we know", element_id=wanted, value=code)


def _loop_of(tag: str) -> str:
    return tag if tag in ("PO1", "IT1", "LIN") else ""


def unknown_in_xml(read: xml.ReadXml, maps: MapStore) -> tuple[edi.Issue, ...]:
    """Return an issue at each ``unitCode`` that is no unit we know."""
    if read.root is None or read.rules is None:
        return ()
    known = known_units(maps)
    issues = []
    for element in read.root.iter("{*}*"):
        code = element.get("unitCode")
        if code and code not in known and not (len(code) == 3 and code.startswith("X")):
            name = str(element.tag).rpartition("}")[2]
            path = f"{xml.path_of(read.rules.structure, read.root, element)}/@unitCode"
            at = edi.Position(segment=line_of(element), tag=name, path=path)
            issues.append(edi.Issue(edi.Fault.INVALID_CODE, at, f"{code} is no unit that we know", value=code))
    return tuple(issues)
