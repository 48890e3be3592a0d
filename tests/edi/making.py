"""Messages that a map's structure allows, made fast: plain random choice instead of Hypothesis, a millisecond or two each.

The same seed makes the same message. A message is sparse or dense, short or long, by its seed; codes are mostly those
that the map interprets, sometimes unknown; numbers and dates come in every form that the standards allow.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from random import Random

from tests.edi.engine import INSTEAD, LETTERS, QUALIFIERS, SEPARATORS
from tradehub.edi.maps import Map
from tradehub.edi.schema import BodyNode, Condition, ElementRule, MapSpec, StructureNode, Use

Value = Callable[[Random], str]
At = tuple[str, int, int]
"""A place of a segment: tag, element, component (1 where the element is no composite)."""

TEXT = LETTERS + LETTERS.lower() + "0123456789 -./"
NUMBERS = ("1.20", "0.5", "007", ".5", "10.", "100", "-5", "-0.10", "0", "1000000", "0.001")
DIGITS = {"102": 8, "203": 12, "204": 14, "718": 16, "719": 24, "616": 6, "801": 1, "804": 2, "ZZZ": 5}
PERIODS = tuple(DIGITS)
LEVELS = "SOTPI"
OPEN, DENSITIES, MOST = 0.06, (0.05, 0.3, 0.6, 0.9), (8, 15, 30, 60)


@cache
def maker(rules: Map) -> Maker:
    return Maker(rules.spec)


class Maker:
    """Makes messages of one map."""

    def __init__(self, spec: MapSpec) -> None:
        self.spec = spec
        self.element, self.component = SEPARATORS[spec.head.standard]
        self._bound = _bound(spec)
        self._wanted, self._numeric = _wanted(spec)
        self._values: dict[At, Value] = {}
        self._random = Random()
        self._segments: list[str] = []
        self._nodes = self._parts = 0.5
        self._most = 0
        self.is_nested = True

    def message(self, seed: int | str, *, most: int = 0) -> list[str]:
        """Return raw segments, ST and SE or UNH and UNT left out: about ``most``, or as many as the seed says."""
        random = self._random = Random(seed)
        self._nodes, self._parts = random.choice(DENSITIES), random.choice(DENSITIES)
        self._most = most or random.choice(MOST)
        self._segments = []
        self._level(self.spec.structure, 0)
        self.is_nested = random.random() < 0.9
        return list(self._nested()) if self.is_nested else self._segments

    def _nested(self) -> Iterator[str]:
        """Yield the segments with levels (HL, CPS) counted from 1, each in one before it that can hold it."""
        ranks: list[int] = []
        for raw in self._segments:
            tag, *pieces = raw.split(self.element)
            if tag in {"HL", "CPS"}:
                above = self._random.choice([at for at, rank in enumerate(ranks, 1) if rank < len(LEVELS) - 1] or [0])
                pieces[:2] = [str(len(ranks) + 1), str(above or "")]
                rank = self._random.randrange(ranks[above - 1] + 1, len(LEVELS)) if above else 0
                if tag == "HL" and self.spec.head.shape == "hl":
                    pieces[2] = LEVELS[rank]
                ranks.append(rank if tag == "HL" else 0)
            yield self.element.join([tag, *pieces]).rstrip(self.element)

    def _level(self, nodes: Iterable[StructureNode], depth: int) -> None:
        drawn: set[str] = set()
        for at, node in enumerate(nodes):
            is_head = depth > 0 and at == 0
            if INSTEAD.get((self.spec.head.key, node.name)) in drawn or node.name in {"LS", "LE"}:
                continue
            count = 1 if is_head else self._count(node)
            self._segments += [f"LS{self.element}A"] if node.bounded and count else []
            for _ in range(count):
                drawn.add(node.name)
                if node.is_loop:
                    self._level(node.children, depth + 1)
                else:
                    self._segments += self._segment(node)
            self._segments += [f"LE{self.element}A"] if node.bounded and count else []

    def _count(self, node: StructureNode) -> int:
        random = self._random
        least = 1 if node.mandatory else 0
        if len(self._segments) >= self._most:
            return least
        likely = self._nodes if node.head in self._bound and not node.habit else OPEN * self._nodes
        if random.random() >= likely:
            return least
        most = min(node.max or 3, 3)
        return 1 if most == 1 else random.randint(1, most)

    def _segment(self, node: StructureNode) -> list[str]:
        rule = node.rule
        assert rule is not None, node.name
        made = [self._use(use, node.name, at) for at, use in enumerate(rule.uses, 1)]
        if not any(made):
            made[0] = self._use(rule.uses[0], node.name, 1, forced=True)
        _satisfy(rule.conditions, rule.uses, made, lambda at: self._use(rule.uses[at], node.name, at + 1, forced=True))
        if not any(made):
            return []
        return [self.element.join([node.name, *made]).rstrip(self.element)]

    def _use(self, use: Use, tag: str, at: int, *, forced: bool = False) -> str:
        if use.forbidden or not (forced or use.mandatory or self._random.random() < self._parts):
            return ""
        if use.element is not None:
            return self._value(use.element, tag, at, 1)
        parts = [
            self._value(part.element, tag, at, number)
            if part.element is not None and (part.mandatory or number == 1 or self._random.random() < self._parts)
            else ""
            for number, part in enumerate(use.parts, 1)
        ]
        if use.ref == "C507" and self._random.random() < 0.9:
            parts[1:] = self._period()

        def fill(number: int) -> str:
            part = use.parts[number].element
            return self._value(part, tag, at, number + 1) if part is not None else ""

        _satisfy(use.conditions, use.parts, parts, fill)
        return self.component.join(parts).rstrip(self.component)

    def _period(self) -> list[str]:
        """Return a date, time or period with its format, as they belong together."""
        random = self._random
        form = random.choice(PERIODS)
        moments = day(random) + f"{random.randrange(24):02}{random.randrange(60):02}{random.randrange(60):02}"
        if form in {"718", "719"}:
            half = DIGITS[form] // 2
            later = day(random) + moments[8:]
            return [moments[:half] + later[:half], form]
        return [moments[: DIGITS[form]], form]

    def _value(self, rule: ElementRule, tag: str, at: int, component: int) -> str:
        key = (tag, at, component)
        if key not in self._values:
            made = value_of(rule, self._wanted.get(key, ()), self.spec.head.standard)
            self._values[key] = _mostly_numbers(rule, made) if key in self._numeric else made
        return self._values[key](self._random)


def day(random: Random) -> str:
    year, month = random.randint(1990, 2049), random.randint(1, 12)
    return f"{year}{month:02}{random.randint(1, calendar.monthrange(year, month)[1]):02}"


def _bound(spec: MapSpec) -> frozenset[str]:
    """Return the tags that begin what the map's body binds."""
    heads = _heads(spec.structure)
    found: set[str] = set()

    def walk(nodes: Iterable[BodyNode]) -> None:
        for node in nodes:
            found.add(heads.get(node.head.name, node.head.name))
            walk(node.children)

    walk(spec.body)
    return frozenset(found)


def _heads(nodes: Iterable[StructureNode]) -> dict[str, str]:
    """Return the tag that each loop begins with, by the loop's name."""
    found: dict[str, str] = {}
    for node in nodes:
        if node.is_loop:
            found |= {node.name: node.head} | _heads(node.children)
    return found


def _wanted(spec: MapSpec) -> tuple[dict[At, tuple[str, ...]], set[At]]:
    """Return the codes that the map looks for, by place: of its predicates, filters, constants and tables; and the
    places that it reads as numbers."""
    heads = _heads(spec.structure)
    found: dict[At, dict[str, None]] = {}
    numeric: set[At] = set()

    def note(tag: str, element: int, component: int, codes: Iterable[str]) -> None:
        found.setdefault((tag, element, component or 1), {}).update(dict.fromkeys(codes))

    def walk(nodes: Iterable[BodyNode]) -> None:
        for node in nodes:
            tag = heads.get(node.head.name, node.head.name)
            for test in node.head.tests:
                note(tag, test.at.element, test.at.component, [each for each in test.values if each not in {"*", ""}])
            for binding in node.bindings:
                for group in binding.groups:
                    first = group[0]
                    note(tag, first.element, first.component, sorted(binding.only | binding.excluded))
                    note(tag, first.element, first.component, [binding.const] if binding.const else [])
                    for at, conversion in zip(group, binding.conversions, strict=False):
                        if conversion.name in {"decimal", "int"}:
                            numeric.add((tag, at.element, at.component or 1))
                        table = spec.dictionary.tables.get(conversion.table, {})
                        note(tag, at.element, at.component, sorted(table)[:40])
            walk(node.children)

    walk(spec.body)
    return {place: tuple(codes) for place, codes in found.items() if codes}, numeric


def _mostly_numbers(rule: ElementRule, other: Value) -> Value:
    number = _number(rule)
    return lambda random: number(random) if random.random() < 0.95 else other(random)


def value_of(rule: ElementRule, wanted: Iterable[str], standard: str) -> Value:
    """Return what makes values of one element; ``wanted`` are the codes that a map looks for there."""
    listed = list(wanted) or QUALIFIERS[standard].get(rule.id, "").split()
    codes = [each for each in listed if rule.min <= len(each) <= rule.max and (not rule.codes or each in rule.codes)]
    if rule.codes:
        known = sorted(rule.codes)
        return lambda random: random.choice(codes) if codes and random.random() < 0.7 else random.choice(known)
    plain = _plain(rule)
    if not codes:
        return plain
    return lambda random: random.choice(codes) if random.random() < 0.9 else plain(random)


def _plain(rule: ElementRule) -> Value:
    kind, least, most = rule.type, max(rule.min, 1), min(rule.max, 200)
    if kind == "DT":
        return day if most >= 8 else lambda random: day(random)[2:]
    if kind == "TM":
        width = max(min(most, 6) // 2 * 2, 4)
        return lambda random: f"{random.randrange(24):02}{random.randrange(60):02}{random.randrange(60):02}"[
            : random.choice((4, width))
        ]
    if kind[0] in "RN" or kind == "n":
        return _number(rule)
    signs = LETTERS if kind in {"a", "ID"} else TEXT
    short = max(least, min(most, 10))

    def text(random: Random) -> str:
        longest = short if random.random() < 0.93 else most
        made = "".join(random.choices(signs, k=random.randint(least, longest))).strip(" ")
        return made + "X" * (least - len(made))

    return text


def _number(rule: ElementRule) -> Value:
    least, most = max(rule.min, 1), min(rule.max, 9)
    forms = [
        each
        for each in NUMBERS
        if least <= sum(map(str.isdigit, each))
        and len(each) <= rule.max
        and (rule.type in {"R", "n"} or each.isdigit())
    ]

    def number(random: Random) -> str:
        if forms and random.random() < 0.3:
            return random.choice(forms)
        width = random.randint(least, most)
        return str(random.randrange(10 ** (width - 1) if width > 1 else 0, 10**width))

    return number


def _satisfy(
    conditions: tuple[Condition, ...], uses: tuple[Use, ...], values: list[str], fill: Callable[[int], str]
) -> None:
    """Fill in what relational conditions ask for; where that goes round in circles, empty what need not be."""
    for turn in range(16 if conditions else 0):
        if turn == 8:
            values[:] = [value if use.mandatory else "" for value, use in zip(values, uses, strict=True)]
        is_met, before = True, list(values)
        for condition in conditions:
            at = [each - 1 for each in condition.positions if each <= len(values)]
            for each in _asked(condition.kind, at, uses, values, turn % 8):
                is_met = is_met and values[each] != ""
                values[each] = values[each] or fill(each)
        if is_met and values == before:
            return


def _asked(kind: str, at: list[int], uses: tuple[Use, ...], values: list[str], turn: int) -> list[int]:
    present = [each for each in at if values[each]]
    if kind == "E":
        for each in present[1:]:
            values[each] = ""
        return []
    if kind == "R":
        return [] if present or not at else [at[turn % len(at)]]
    head = at if kind == "P" else at[:1]
    if not any(values[each] for each in head):
        return []
    asked = [] if kind == "L" and len(present) > 1 else at[1:2] if kind == "L" else at
    gives_way = turn > 2 and not any(uses[each].mandatory for each in head)
    if gives_way and any(not values[each] for each in asked):
        for each in head:
            values[each] = ""
        return []
    return asked
