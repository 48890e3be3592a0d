"""Runs of segments that come again and again, read by one pattern and one function.

A partner's system writes its lines alike: PO1 and PID, or LIN PIA IMD QTY PRI, with the same elements each time. While a
map is young its reader watches which runs come often (``Watch``); for those a regular expression takes the whole run
apart, tags, separators, lengths and qualifiers at once, and a folded function (``folding``) makes the objects of all its
segments. What does not match, or fails a check, is read segment by segment: a trace never judges, it only hurries.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from tradehub.edi.folding import DIRTY, SHARED, Folder, Items, Known, Live, Made, Text, Unfoldable, Value, parsed
from tradehub.edi.functions import DATES, DECIMALS, POINTED
from tradehub.edi.generation import MOMENTS, TIMES, WHENS, FunctionWriter, Shape, bounds, shape_of
from tradehub.edi.machine import Loop, Place
from tradehub.edi.paths import Place as At
from tradehub.edi.schema import NO_LIMIT, ElementRule, Use

if TYPE_CHECKING:
    from tradehub.edi.reading import Reader

OFTEN = 12  # times a run is seen before it is worth a trace: a header comes once a message, and messages may be long
WATCHED = 3_000  # segments looked at before a map's reader stops watching
AGAIN = 50_000  # segments read one by one after which it watches anew: another partner, other habits
MOST_TRACES = 6  # for one state: each that does not match costs
LONGEST = 24  # segments in a run
LONGEST_NUMBER = 18  # characters of a number that a trace reads
WITH_DECIMALS = 8  # characters from which on an element is taken to have decimals too: shorter ones count things

SMALL = {str(number): Decimal(number) for number in range(1000)}
"""Numbers that come again and again. Others are made each time: to find one among all that a large file has takes as
long."""

SHARED_VALUES = {
    "DECIMALS": DECIMALS, "POINTED": POINTED, "DATES": DATES, "TIMES": TIMES, "WHENS": WHENS, "MOMENTS": MOMENTS,
    "datetime": datetime, "small": SMALL.get, "Decimal": Decimal,
}  # fmt: skip

Hit = tuple[int, Any, "State", bool, Any]
"""Where a tag leads: the id of the place, its functions, the state after it, whether something is wrong with it, the step."""


class State(dict[str | None, Any]):
    """Where each tag leads from one place, its :data:`Hit` or None; under None the traces that begin there.

    It is found out when it is first asked for, as few of a map's places are ever come to.
    """

    __slots__ = ("_find",)

    def __init__(self, find: Callable[[], Mapping[str, Hit]] | None = None) -> None:
        self._find = find

    def __missing__(self, tag: str) -> Hit | None:
        find = self._find
        if find is not None:
            self.update(find())
            self._find = None  # after it: another thread must not find the state empty
        return self.get(tag)

    def hits(self) -> list[tuple[str, Hit]]:
        """Return all that it knows, without the traces, which another thread may put in meanwhile."""
        self[""]  # no tag: where nothing is known yet, it is found out now
        return [(tag, hit) for tag, hit in list(self.items()) if tag is not None]


class Step(NamedTuple):
    """One segment of a run: its place, which of its elements have a value, the text of those that decide, and whether
    all its numbers are ``plain``."""

    place: int
    shape: Shape
    texts: tuple[tuple[At, str], ...]
    is_plain: bool


Run = tuple[Step, ...]
Trace = Callable[..., int]
"""A run ready to be read: ``read(text, at, scopes, taken, computed, marks, places)`` takes it in, as often as it comes in a
row where it can follow itself, each time with its tail where that comes, and returns where it ends: ``at`` where it
does not come at all."""


class Watch:
    """Watches how one map's messages, written with the same separators, are put together."""

    def __init__(self, reader: Reader, element: str, component: str, end: str) -> None:
        self._reader = reader
        self._signs = (element, component, end)
        self._seen: Counter[tuple[int, Run]] = Counter()
        self._states: dict[int, State] = {}
        self._kinds: dict[int, _Kind] = {}
        self._made: dict[int, tuple[State, dict[Run, Trace]]] = {}
        self._tails: dict[Run, Run] = {}
        self._functions: dict[Any, Trace] = {}
        self.left = WATCHED
        self.start = State(partial(self._own, reader.start))
        self.states = [State(partial(self._own, each)) for each in reader.states]

    def _own(self, state: State) -> dict[str, Hit]:
        """Return where a state of the reader leads, among the states of this watch."""
        return {tag: (at, made, self.states[at], is_bad, step) for tag, (at, made, _, is_bad, step) in state.hits()}

    def note(self, log: list[tuple[State, int, list[str]]]) -> None:
        """Take in what one message was made of; at the end of the watch make traces of the runs that came often."""
        self.left -= len(log)
        for state, run in self._runs(log):
            self._states[id(state)] = state
            self._seen[id(state), run] += 1
        if self.left <= 0:
            for (state_id, run), times in self._seen.most_common():
                if times >= OFTEN:
                    self._trace(self._states[state_id], run)
            for head, tail in self._tails.items():
                self._join(head, tail)
            self._seen.clear()
            self._tails.clear()

    def missed(self, count: int) -> None:
        """Note that so many segments were read one by one."""
        self.left -= count
        if self.left < -AGAIN:
            self.left = WATCHED

    def _trace(self, state: State, run: Run) -> None:
        """Make a trace of a run; of one that begins with another, only of what comes after it."""
        _, made = self._made.setdefault(id(state), (state, {}))
        for other in made:
            if run[: len(other)] == other:
                if len(run) > len(other):
                    self._tails.setdefault(other, run[len(other) :])
                    self._trace(self.states[other[-1].place], run[len(other) :])
                return
        if len(made) >= MOST_TRACES:
            return
        while run:
            try:
                built = self._built(state, run, ())
            except Unfoldable:
                run = run[:-1]
            else:
                made[run] = built
                state[None] = list(made.values())
                return

    def _join(self, head: Run, tail: Run) -> None:
        """Let a trace that comes again and again take in what often follows it, where the two can be folded into one:
        wherever it begins, for the first of many lines begins where none has been yet."""
        if not (self._repeats(head, head[-1].place) and self._repeats(head, tail[-1].place)):
            return
        for state, made in self._made.values():
            if head in made and state is not self.start:
                with suppress(Unfoldable):
                    made[head] = self._built(state, head, tail)
                    state[None] = list(made.values())

    def _repeats(self, run: Run, last: int) -> bool:
        """Return whether a run may come again after a place."""
        head = self._reader.machine.places[run[0].place]
        again = self.states[last][head.tag]
        return again is not None and again[0] == head.id and not again[3]

    def _built(self, state: State, run: Run, tail: Run) -> Trace:
        is_first = state is self.start
        repeats = not is_first and self._repeats(run, run[-1].place)
        key = (run, tail, is_first, repeats)
        if key not in self._functions:
            builder = _Builder(self._reader, self._signs)
            self._functions[key] = builder.built(run, tail, is_first=is_first, repeats=repeats)
        return self._functions[key]

    def _runs(self, log: list[tuple[State, int, list[str]]]) -> Iterator[tuple[State, Run]]:
        run: list[Step] = []
        began: State = self.start
        within: Loop | None = None
        places = self._reader.machine.places
        for state, at, elements in log:
            place = places[at]
            if run and (_begins(place) or not _is_inside(place.loop, within) or len(run) >= LONGEST):
                yield began, tuple(run)
                run = []
            if not run:
                began, within = state, self._reader.machine.root if state is self.start else place.loop
            run.append(self._step(place, elements))
        if run:
            yield began, tuple(run)

    def _step(self, place: Place, elements: list[str]) -> Step:
        """Return the step that a segment is: one that was read without a doubt, so that its elements and components are
        as many as its rule allows."""
        composites, decisive, numbers = self._kind(place)
        shape = shape_of(elements, composites[: len(elements) - 1], self._signs[1])
        found = ((where, _text(elements, where, composites, self._signs[1])) for where in decisive)
        texts = tuple((where, text) for where, text in found if text)
        is_plain = all(
            re.fullmatch(pattern, text)
            for where, pattern in numbers
            if (text := _text(elements, where, composites, self._signs[1]))
        )
        return Step(place.id, shape, texts, is_plain)

    def _kind(self, place: Place) -> _Kind:
        if place.id not in self._kinds:
            uses = place.rule.uses
            composites = [bool(use.parts and not use.forbidden) for use in uses]
            decisive = tuple(_decisive(place, composites))
            self._kinds[place.id] = _Kind(composites, decisive, tuple(_numbers(uses)))
        return self._kinds[place.id]


class _Kind(NamedTuple):
    """What a watch asks of a place: which elements are composites, which elements decide, and which are numbers, with the
    pattern of plain ones."""

    composites: list[bool]
    decisive: tuple[At, ...]
    numbers: tuple[tuple[At, str], ...]


def _numbers(uses: Sequence[Use]) -> Iterator[tuple[At, str]]:
    for at, use in enumerate(uses, 1):
        for number, part in enumerate(use.parts, 1) if use.parts else ((0, use),):
            if part.element is not None and (pattern := plain(part.element)):
                yield At(at, number), pattern


def plain(rule: ElementRule) -> str:
    """Return the pattern of a number as most systems write it: no sign, no needless zero in front, few decimals. Empty for
    an element that is no such number.

    What it matches is a value of the element, and written again as it came: nothing is left to check or to remember.
    """
    if rule.type not in {"R", "n"} or rule.min > 1:
        return ""
    most = min(rule.max, LONGEST_NUMBER)
    decimals = 0 if most < WITH_DECIMALS else most // 3
    if not decimals:
        return rf"(?!0[0-9])[0-9]{{1,{most}}}+"
    return rf"(?!0[0-9])[0-9]{{1,{most - decimals - 1}}}+(?:\.[0-9]{{1,{decimals}}}+)?+"


def _decisive(place: Place, composites: list[bool]) -> Iterator[At]:
    """Yield the places whose text decides which node takes a segment, or in which form it is read and written."""
    found: dict[At, None] = {}

    def add(at: At) -> None:
        if at.element <= len(composites):
            found[At(at.element, at.component or 1) if composites[at.element - 1] else At(at.element)] = None

    for variant in (*place.variants, *(place.loop.variants if place.is_head else ())):
        for test in variant.tests:
            if test.values != ("*",):
                add(test.at)
    for variant in place.variants:
        for binding in variant.node.bindings:
            if binding.const is not None:
                add(binding.groups[0][0])
            elif binding.conversion.name in {"when", "date"} and len(binding.groups[0]) > 1:
                add(binding.groups[0][1])
    yield from found


def _text(elements: list[str], at: At, composites: list[bool], component: str) -> str:
    if at.element >= len(elements):
        return ""
    text = elements[at.element]
    if not composites[at.element - 1]:
        return text
    parts = text.split(component)
    return parts[at.component - 1] if at.component <= len(parts) else ""


def _begins(place: Place) -> bool:
    """Return whether a segment begins an item of a list, and with it a run of its own."""
    if not place.is_head or not place.loop.variants:
        return False
    target = place.loop.variants[0].node.target
    return target is not None and target.steps[-1].append


def _is_inside(loop: Loop, outer: Loop | None) -> bool:
    at: Loop | None = loop
    while at is not None:
        if at is outer:
            return True
        at = at.parent
    return False


class _Part(NamedTuple):
    """A folded run, or its tail: what is done each time it comes, and what is left in scopes and slots at last. ``asks``:
    what it does depends on what was left before."""

    doing: list[ast.stmt]
    stores: list[ast.Assign]
    asks: bool


def _source(own: _Part, tail: _Part | None, *, repeats: bool) -> str:
    """Return the source of a trace. Raises Unfoldable where a run asks for what its tail would leave only at last."""
    lines = [
        "def read(text, at, c, v, k, marks, places):",
        "    found = match(text, at)",
        "    if found is None: return at",
        "    done = 0",
        "    try:",
        "        while found is not None:",
        *_indented([*own.doing, *(own.stores if own.asks else ())], 12),
        "            at = found.end()",
        "            places.extend(ids)",
        "            done = 1",
    ]
    if tail is not None:
        left = {ast.unparse(target) for each in tail.stores for target in each.targets}
        if own.asks or tail.asks or any(ast.unparse(each) in left for made in own.doing for each in ast.walk(made)):
            raise Unfoldable
        lines += [
            "            rest = match_tail(text, at)",
            "            if rest is not None:",
            *_indented(tail.doing, 16),
            "                at = rest.end()",
            "                places.extend(ids_tail)",
            "                done = 2",
        ]
    lines += [
        "            found = match(text, at)" if repeats else "            break",
        "    except (ValueError, KeyError):",
        "        pass",
        "    if done:",
        *_indented([] if own.asks else own.stores, 8),
        "        pass",
    ]
    if tail is not None:
        lines += ["    if done == 2:", *_indented(tail.stores, 8), "        pass"]
    return "\n".join([*lines, "    return at"])


class _Builder:
    def __init__(self, reader: Reader, signs: tuple[str, str, str]) -> None:
        self._reader = reader
        self._element, self._component, self._end = signs
        self._not = "[^" + "".join(re.escape(each) for each in signs if each) + "]"
        self._constants: dict[str, Any] = {}
        self._folder = Folder(self._constants)
        self._groups: list[str] = []

    def built(self, run: Run, tail: Run, *, is_first: bool, repeats: bool) -> Trace:
        """Return the function that reads the run. Raises Unfoldable where its code cannot be folded."""
        places = [self._reader.machine.places[step.place] for step in (*run, *tail)]
        folder = self._folder
        if is_first:
            depth = self._reader.depth
            folder.scopes[0] = Made({}, base="c[0]")
            folder.slots |= {at: Known(-1) for at in range(1, depth + 1)}
            folder.slots |= {depth + 1 + at: Known(0) for at in range(self._reader.canon.slots)}
        names: dict[str, Any] = {}
        own = self._part(run, 0, names, "")
        after = self._part(tail, len(run), names, "_tail") if tail else None
        source = _source(own, after, repeats=repeats)
        code = compile(source, f"<{self._reader.spec.head.key}:{'+'.join(each.tag for each in places)}>", "exec")
        names = {**self._constants, **SHARED_VALUES, **names}
        exec(code, names)  # noqa: S102  our own source, made from the map
        return cast("Trace", names["read"])

    def _part(self, run: Run, first: int, names: dict[str, Any], ending: str) -> _Part:
        """Fold a run, or its tail, whose segments are numbered from ``first``."""
        if first:
            self._folder, self._groups = self._folder.follower(), []
        folder = self._folder
        slots, scopes = dict(folder.slots), dict(folder.scopes)
        places = [self._reader.machine.places[step.place] for step in run]
        steps = enumerate(zip(run, places, strict=True), first)
        pattern = "".join(self._segment(number, step, place) for number, (step, place) in steps)
        names |= {f"match{ending}": re.compile(pattern).match, f"ids{ending}": tuple(step.place for step in run)}
        return self._body(places[-1].loop.depth, slots, scopes, first)

    # the pattern

    def _segment(self, number: int, step: Step, place: Place) -> str:
        """Return the pattern of a segment, after its code has been folded."""
        ending = f"_{number}"
        writer = FunctionWriter(self._reader, place, len(step.shape) + 1, step.shape)
        texts = dict(step.texts)
        pieces = [re.escape(place.tag)]
        for at, (there, use) in enumerate(zip(step.shape, place.rule.uses, strict=False), 1):
            whole = f"e{at}{ending}"
            if not there:
                self._folder.env[whole] = Known("")
                pieces.append("")
            elif isinstance(there, tuple):
                self._folder.env[whole] = Text("", 1, NO_LIMIT)
                parts = [
                    self._value(f"e{at}_{part}{ending}", use.parts[part - 1].element, texts.get(At(at, part)), step)
                    if each
                    else ""
                    for part, each in enumerate(there, 1)
                ]
                pieces.append(re.escape(self._component).join(parts))
            else:
                pieces.append(self._value(whole, use.element, texts.get(At(at)), step))
        parts_ = writer.parts(place.rule)
        for name, constant in writer.names.items():
            if name not in SHARED:
                self._constants[name + ending] = constant
        self._folder.take(
            number, parsed(parts_.locals, ending), parsed(parts_.checks, ending), parsed(parts_.body, ending)
        )
        return re.escape(self._element).join(pieces) + re.escape(self._end)

    def _value(self, name: str, rule: ElementRule | None, text: str | None, step: Step) -> str:
        if text is not None:
            self._folder.env[name] = Known(text)
            return re.escape(text)
        least, most = bounds(rule, mandatory=True) if rule is not None else (1, NO_LIMIT)
        least = max(least, 1)
        pattern = plain(rule) if rule is not None and step.is_plain else ""
        self._folder.env[name] = Text(name, least, most, is_plain=bool(pattern))
        self._groups.append(name)
        if pattern:
            return f"({pattern})"
        times = f"{{{least},{most}}}+" if most < NO_LIMIT else "++" if least == 1 else f"{{{least},}}+"
        return f"({self._not}{times})"

    # the function

    def _body(self, depth: int, slots: dict[int, Value], scopes: dict[int, Value], first: int) -> _Part:
        folder = self._folder
        closing, stores = self._closing(depth, slots, scopes, first)
        opening: list[ast.stmt] = []
        if self._groups:
            names: list[ast.expr] = [ast.Name(each, ast.Store()) for each in self._groups]
            groups = ast.parse(f"{'rest' if first else 'found'}.groups()", mode="eval").body
            opening.append(ast.Assign([ast.Tuple(names, ast.Store())], groups))
        opening += folder.first
        if folder.checks:
            test = folder.checks[0] if len(folder.checks) == 1 else ast.BoolOp(ast.And(), folder.checks)
            opening.append(ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], []))
        doing = [*opening, *self._objects(), *folder.out, *closing]
        return _Part(doing, stores, any(map(_asks_slots, (*folder.out, *folder.dirty))))

    def _closing(
        self, depth: int, slots: dict[int, Value], scopes: dict[int, Value], first: int
    ) -> tuple[list[ast.stmt], list[ast.Assign]]:
        """Return the statements that note what is not canonical and not bound, and those that leave scopes and slots
        as the segments one by one would have."""
        folder = self._folder
        closing: list[ast.stmt] = []
        dirty = folder.dirty
        if dirty:
            sets = _store("v", DIRTY, ast.Constant(1))
            test = dirty[0] if len(dirty) == 1 else ast.BoolOp(ast.Or(), dirty)
            closing.append(sets if isinstance(dirty[0], ast.Constant) else ast.If(test, [sets], []))
        for number, marks in folder.marks:
            at = ast.parse(f"len(places) + {number - first}", mode="eval").body
            closing.append(ast.Assign([ast.Subscript(ast.Name("marks", ast.Load()), at, ast.Store())], marks))
        stores: list[ast.Assign] = []
        for at_, value in sorted(folder.slots.items()):
            before = slots.get(at_)
            if not (isinstance(before, Known) and isinstance(value, Known) and before.value == value.value):
                stores.append(_store("v", at_, folder.node(value)))
        for at_, scope in sorted(folder.scopes.items()):
            if at_ <= depth and scope is not scopes.get(at_):
                stores.append(_store("c", at_, folder.node(scope)))
        return closing, stores

    def _objects(self) -> list[ast.stmt]:
        """Return the statements that make the objects of the run which something outside holds."""
        made: list[ast.stmt] = []
        done: set[int] = set()
        for each in self._held():
            self._make(each, made, done)
        return made

    def _held(self) -> Iterator[Made]:
        """Yield the objects that have a name, and the document where the run begins it."""
        seen: set[int] = set()
        waiting: list[Any] = [*self._folder.env.values(), *self._folder.scopes.values()]
        while waiting:
            each = waiting.pop()
            if id(each) in seen or not isinstance(each, Made | Items):
                continue
            seen.add(id(each))
            waiting += each.fields.values() if isinstance(each, Made) else each.values
            if isinstance(each, Made) and (each.name or each.base):
                yield each

    def _make(self, made: Made, into: list[ast.stmt], done: set[int]) -> None:
        if id(made) in done:
            return
        done.add(id(made))
        if made.base:
            changed = {key: value for key, value in made.fields.items() if value is not made.kept.get(key)}
            if not (changed or made.name):
                return
            name = made.name or "document"
            base = ast.parse(made.base, mode="eval").body
            fields = [(key, self._plain(value, into, done)) for key, value in changed.items()]
            if name != made.base:
                into.append(ast.Assign([ast.Name(name, ast.Store())], base))
            into += [
                ast.Assign([ast.Subscript(ast.Name(name, ast.Load()), ast.Constant(key), ast.Store())], value)
                for key, value in fields
            ]
            return
        value = self._literal(made, into, done)
        into.append(ast.Assign([ast.Name(made.name, ast.Store())], value))

    def _literal(self, made: Made, into: list[ast.stmt], done: set[int]) -> ast.expr:
        values = [self._plain(each, into, done) for each in made.fields.values()]
        return ast.Dict([ast.Constant(key) for key in made.fields], values)

    def _plain(self, value: Value, into: list[ast.stmt], done: set[int]) -> ast.expr:
        match value:
            case Made():
                if value.base:
                    raise Unfoldable
                if not value.name:
                    return self._literal(value, into, done)
                self._make(value, into, done)
                return ast.Name(value.name, ast.Load())
            case Items(values=values):
                return ast.List([self._plain(each, into, done) for each in values], ast.Load())
            case Live(node=node):
                late = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & self._assigned()
                if late:
                    raise Unfoldable
                return node
            case _:
                return self._folder.node(value)

    def _assigned(self) -> set[str]:
        """Return the names that are assigned only after the objects are made."""
        return {
            target.id
            for statement in self._folder.out
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }


def _asks_slots(node: ast.AST) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "v" for each in ast.walk(node))


def _indented(statements: Sequence[ast.stmt], by: int) -> list[str]:
    text = ast.unparse(ast.fix_missing_locations(ast.Module([*statements], []))) if statements else ""
    return textwrap.indent(text, " " * by).splitlines()


def _store(name: str, at: int, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Subscript(ast.Name(name, ast.Load()), ast.Constant(at), ast.Store())], value)
