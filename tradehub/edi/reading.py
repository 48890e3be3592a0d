"""Reading a message: one look-up and one generated function a segment, and the tables walked where that is not enough.

What is read is a plain document, the place of each segment, and findings about what is not as it should be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, NamedTuple

from tradehub.documents import KINDS, Despatch, DespatchLine, Package
from tradehub.edi import functions
from tradehub.edi.binding import Binder, Frame, figure
from tradehub.edi.canon import Canon
from tradehub.edi.checks import Finding, explain
from tradehub.edi.functions import DECIMALS, CodeTables, Odd, Scope
from tradehub.edi.generation import (
    SUSPECT,
    Function,
    FunctionWriter,
    Mark,
    Shape,
    Sites,
    field_model,
    required_fields,
    shape_of,
)
from tradehub.edi.machine import Loop, Machine, Place, Skipped, Step
from tradehub.edi.paths import parse_path
from tradehub.edi.schema import MapSpec
from tradehub.edi.segments import Fault, Severity
from tradehub.edi.traces import Hit, State, Watch

WARM = 12  # segments of one shape after which a function is made for just that shape
MOST_SIGNS = 8  # sets of separators for which runs are remembered
MOST_SHAPES = 24  # shapes after which a place is left to the general function
MOST_SETS = 1000  # sets of places whose limits are remembered: messages of one partner have the same few
NEAR = 12  # segments among which one must fit where the message is, for the one before them to be out of order


class Placed(NamedTuple):
    """A finding with the segment it belongs to (from 1 among the message's own segments), its tag and its loop."""

    number: int
    tag: str
    path: str
    finding: Finding


@dataclass(slots=True)
class Decoded:
    """What reading one message gives. ``places`` holds for each segment the id of its place, -1 where it has none."""

    document: Scope
    places: list[int]
    findings: list[Placed] = field(default_factory=list)
    marks: dict[int, tuple[Mark, ...]] = field(default_factory=dict)
    is_canonical: bool = False


class _Functions(dict[int, Function]):
    """The functions of one place by element count, generated on first use."""

    def __init__(self, reader: Reader, place: Place) -> None:
        super().__init__()
        self._reader = reader
        self._place = place

    def __missing__(self, count: int) -> Function:
        general = self._reader.function(self._place, count)
        rule = self._place.rule
        if count < 2 or count - 1 > len(rule.uses):
            self[count] = general
            return general
        composites = [bool(use.parts and not use.forbidden) for use in rule.uses[: count - 1]]
        widths = [len(use.parts) for use in rule.uses[: count - 1]]
        seen: Counter[Shape] = Counter()

        def counting(e: list[str], c: list[Scope], v: list[int], cs: str, k: list[Any]) -> Any:
            shape = shape_of(e, composites, cs)
            seen[shape] += 1
            if seen[shape] >= WARM:
                fits = all(
                    len(each) <= width for each, width in zip(shape, widths, strict=True) if each.__class__ is tuple
                )
                special = self._reader.function(self._place, count, shape, general) if fits else general
                self[count] = special
            elif len(seen) > MOST_SHAPES:
                self[count] = general
            return general(e, c, v, cs, k)

        self[count] = counting
        return counting


class _Run:
    """One message while it is read."""

    __slots__ = (
        "component",
        "computed",
        "document",
        "findings",
        "frame",
        "headless",
        "homes",
        "last",
        "marks",
        "odd",
        "places",
        "stands_in",
        "states",
        "tags",
        "tags_of",
    )

    def __init__(
        self,
        reader: Reader,
        component: str,
        states: list[State],
        tags_of: Callable[[], list[str]],
        *,
        stands_in: bool,
    ) -> None:
        self.document: Scope = {}
        self.frame = Frame(self.document, reader.depth, reader.canon.slots)
        self.places: list[int] = []
        self.findings: list[Placed] = []
        self.marks: dict[int, tuple[Mark, ...]] = {}
        self.computed: list[Any] = []
        self.component = component
        self.stands_in = stands_in
        self.odd = Odd.last
        self.states = states
        self.homes: dict[int, int] = {}
        self.headless: dict[tuple[int, int], State] = {}
        self.tags_of = tags_of
        self.tags: list[str] | None = None
        self.last: dict[str, int] = {}

    def home(self, state: State) -> int:
        """Return the place that a state is the one after; -1 for that before the message, and without a first segment."""
        if not self.homes:
            self.homes = {id(each): place for place, each in enumerate(self.states)}
        return self.homes.get(id(state), -1)

    def without_head(self, loop: Loop, after: State) -> State:
        """Return ``_without_head`` of both, made once: a file may lack the first segment of each of its loops."""
        key = (id(loop), id(after))
        if key not in self.headless:
            self.headless[key] = _without_head(loop, after)
        return self.headless[key]

    def ahead(self) -> list[str]:
        """Return the tags of the next segments, and have ``last`` say with which number each tag of the message stands
        last."""
        if self.tags is None:
            self.tags = self.tags_of()
            self.last = {tag: number for number, tag in enumerate(self.tags, 1)}
        number = len(self.places)
        return self.tags[number : number + NEAR]


class Reader:
    """Reads the segments of one message type under one resolved map."""

    def __init__(self, spec: MapSpec, machine: Machine) -> None:
        self.spec = spec
        self.machine = machine
        standard = spec.head.standard
        self.tables = CodeTables(standard, spec.dictionary.tables)
        self._binder = Binder(self.tables)
        self._model: Any = KINDS[spec.head.document]
        self.depth = max(loop.depth for loop in machine.loops)
        self._watches: dict[tuple[str, str, str], Watch] = {}
        self._functions = [_Functions(self, place) for place in machine.places]
        self._hits: dict[int, Hit] = {}
        self.states = [State(partial(self._linked, place)) for place in machine.places]
        self.start = State(partial(self._linked, None))
        self._counted = {place.id: place.max for place in machine.places if place.max > 1 and not place.is_head}
        self._counted |= {loop.head.id: loop.max for loop in machine.loops if loop.max > 1}
        self._known_limits: dict[frozenset[int], list[tuple[int, int, bytes]]] = {}
        self._sites = Sites(machine)
        self.canon = Canon(machine, self.tables, self.depth)
        self._instead = [(name, parse_path(text)) for name, text in spec.head.instead.items()]
        self._shape = functions.SHAPES[spec.head.shape] if spec.head.shape else None
        self._proof = functions.PROOFS.get(spec.head.shape)
        self._known_tags = machine.tags

    def _linked(self, after: Place | None) -> dict[str, Hit]:
        """Return where each tag leads from a place: one hit for each step, by its identity."""
        linked: dict[str, Hit] = {}
        for tag, step in self.machine.steps(after).items():
            hit = self._hits.get(id(step))
            if hit is None:
                place = step.place
                is_bad = bool(step.missing) or step.fault is not None or place.habit
                hit = (place.id, self._functions[place.id], self.states[place.id], is_bad, step)
                self._hits[id(step)] = hit
            linked[tag] = hit
        return linked

    def scope_model(self, loop: Loop, taken: Mapping[int, int]) -> Any:
        """Return the model that the segments of a loop bind into. ``taken`` tells which of its nodes a loop of several
        goes by, at each depth."""
        if loop.parent is None:
            return self.root_model()
        model = self.scope_model(loop.parent, taken)
        variants = loop.variants[taken[loop.depth] :][:1] if loop.depth in taken else loop.variants
        targets = {str(variant.node.target) for variant in variants}
        if len(targets) != 1 or variants[0].node.target is None:
            return model
        for step in variants[0].node.target.steps:
            model = field_model(model, step.name)
        return model

    @cached_property
    def _prunes(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """What of a doubtful message may lack a required field."""
        return _prunes(self.machine, self.root_model())

    def root_model(self) -> Any:
        """Return the model of the document, or all that a tree's levels may hold."""
        return (DespatchLine, Package, Despatch) if self.spec.head.shape else self._model

    def read(
        self, segments: Iterable[list[str]], component: str, *, interpreted: bool = False, stands_in: bool = False
    ) -> Decoded:
        """Return document, places and findings of one message's split segments (ST/SE or UNH/UNT left out)."""
        rows = list(segments)
        run = _Run(self, component, self.states, lambda: [each[0] for each in rows], stands_in=stands_in)
        state = self.start
        for elements in rows:
            state = self._segment(run, state, elements, interpreted=interpreted)
        return self._decoded(run, may_be_canonical=not interpreted)

    def read_text(self, text: str, element: str, component: str, end: str, *, stands_in: bool = False) -> Decoded:
        """Return the same of one message's text: its own segments, each with its terminator, nothing between them."""
        watch = self._watch(element, component, end)
        run = _Run(
            self,
            component,
            watch.states,
            lambda: [each.partition(element)[0] for each in text.split(end)],
            stands_in=stands_in,
        )
        log: list[tuple[State, int, list[str]]] | None = [] if watch.left > 0 else None
        frame, places, computed, marks = run.frame, run.places, run.computed, run.marks
        scopes, taken = frame.scopes, frame.taken
        state, states = watch.start, watch.states
        at, length, alone = 0, len(text), 0
        while at < length:
            for trace in state.get(None, ()):
                stop = trace(text, at, scopes, taken, computed, marks, places)
                if stop != at:
                    state, at = states[places[-1]], stop
                    break
            else:
                stop = -1
            if stop >= 0:
                continue
            stop = text.find(end, at)
            elements = text[at:stop].split(element)
            at = stop + 1
            alone += 1
            hit = state[elements[0]]
            if hit is None or hit[3]:
                state = self._segment(run, state, elements)
                continue
            where, made, after, _, step = hit
            places.append(where)
            try:
                failed = made[len(elements)](elements, scopes, taken, component, computed)
            except ValueError:
                failed = True
            if failed is not None:
                if failed.__class__ is tuple:
                    marks[len(places) - 1] = failed
                else:
                    self._doubtful(step.place, elements, run)
                    state = after
                    continue
            if log is not None:
                log.append((state, where, elements))
            state = after
        if log is not None:
            watch.note(log)
        elif alone:
            watch.missed(alone)
        return self._decoded(run, may_be_canonical=True)

    def _watch(self, element: str, component: str, end: str) -> Watch:
        signs = (element, component, end)
        if signs not in self._watches:
            if len(self._watches) >= MOST_SIGNS:
                self._watches.clear()
            self._watches[signs] = Watch(self, element, component, end)
        return self._watches[signs]

    def _segment(self, run: _Run, state: State, elements: list[str], *, interpreted: bool = False) -> State:
        """Read one segment, wherever it stands; return the state after it."""
        places = run.places
        hit = state[elements[0]]
        if hit is None:
            places.append(-1)
            return self._unplaced(elements, state, run)
        where, made, after, is_bad, step = hit
        places.append(where)
        if where < 0:  # a part of a loop without its first segment
            return after  # type: ignore[no-any-return]
        if is_bad:
            if step.missing and self._is_early(step, state, run):
                places[-1] = -1
                run.findings.append(_out_of_order(elements[0], len(places)))
                return state
            self._misplaced(step, len(places), run.findings)
            if step.fault is not None and step.place.is_head is False:
                places[-1] = -1
                return state
        frame = run.frame
        try:
            failed = interpreted or made[len(elements)](
                elements, frame.scopes, frame.taken, run.component, run.computed
            )
        except ValueError:
            failed = True
        if failed.__class__ is tuple:
            run.marks[len(places) - 1] = failed
        elif failed is not None:
            self._doubtful(step.place, elements, run)
        return after  # type: ignore[no-any-return]

    def _decoded(self, run: _Run, *, may_be_canonical: bool) -> Decoded:
        document, places, findings, taken = run.document, run.places, run.findings, run.frame.taken
        last = next((each for each in reversed(places) if each >= 0), -1)
        if ending := self.machine.ending(last):
            end = len(places) + 1
            after = next((end - at for at, each in enumerate(reversed(places), 1) if each >= 0), 0)
            known = {(each.tag, each.path) for each in findings if each.number > after}
            findings += [_missing(each, end) for each in ending if each not in known]
        if len(places) > 1:
            self._count(places, findings)
        figures = self._compare(document, places, run.computed, findings) if run.computed else {}
        if taken[0] == SUSPECT:
            for names, required in self._prunes:
                _prune(document, names, required)
        for name, path in self._instead:
            if name not in document and (values := path.values(document)):
                document[name] = values[0]
                may_be_canonical = False
        is_canonical = may_be_canonical and not (
            findings or taken[-1] or taken[0] == SUSPECT or Odd.last is not run.odd
        )
        if is_canonical and self.canon.computed and not self.canon.computed_stand(document, figures):
            is_canonical = False
        if self._shape is not None:
            fold, unfold = self._shape
            is_proved = is_canonical and self._proof is not None and self._proof(document)
            before = self._kept(document) if is_canonical and not is_proved else None
            document = fold(document)
            is_canonical = is_proved or (is_canonical and unfold(document) == before)
        return Decoded(document, places, findings, run.marks, is_canonical)

    def _kept(self, document: Scope) -> Scope:
        """Return what the document is before its shape is folded."""
        if self.spec.head.shape in functions.CAREFUL:
            return {name: list(each) if each.__class__ is list else each for name, each in document.items()}
        kept: Scope = _copied(document)
        return kept

    # What is not beyond doubt

    def _is_early(self, step: Step, state: State, run: _Run) -> bool:
        """Return whether a segment stands before a mandatory one that does come, but not after it: then the segment is
        out of order, and nothing is missing."""
        ahead = run.ahead()
        number = len(run.places)
        later = self.machine.later(step.place)
        if not any(run.last.get(each.tag, 0) > number and each.tag not in later for each in step.missing):
            return False
        return any((hit := state[tag]) is not None and not hit[3] for tag in ahead)

    def _unplaced(self, elements: list[str], state: State, run: _Run) -> State:
        """Say why a segment has no place; return the state after it."""
        tag, number = elements[0], len(run.places)
        if tag in self._known_tags:
            head, after = self._headless(tag, state, run)
            if head is not None and after is not None:
                skipped = (*head.missing, Skipped(head.place.tag, head.place.path))
                run.findings += [_missing(each, number) for each in skipped]
                return run.without_head(head.place.loop, after)
            run.findings.append(_out_of_order(tag, number))
            return state
        if tag in self.spec.dictionary.segments:
            finding = Finding(Fault.NOT_IN_SET, 0, 0, f"{tag} is not part of {self.spec.head.set}")
        else:
            finding = Finding(Fault.UNKNOWN_SEGMENT, 0, 0, f"{tag} is not a known segment", value=tag)
        run.findings.append(Placed(number, tag, "", finding))
        return state

    def _headless(self, tag: str, state: State, run: _Run) -> tuple[Step, State] | tuple[None, None]:
        """Return the step to the first segment of a loop that a segment never stands without, where that is what is
        missing; and the state after the segment."""
        home = run.home(state)
        next_tag = "".join(run.ahead()[:1])  # the first segment itself: the two stand the wrong way round
        open_now = {each.head.tag for each in self.machine.places[home].loop.around} if home >= 0 else set[str]()
        for head in self.machine.needed[tag] - open_now - {next_tag}:
            hit = state[head]
            step: Step | None = hit[4] if hit is not None else None
            if step is None or step.fault is not None or not step.place.is_head:
                continue
            inside = hit[2][tag]
            if inside is None or inside[3] or step.place.loop not in inside[4].place.loop.around:
                continue
            if not (step.missing and self._is_early(step, state, run)):
                return step, inside[2]
        return None, None

    @staticmethod
    def _misplaced(step: Step, number: int, findings: list[Placed]) -> None:
        findings += [_missing(each, number) for each in step.missing]
        if step.place.habit:
            text = f"{step.place.tag} stands where partners put it, not where the standard does"
            finding = Finding(Fault.OUT_OF_ORDER, 0, 0, text, severity=Severity.WARNING)
            findings.append(Placed(number, step.place.tag, step.place.path, finding))
        if step.fault is not None:
            finding = Finding(step.fault, 0, 0, f"{step.place.tag} stands once too often")
            findings.append(Placed(number, step.place.tag, step.place.path, finding))

    def _doubtful(
        self,
        place: Place,
        elements: list[str],
        run: _Run,
    ) -> None:
        number = len(run.places)
        run.frame.taken[0] = SUSPECT
        found, clean = explain(place.rule, elements, run.component, stands_in=run.stands_in)
        run.findings += [Placed(number, place.tag, place.path, each) for each in found]
        wrong: list[Finding] = []
        self._binder.bind(place, clean, run.frame, run.component, wrong, run.computed)
        run.findings += [Placed(number, place.tag, place.path, each) for each in wrong]

    def _count(self, places: list[int], findings: list[Placed]) -> None:
        """Find repeats beyond the maximum: in the whole message, and only where those are too many, loop by loop.

        A segment that is no head comes again in one loop instance only straight after itself: that is told at a glance.
        """
        suspects = self._suspects(places)
        if not suspects:
            return
        heads: dict[int, list[int]] = {}
        for suspect in suspects:
            heads.setdefault(_counted_within(self.machine.places[suspect]), []).append(suspect)
        seen = dict.fromkeys(suspects, 0)
        for number, each in enumerate(places, 1):
            if each in heads:
                for suspect in heads[each]:
                    seen[suspect] = 0
            if each in seen:
                seen[each] += 1
                if seen[each] > self._counted[each]:
                    place = self.machine.places[each]
                    fault = Fault.TOO_MANY_LOOPS if place.is_head else Fault.TOO_MANY_SEGMENTS
                    finding = Finding(fault, 0, 0, f"{place.tag} stands more than {self._counted[each]} times")
                    findings.append(Placed(number, place.tag, place.path, finding))

    def _suspects(self, places: list[int]) -> set[int]:
        """Return the places that come more often than their maximum in the whole message."""
        limits = self._counted
        try:
            row = bytes(places)
        except ValueError:  # a segment without a place, or a structure with more than 256
            return {each for each, number in Counter(places).items() if each in limits and number > limits[each]}
        suspects: set[int] = set()
        for most, each, others in self._limits(frozenset(row)):
            if most >= len(row):
                break
            if row.count(each) > most and bytes((each,)) * (most + 1) in row.translate(None, others):
                suspects.add(each)
        return suspects

    def _limits(self, present: frozenset[int]) -> list[tuple[int, int, bytes]]:
        """Return what is limited among places, the rarest first: how often each may come, and the places that may stand
        between two of it in one loop instance: of a segment that is no head, none."""
        known = self._known_limits.get(present)
        if known is None:
            if len(self._known_limits) >= MOST_SETS:
                self._known_limits.clear()
            limited = present & self._counted.keys()
            known = sorted((self._counted[each], each, self._between(each, present)) for each in limited)
            self._known_limits[present] = known
        return known

    def _between(self, at: int, present: frozenset[int]) -> bytes:
        place = self.machine.places[at]
        return bytes(present - {at, _counted_within(place)}) if place.is_head else b""

    def _compare(
        self, document: Scope, places: list[int], computed: list[Any], findings: list[Placed]
    ) -> dict[int, tuple[str, str]]:
        """Compare the figures that the message states about itself; return each as stated and as it is written, by the id
        of its binding."""
        figures: dict[int, tuple[str, str]] = {}
        for where, at, binding, text in computed:
            counted, written = figure(binding, document)
            figures[id(binding)] = (text, written)
            if text != written and not _is_number(text, counted):
                place = self.machine.places[where]
                number = len(places) - places[::-1].index(where)
                said = f"{text} stated, {counted} counted"
                wrong = Finding(
                    Fault.WRONG_SUM,
                    at.element,
                    at.component,
                    said,
                    "",
                    text,
                    f"{binding.computed}({binding.path})",
                    Severity.WARNING,
                )
                findings.append(Placed(number, place.tag, place.path, wrong))
        return figures

    # Generation

    def function(
        self, place: Place, count: int, shape: Shape | None = None, general: Function | None = None
    ) -> Function:
        """Return the function for segments of ``count`` pieces (tag included) at ``place``.

        With a ``shape`` it is made for segments of that shape, and leaves others to ``general``.
        """
        writer = FunctionWriter(self, place, count, shape)
        writer.names["general"] = general
        source, names = writer.source()
        exec(compile(source, f"<{self.spec.head.key}:{place.path}/{place.tag}:{count}>", "exec"), names)  # noqa: S102
        made: Function = names["read"]
        return made


def _counted_within(place: Place) -> int:
    """Return the place that begins the loop instance within which a place is counted; -1 for the message itself."""
    loop = place.loop.parent if place.is_head and place.loop.parent is not None else place.loop
    return loop.head.id if loop.parent is not None else -1


def _is_number(text: str, number: Decimal) -> bool:
    """Return whether a text says a number, in whatever form."""
    try:
        return DECIMALS[text] == number
    except ValueError:
        return False


def _copied(value: Any) -> Any:
    """Return a copy of plain values, all the way down."""
    if value.__class__ is dict:
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if value.__class__ is list else value


def _without_head(loop: Loop, start: State) -> State:
    """Return the state after a segment of a loop whose first segment is missing: as ``start``, but what is of the loop has no
    place."""
    made = {id(start): State()}
    left = [start]
    while left:
        state = left.pop()
        ghost = made[id(state)]
        for tag, hit in state.hits():
            place = hit[4].place
            if hit[3] or place is loop.head or loop not in place.loop.around:
                ghost[tag] = hit
                continue
            if id(hit[2]) not in made:
                made[id(hit[2])] = State()
                left.append(hit[2])
            ghost[tag] = (-1, None, made[id(hit[2])], True, hit[4])
    return made[id(start)]


def _out_of_order(tag: str, number: int) -> Placed:
    return Placed(number, tag, "", Finding(Fault.OUT_OF_ORDER, 0, 0, f"{tag} may not stand here"))


def _missing(skipped: Skipped, number: int) -> Placed:
    finding = Finding(Fault.MISSING_SEGMENT, 0, 0, f"{skipped.tag} is missing")
    return Placed(number, skipped.tag, skipped.path, finding)


def _prune(scope: Scope, names: tuple[str, ...], required: tuple[str, ...]) -> None:
    value = scope.get(names[0])
    if value is None:
        return
    if len(names) > 1:
        for each in value if isinstance(value, list) else (value,):
            _prune(each, names[1:], required)
    elif isinstance(value, list):
        kept = [each for each in value if all(name in each for name in required)]
        if len(kept) != len(value):
            if kept:
                scope[names[0]] = kept
            else:
                del scope[names[0]]
    elif any(name not in value for name in required):
        del scope[names[0]]


def _prunes(machine: Machine, model: Any) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:  # noqa: C901
    """Return every object path that the map can make and whose required fields may be missing, deepest first."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}

    def note(names: tuple[str, ...], steps: Iterable[str], at: Any) -> Any:
        for name in steps:
            at = field_model(at, name)
            names = (*names, name)
            needed = required_fields(at)
            if needed and names not in found:
                found[names] = needed
        return at

    def walk(loop: Loop, scopes: list[tuple[tuple[str, ...], Any]]) -> None:
        for each in loop.children:
            if isinstance(each, Loop):
                inner = []
                for variant in each.variants:
                    steps = [step.name for step in variant.node.target.steps] if variant.node.target else []
                    for names, at in scopes:
                        inner.append(((*names, *steps), note(names, steps, at)))
                walk(each, inner or scopes)
                continue
            for variant in each.variants:
                for names, at in scopes:
                    steps = [step.name for step in variant.node.target.steps] if variant.node.target else []
                    end = note(names, steps, at)
                    for binding in variant.node.bindings:
                        for path in binding.paths if not binding.computed else ():
                            whole = path.steps if binding.fields else path.steps[:-1]
                            start = ((), model) if path.from_root else ((*names, *steps), end)
                            note(start[0], [step.name for step in whole], start[1])

    walk(machine.root, [((), model)])
    return sorted(found.items(), key=lambda item: -len(item[0]))
