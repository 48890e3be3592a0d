"""Sound messages made faulty in one place, with what a judge must say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from tradehub.edi.functions import read_date
from tradehub.edi.machine import Loop, Place
from tradehub.edi.maps import Map
from tradehub.edi.reading import Decoded
from tradehub.edi.schema import NO_LIMIT, ElementRule, Use
from tradehub.edi.segments import Fault


class Mutation(NamedTuple):
    """A faulty message: what was done, the segments, and where (segment from 1, element, component) which fault lies."""

    kind: str
    raw: list[str]
    number: int
    element: int
    component: int
    fault: Fault


class Spot(NamedTuple):
    """One place in a message where a value is: with its rule."""

    number: int
    element: int
    component: int
    value: str
    use: Use


Maker = Callable[[Map, list[str], Decoded, str, str, Random], Mutation | None]


def mutated(rules: Map, raw: list[str], decoded: Decoded, signs: tuple[str, str], random: Random) -> Mutation | None:
    """Return the message with one fault of a random kind; None where it has no place for it."""
    return random.choice(MUTATIONS)(rules, raw, decoded, *signs, random)


def spots(rules: Map, raw: list[str], decoded: Decoded, element: str, component: str) -> Iterator[Spot]:
    """Yield every value of a message that stands in a place of its map."""
    for number, (segment, at) in enumerate(zip(raw, decoded.places, strict=True), 1):
        rule = rules.machine.places[at].rule if at >= 0 else None
        for position, (value, use) in enumerate(
            zip(segment.split(element)[1:], rule.uses if rule else (), strict=False), 1
        ):
            if use.element is not None:
                yield Spot(number, position, 0, value, use)
                continue
            for part, (text, below) in enumerate(zip(value.split(component), use.parts, strict=False), 1):
                yield Spot(number, position, part, text, below)


def with_value(raw: list[str], spot: Spot, value: str, element: str, component: str) -> list[str]:
    """Return the message with another value in one place."""
    pieces = raw[spot.number - 1].split(element)
    parts = pieces[spot.element].split(component)
    parts[max(spot.component, 1) - 1] = value
    pieces[spot.element] = component.join(parts).rstrip(component)
    return [*raw[: spot.number - 1], element.join(pieces).rstrip(element), *raw[spot.number :]]


def _values(kind: str, fault: Fault, wrong: Callable[[ElementRule, str], str]) -> Maker:
    """Return what puts a wrong value in: ``wrong`` gives it, or the empty text where the element cannot be so wrong."""

    def make(
        rules: Map, raw: list[str], decoded: Decoded, element: str, component: str, random: Random
    ) -> Mutation | None:
        found = [
            (each, value)
            for each in spots(rules, raw, decoded, element, component)
            if each.value and each.use.element is not None and (value := wrong(each.use.element, each.value))
        ]
        if not found:
            return None
        spot, value = random.choice(found)
        made = with_value(raw, spot, value, element, component)
        return Mutation(kind, made, spot.number, spot.element, spot.component, fault)

    return make


def _too_long(rule: ElementRule, value: str) -> str:
    if rule.codes or rule.type in {"DT", "TM", "B"} or rule.max > 200:
        return ""
    is_number = rule.type[0] in "RN" or rule.type == "n"
    return ("1" if is_number else "X") * (rule.max + 1)


def _too_short(rule: ElementRule, value: str) -> str:
    if rule.codes or rule.min < 2 or rule.type in {"DT", "TM"}:
        return ""
    return ("1" if rule.type[0] in "RN" or rule.type == "n" else "X") * (rule.min - 1)


def _no_code(rule: ElementRule, value: str) -> str:
    code = "QZX"[: rule.max].ljust(min(rule.min, NO_LIMIT), "Q")
    return code if rule.codes and rule.codes_are_closed and rule.type == "ID" and code not in rule.codes else ""


def _no_day(rule: ElementRule, value: str) -> str:
    if rule.type != "DT":
        return ""
    wrong = value[:-4] + "0230"
    try:
        read_date(wrong)
    except ValueError:
        return wrong
    return ""


def _no_number(rule: ElementRule, value: str) -> str:
    return "1A" if rule.type[0] in "RN" and rule.min <= 2 <= rule.max else ""


def _without_element(
    rules: Map, raw: list[str], decoded: Decoded, element: str, component: str, random: Random
) -> Mutation | None:
    found = [
        each
        for each in spots(rules, raw, decoded, element, component)
        if each.component == 0 and each.value and each.use.mandatory
        and sum(map(bool, raw[each.number - 1].split(element))) > 2
    ]  # fmt: skip
    if not found:
        return None
    spot = random.choice(found)
    made = with_value(raw, spot, "", element, component)
    return Mutation("no mandatory element", made, spot.number, spot.element, 0, Fault.MISSING_ELEMENT)


def _alone(rules: Map, decoded: Decoded) -> Iterator[tuple[int, Place]]:
    """Yield the segments that no loop begins with, and whose tag the message's structure has once: where they belong is
    beyond doubt."""
    times = Counter(place.tag for place in rules.machine.places)
    for number, at in enumerate(decoded.places, 1):
        place = rules.machine.places[at]
        if at >= 0 and times[place.tag] == 1 and not place.is_head and place.tag not in {"LS", "LE"}:
            yield number, place


def _without_segment(
    rules: Map, raw: list[str], decoded: Decoded, element: str, component: str, random: Random
) -> Mutation | None:
    found = [
        number
        for number, place in _alone(rules, decoded)
        if place.mandatory and place.max == 1 and place.tag != "UNS"  # UNS decides what follows it
    ]
    if not found or len(raw) < 2:
        return None
    number = random.choice(found)
    return Mutation("no mandatory segment", [*raw[: number - 1], *raw[number:]], number, 0, 0, Fault.MISSING_SEGMENT)


def _segment_twice(
    rules: Map, raw: list[str], decoded: Decoded, element: str, component: str, random: Random
) -> Mutation | None:
    found = [number for number, place in _alone(rules, decoded) if place.max == 1]
    if not found:
        return None
    number = random.choice(found)
    made = [*raw[:number], *raw[number - 1 :]]
    return Mutation("a segment twice", made, number + 1, 0, 0, Fault.TOO_MANY_SEGMENTS)


def _unknown_segment(
    rules: Map, raw: list[str], decoded: Decoded, element: str, component: str, random: Random
) -> Mutation | None:
    number = random.randint(2, len(raw) + 1)
    made = [*raw[: number - 1], f"QQQ{element}1", *raw[number - 1 :]]
    return Mutation("an unknown segment", made, number, 0, 0, Fault.UNKNOWN_SEGMENT)


def _swapped(
    rules: Map, raw: list[str], decoded: Decoded, element: str, component: str, random: Random
) -> Mutation | None:
    alone = dict(_alone(rules, decoded))
    found = [
        number
        for number, place in alone.items()
        if number + 1 in alone
        and alone[number + 1].loop is place.loop
        and alone[number + 1] is not place
        and raw[number + 1 : number + 2] != [raw[number]]
        and not place.mandatory
        and _has_none_after(decoded, number, place.loop)
    ]
    if not found:
        return None
    number = random.choice(found)
    made = [*raw[: number - 1], raw[number], raw[number - 1], *raw[number + 1 :]]
    return Mutation("two segments swapped", made, number + 1, 0, 0, Fault.OUT_OF_ORDER)


def _has_none_after(decoded: Decoded, number: int, loop: Loop) -> bool:
    """Return whether both segments of a pair come once."""
    places = decoded.places
    return places.count(places[number - 1]) == places.count(places[number]) == 1


MUTATIONS: tuple[Maker, ...] = (
    _values("too long", Fault.TOO_LONG, _too_long),
    _values("too short", Fault.TOO_SHORT, _too_short),
    _values("no code of the list", Fault.INVALID_CODE, _no_code),
    _values("no day", Fault.INVALID_DATE, _no_day),
    _values("no number", Fault.INVALID_CHARACTER, _no_number),
    _without_element,
    _without_segment,
    _segment_twice,
    _unknown_segment,
    _swapped,
)


def wild(raw: list[str], element: str, random: Random) -> tuple[list[str], str]:
    """Return the message with a fault that nobody foretells: it may even be none."""
    made, at = list(raw), random.randrange(len(raw))
    pieces = made[at].split(element)
    position = random.randrange(1, len(pieces)) if len(pieces) > 1 else 0
    kind = random.choice(
        (
            "a segment away",
            "a segment again",
            "two segments changed about",
            "no value",
            "a value from elsewhere",
            "more",
        )
    )
    match kind:
        case "a segment away" if len(made) > 1:
            del made[at]
        case "a segment again":
            made.insert(random.randint(at, len(made)), made[at])
        case "two segments changed about":
            other = random.randrange(len(raw))
            made[at], made[other] = made[other], made[at]
        case "no value" if position:
            pieces[position] = ""
        case "a value from elsewhere" if position:
            pieces[position] = random.choice([*random.choice(raw).split(element)[1:], "X"])
        case "more":
            pieces += [""] * random.randrange(8) + ["9"]
    if kind in {"no value", "a value from elsewhere", "more"}:
        made[at] = element.join(pieces).rstrip(element)
    return [each if element in each else each + element + "1" for each in made], kind
