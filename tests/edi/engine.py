# ruff: noqa: E501
"""What the tests of the engine share: the shipped maps, and messages made up for each of them."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from tradehub.edi.maps import MapStore
from tradehub.edi.schema import BodyNode, ElementRule, MapSpec, SegmentRule, StructureNode, Use

FOLDER = Path(__file__).resolve().parents[2] / "edi_mappings"


@cache
def maps() -> MapStore:
    return MapStore(lambda path: (FOLDER / path).read_text("utf-8") if (FOLDER / path).is_file() else None)


def every_map() -> list[tuple[str, str, str]]:
    """Return (standard, message, release) of each segment map there is."""
    found = []
    for path in sorted(FOLDER.glob("*/*/structure/*.yaml")):
        standard, release = path.parts[-4], path.parts[-3]
        if standard in {"x12", "edifact"} and (FOLDER / standard / release / path.name).is_file():
            found.append((standard, path.stem, release))
    return found


INSTEAD = {("edifact/D96A/DELFOR", "SG18"): "SG4"}
"""Groups that cannot be told from another in one message: a message has one or the other (docs/maps.md)."""

SEPARATORS = {"x12": ("*", ">"), "edifact": ("+", ":")}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DATES = st.dates(min_value=date(1990, 1, 1), max_value=date(2049, 12, 31))


@st.composite
def message(draw: st.DrawFn, spec: MapSpec) -> list[str]:
    """Return the raw segments of a message that the standard allows, rich in what the map binds."""
    element, component = SEPARATORS[spec.head.standard]
    segments: list[str] = []
    _level(draw, spec, spec.structure, segments, element, component, depth=0)
    return segments


def _level(
    draw: st.DrawFn,
    spec: MapSpec,
    nodes: tuple[StructureNode, ...],
    into: list[str],
    element: str,
    component: str,
    depth: int,
) -> None:
    bound = _bound_names(spec)
    drawn: set[str] = set()
    for at, node in enumerate(nodes):
        if INSTEAD.get((spec.head.key, node.name)) in drawn:
            continue
        is_head = depth > 0 and at == 0
        likely = node.head in bound
        most = min(node.max or 3, 2 if node.is_loop else 3)
        least = 1 if node.mandatory or is_head else 0
        if is_head:
            most = 1
        if not likely and not node.mandatory:
            most = 1 if draw(st.integers(0, 9)) == 0 else 0
        if node.name in {"LS", "LE"}:
            most = 0  # they come with the loop that they bound
        count = draw(st.integers(least, max(least, most)))
        into += [f"LS{element}A"] if node.bounded and count else []
        for _ in range(count):
            drawn.add(node.name)
            if node.is_loop:
                _level(draw, spec, node.children, into, element, component, depth + 1)
            else:
                raw = _segment(draw, spec, node, element, component)
                if raw:
                    into.append(raw)
        into += [f"LE{element}A"] if node.bounded and count else []


@cache
def _names(spec_key: str) -> frozenset[str]:
    standard, release, kind = spec_key.split("/")
    found: set[str] = set()

    def walk(nodes: tuple[BodyNode, ...]) -> None:
        for node in nodes:
            found.add(node.head.name)
            walk(node.children)

    walk(maps().spec(standard, kind, release).body)
    return frozenset(found)


def _bound_names(spec: MapSpec) -> frozenset[str]:
    return _names(spec.head.key)


def _segment(draw: st.DrawFn, spec: MapSpec, node: StructureNode, element: str, component: str) -> str:
    rule = node.rule
    assert rule is not None, node.name
    values = [_use(draw, spec, use, component) for use in rule.uses]
    _satisfy(draw, spec, rule, values, component)
    if not any(values):
        while not values[0]:
            values[0] = _use(draw, spec, rule.uses[0], component, forced=True)
        _satisfy(draw, spec, rule, values, component)
    raw = element.join([node.name, *values]).rstrip(element)
    return raw if raw != node.name else ""


def _satisfy(draw: st.DrawFn, spec: MapSpec, rule: SegmentRule, values: list[str], component: str) -> None:
    """Fill in what relational conditions ask for; where that goes round in circles, empty what asks."""
    for turn in range(8):
        for condition in rule.conditions:
            at = [each - 1 for each in condition.positions if each <= len(values)]
            for each in _wanted(condition.kind, at, rule, values, turn):
                while not values[each]:
                    values[each] = _use(draw, spec, rule.uses[each], component, forced=True)


def _wanted(kind: str, at: list[int], rule: SegmentRule, values: list[str], turn: int) -> list[int]:
    """Return the positions that a condition wants filled. From the third turn on its head is emptied instead."""
    present = [each for each in at if values[each]]
    gives_way = turn > 2 and not any(rule.uses[each].mandatory for each in (at if kind == "P" else at[:1]))
    wanted: list[int] = []
    match kind:
        case "P":
            wanted = at if present else []
        case "R":
            return [] if present else [at[turn % len(at)]]
        case "C":
            wanted = at if values[at[0]] else []
        case "L":
            wanted = at[1:2] if values[at[0]] and len(present) == 1 else []
        case "E":
            for each in present[1:]:
                values[each] = ""
    if gives_way and any(not values[each] for each in wanted):
        for each in at if kind == "P" else at[:1]:
            values[each] = ""
        return []
    return wanted


def _use(draw: st.DrawFn, spec: MapSpec, use: Use, component: str, *, forced: bool = False) -> str:
    if not forced and not use.mandatory and draw(st.integers(0, 2)) == 0:
        return ""
    if use.element is not None:
        return draw(_value(use.element))
    parts = [
        _use(draw, spec, part, component, forced=part.mandatory or (forced and at == 0))
        for at, part in enumerate(use.parts)
    ]
    if use.mandatory and not any(parts):
        parts[0] = _use(draw, spec, use.parts[0], component, forced=True)
    for condition in use.conditions:
        at = [each - 1 for each in condition.positions if each <= len(parts)]
        if condition.kind == "P" and any(parts[each] for each in at):
            for each in at:
                parts[each] = parts[each] or _use(draw, spec, use.parts[each], component, forced=True)
    return component.join(parts).rstrip(component)


QUALIFIERS = {
    "x12": {
        "98": "BY SE ST BT ZZ", "128": "PO CT VN ZZ RE PR", "374": "002 010 011 ZZZ", "235": "BP VP UP EN ZZ", "66": "1 9 92 91 ZZ",
        "355": "EA KG CS ZZ", "349": "F S", "353": "00 05 01", "735": "S O T P I", "668": "IA IQ IP", "92": "SA NE BK", "639": "PE CT",
        "248": "A C N", "522": "TT 1", "587": "AD AC RJ",
    },
    "edifact": {
        "3035": "BY SU DP ZZZ", "1153": "ON CT AAG ZZZ", "2005": "137 2 10 171 ZZZ", "2379": "102 203 204 718", "7143": "EN BP SA ZZZ",
        "3055": "9 91 92 ZZZ", "6411": "PCE KGM ZZZ", "6063": "21 12 192 53", "5125": "AAA AAB CAL", "5025": "203 86 79 124 8", "6069": "1 2",
        "3155": "TE EM FX", "1225": "9 5 1", "1229": "1 3 5", "0081": "S", "4451": "AAI WAR", "5463": "A C",
    },
}  # fmt: skip


def _value(rule: ElementRule) -> st.SearchStrategy[str]:
    if rule.codes:
        return st.sampled_from(sorted(rule.codes))
    codes = QUALIFIERS["edifact" if rule.type in {"a", "n", "an"} else "x12"].get(rule.id)
    if codes:
        fitting = [code for code in codes.split() if rule.min <= len(code) <= rule.max]
        if fitting:
            return st.sampled_from(fitting)
    if rule.id == "2380":
        return st.one_of(DATES.map(lambda day: f"{day:%Y%m%d}"), DATES.map(lambda day: f"{day:%Y%m%d}1230"))
    if rule.type == "DT":
        form = "%Y%m%d" if rule.max >= 8 else "%y%m%d"
        return DATES.map(lambda day: day.strftime(form))
    if rule.type == "TM":
        return st.times().map(lambda moment: f"{moment:%H%M}")
    if rule.type[0] in "RN" or rule.type == "n":
        return _number(rule)
    longest = min(rule.max, 12)
    alphabet = LETTERS if rule.type in {"a", "ID"} else LETTERS + "0123456789 -."
    return st.text(alphabet, min_size=max(rule.min, 1), max_size=max(longest, rule.min)).map(
        lambda text: _tidy(text, rule.min)
    )


def _tidy(text: str, least: int) -> str:
    return text.strip().ljust(max(least, 1), "X")


def _number(rule: ElementRule) -> st.SearchStrategy[str]:
    most = 10 ** min(rule.max, 6) - 1
    whole = st.integers(10 ** (rule.min - 1) if rule.min > 1 else 0, most).map(str)
    if rule.type in {"R", "n"} and rule.max >= 4 and rule.min <= 1:
        return st.one_of(whole, st.sampled_from(["1.20", "0.5", "007", ".5", "10.", "100"]))
    return whole
