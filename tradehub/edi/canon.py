"""Whether a message is written back as it came, told while it is read, without writing it.

For each segment the generated reader also checks that the writer would give the same text: every element bound by a
converter whose
inverse gives the same form, or marked as unbound; constants as the map has them; nodes in their order. What is not
provable sets ``v[-1]``, and the message is then written and compared (lossless). Both ways give the same extensions;
a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from tradehub.edi.binding import element_type, figure_text, spread_over
from tradehub.edi.functions import CodeTable, Scope
from tradehub.edi.machine import Loop, Machine, Place, Variant
from tradehub.edi.paths import Binding, Path
from tradehub.edi.paths import Place as At

if TYPE_CHECKING:
    from tradehub.edi.generation import FunctionWriter

DIRTY = "v[-1] = 1"


class Source(NamedTuple):
    """One node that writes a path: where, and of a list how many items a segment takes (0: one item each)."""

    place: Place | Loop
    variant: Variant
    order: int
    capacity: int
    selects: tuple[str, str]


class Canon:
    """What is known of all nodes of a map together."""

    def __init__(self, machine: Machine, tables: dict[str, CodeTable], depth: int) -> None:
        self._tables = tables
        self._sources: dict[tuple[Any, str], list[Source]] = {}
        self._slots: dict[Any, int] = {}
        self._once: dict[tuple[int, int], int] = {}
        self._resets: dict[int, list[int]] = {}
        self._order = 0
        self.computed: list[Binding] = []
        self._walk(machine.root, depth)
        self.slots = len(self._slots) + len(self._once)

    # analysis -------------------------------------------------------------------------------------

    def _walk(self, loop: Loop, depth: int) -> None:
        for each in loop.children:
            if len(each.variants) > 1 and not _is_one_list(each):
                self._slots[each] = self._slot(loop, depth)
            for number, variant in enumerate(each.variants):
                if isinstance(each, Place) and is_written_once(each, variant):
                    self._once[each.id, number] = self._slot(loop, depth)
                self._order += 1
                self._note(each, variant)
            if isinstance(each, Loop):
                self._walk(each, depth)

    def _slot(self, loop: Loop, depth: int) -> int:
        slot = depth + 1 + len(self._slots) + len(self._once)
        self._resets.setdefault(loop.id, []).append(slot)
        return slot

    def _note(self, each: Place | Loop, variant: Variant) -> None:
        loop = each.parent if isinstance(each, Loop) else each.loop
        scope = scope_of(loop, variant)
        target = variant.node.target
        if target is not None:
            self._add(scope, target, each, variant, 0)
            if target.steps[-1].append or isinstance(each, Loop):
                return
        for binding in variant.node.bindings:
            if binding.computed and not binding.check_only:
                self.computed.append(binding)
            if binding.const is not None or binding.computed or binding.check_only:
                continue
            prefix = str(target) + "." if target is not None else ""
            for path in binding.paths:
                capacity = sum(len(other.groups) for other in variant.node.bindings if path in other.paths)
                self._add(scope, path, each, variant, capacity, prefix)
            if not binding.paths:
                for name in binding.fields:
                    self._sources.setdefault((scope, prefix + name), []).append(
                        Source(each, variant, self._order, 0, ("", ""))
                    )

    def _add(
        self, scope: Any, path: Path, each: Place | Loop, variant: Variant, capacity: int, prefix: str = ""
    ) -> None:
        selected = next((step for step in path.steps if step.field), None)
        plain = prefix + ".".join(step.name for step in path.steps)
        selects = (selected.field, selected.value) if selected is not None else ("", "")
        if selected is not None and str(path) != plain:
            at = path.steps.index(selected)
            whole = prefix + ".".join(step.name for step in path.steps[: at + 1])
            self._sources.setdefault((scope, whole), []).append(Source(each, variant, self._order, capacity, selects))
            plain = prefix + str(path)
        self._sources.setdefault((scope, plain), []).append(Source(each, variant, self._order, capacity, selects))

    def others(self, place: Place | Loop, variant: Variant, path: str) -> tuple[list[Source], list[Source]]:
        """Return the other nodes that write a path, before and after this one."""
        loop = place.parent if isinstance(place, Loop) else place.loop
        found = self._sources.get((scope_of(loop, variant), path), [])
        mine = next((each.order for each in found if each.variant is variant), 0)
        return [each for each in found if each.order < mine], [each for each in found if each.order > mine]

    # source ---------------------------------------------------------------------------------------

    def resets(self, place: Place) -> list[str]:
        """Return the lines that forget the order of nodes when a new loop instance begins."""
        slots = self._resets.get(place.loop.id, []) if place.is_head else []
        return [f"v[{slot}] = 0" for slot in slots]

    def order(self, each: Place | Loop, number: int) -> list[str]:
        """Return the lines that note a node's turn at a place with several nodes: from 1, 0 is none so far."""
        slot = self._slots.get(each)
        if slot is None:
            return []
        test = f"v[{slot}] > {number + 1}"
        if (
            isinstance(each, Place)
            and each.mandatory
            and not each.is_head
            and not is_first(each, each.variants[number])
        ):
            test = f"v[{slot}] < 1 or {test}"  # the writer begins a mandatory place by its first node, whatever it has
        return [f"if {test}: {DIRTY}", f"v[{slot}] = {number + 1}"]

    def once(self, place: Place, number: int) -> list[str]:
        """Return the lines that note a segment whose fields the writer would put into the one before."""
        slot = self._once.get((place.id, number))
        return [f"if v[{slot}] > 0: {DIRTY}", f"v[{slot}] = 1"] if slot is not None else []

    def lines(self, writer: FunctionWriter, place: Place, variant: Variant) -> list[str]:
        """Return the lines that tell whether this segment is canonical under this node, and return its marks."""
        try:
            return _Segment(self, self._tables, writer, place, variant).lines()
        except Unprovable:
            return [DIRTY]

    def computed_stand(self, document: Scope, figures: Mapping[int, tuple[str, str]]) -> bool:
        """Return whether the figures that the writer computes stood in the message, in the form that it gives them.

        ``figures`` has those that stood in it, by the id of their binding: as stated, and as the writer gives them.
        """
        for binding in self.computed:
            stated, wanted = figures.get(id(binding)) or ("", figure_text(binding, document))
            if stated != wanted:
                return False
        return True


def _is_one_list(each: Place | Loop) -> bool:
    """Return whether a loop's variants write items of one list: then they are written in the list's order."""
    targets = {variant.node.target for variant in each.variants}
    return (
        isinstance(each, Loop) and len(targets) == 1 and all(target and target.steps[-1].append for target in targets)
    )


class Unprovable(Exception):
    """The node cannot be shown to be canonical."""


def scope_of(loop: Loop | None, variant: Variant) -> Any:
    """Return what tells the scope of a node apart: the innermost loop that makes an object, and by which of its
    nodes."""
    taken = dict(variant.loops)
    while loop is not None and loop.parent is not None:
        if any(each.node.target is not None for each in loop.variants):
            return (loop.id, taken.get(loop.depth, 0))
        loop = loop.parent
    return (0, 0)


def is_written_once(place: Place, variant: Variant) -> bool:
    """Return whether a segment that may repeat binds several fields that are no lists: the writer puts all into one. Or
    one beside a list: the writer says it again with each."""
    target = variant.node.target
    if place.is_head or place.max == 1 or (target is not None and target.steps[-1].append):
        return False
    bound = [each for each in variant.node.bindings if each.const is None and not each.computed]
    fields = [each for each in bound if not any(path.appends for path in each.paths)]
    return len(bound) > 1 and bool(fields)


def is_first(place: Place, variant: Variant) -> bool:
    """Return whether no other node of the place comes before this one, under the same nodes of the loops around it."""
    return next(each for each in place.variants if each.loops == variant.loops) is variant


class _Segment:
    def __init__(
        self, canon: Canon, tables: dict[str, CodeTable], writer: FunctionWriter, place: Place, variant: Variant
    ) -> None:
        self._canon = canon
        self._tables = tables
        self._writer = writer
        self._place = place
        self._variant = variant
        self._dirty: list[str] = []
        self._covered: set[At] = set()
        self._valued: list[str] = []
        self._is_valued = False

    def lines(self) -> list[str]:
        for binding in self._variant.node.bindings:
            self._binding(binding)
        self._target()
        self._tests()
        marks = self._marks()
        if not self._is_valued:
            if not self._valued and not self._is_forced():
                if self._place.is_head:
                    raise Unprovable
                return ["return WHOLE"]
            if self._valued and not self._is_forced():
                self._dirty.append(f"not ({' or '.join(dict.fromkeys(self._valued))})")
        last = self._writer.whole(self._writer.last)
        if not self._writer.is_known(self._writer.last):
            self._dirty.append(f"not {last}")
        tests = [each for each in dict.fromkeys(self._dirty) if each and each != "''"]
        lines = [f"if {' or '.join(tests)}: {DIRTY}"] if tests else []
        number = self._place.variants.index(self._variant)
        lines += self._canon.order(self._place, number) + self._canon.once(self._place, number)
        if marks:
            names = [(self._writer.own("M", mark), var) for mark, var in marks]
            some = " or ".join(var for _, var in names)
            each = ", ".join(f"({mark}, {var})" for mark, var in names)
            lines.append(f"if {some}: return tuple([m for m, x in ({each},) if x])")
        return lines

    def _is_forced(self) -> bool:
        """Return whether the writer gives the segment even without a value: mandatory, and no item of a list."""
        if not self._place.mandatory or self._place.is_head or self._variant.node.target is not None:
            return False
        return is_first(self._place, self._variant)

    def _normal(self, at: At) -> At:
        rule = self._place.rule
        has_parts = at.element <= len(rule.uses) and rule.uses[at.element - 1].parts
        return At(at.element, at.component or 1) if has_parts else At(at.element)

    def _var(self, at: At) -> str:
        return self._writer.var(at)

    def _cover(self, at: At) -> str:
        normal = self._normal(at)
        if normal in self._covered:
            raise Unprovable
        self._covered.add(normal)
        return self._var(at)

    def _value(self, at: At, var: str) -> None:
        if self._writer.is_certain(at):
            self._is_valued = True
        else:
            self._valued.append(var)

    def _binding(self, binding: Binding) -> None:
        first = binding.groups[0][0]
        if binding.const is not None:
            var = self._cover(first)
            self._dirty.append(f"{var} != {self._expected(binding.const, binding.given)}")
        elif binding.computed and not binding.check_only:
            self._value(first, self._cover(first))
        elif not binding.check_only:
            self._bound(binding)
        elif not binding.computed:
            self._dirty.append(self._var(first))

    def _expected(self, text: str, given: At | None) -> str:
        return repr(text) if given is None else f"({text!r} if {self._var(given)} else '')"

    def _bound(self, binding: Binding) -> None:
        if binding.only or (binding.excluded and binding.fields) or any(path.from_root for path in binding.paths):
            raise Unprovable
        if binding.excluded:  # a code that is not bound here: what is written in its stead is not proved
            self._dirty.append(
                f"{self._var(binding.groups[0][0])} in {self._writer.own('S', frozenset(binding.excluded))}"
            )
        if binding.default:
            var = self._var(binding.groups[0][0])
            self._dirty.append(f"not {var}" if binding.given is None else f"(not {var} and {self._var(binding.given)})")
        if binding.fields:
            self._several(binding)
            return
        lists = [path for path in binding.paths if path.appends]
        for group in binding.groups:
            var = self._cover(group[0])
            if binding.spread > 1:  # a text in one component is written so; how a longer one was cut is not proved here
                self._dirty += [self._cover(at) for at in spread_over(binding)[1:]]
            if len(group) == 2:
                self._cover(group[1])
            elif binding.conversion.name == "date" and element_type(self._place.rule, group[0]) in {"an", "n", "a"}:
                raise Unprovable
            self._value(group[0], var)
            self._form(binding.conversion.name, binding.conversion.table, group[0], var)
        for path in binding.paths:
            self._alone(path)
            self._twice(binding, path)
        if lists and len(binding.paths) == 1:
            self._row(binding, lists[0])

    def _twice(self, binding: Binding, path: Path) -> None:
        """Two places of a segment hold one field: the other place must have no code for this word."""
        if path.appends:
            return
        for other in self._variant.node.bindings:
            if other is binding or path not in other.paths or other.const is not None or other.check_only:
                continue
            if not {binding.conversion.name, other.conversion.name} <= {"code", "lookup"}:
                raise Unprovable
            mine, theirs = self._tables[binding.conversion.table], self._tables[other.conversion.table]
            if theirs.default is not None:
                self._dirty.append(self._var(binding.groups[0][0]))
                continue
            safe = frozenset(code for code, word in mine.words.items() if word not in theirs.codes)
            var = self._var(binding.groups[0][0])
            self._dirty.append(f"({var} and {var} not in {self._writer.own('S', safe)})")

    def _row(self, binding: Binding, path: Path) -> None:
        """Several elements fill one list: no gaps, and none but the last segment short."""
        if not path.steps[-1].append:
            raise Unprovable
        places = [each.groups[0][0] for each in self._variant.node.bindings if path in each.paths]
        if places[0] != binding.groups[0][0]:
            return
        names = [self._var(each) for each in places]
        self._dirty += [f"(not {one} and {two})" for one, two in pairwise(names) if two != "''"]
        if len(places) > 1:
            steps = ".".join(step.name for step in path.steps)
            self._dirty.append(too_few(steps, 0, len(places), _filled(names)))

    def _several(self, binding: Binding) -> None:
        if binding.conversion.name == "when":
            for at in binding.groups[0][:2]:
                self._cover(at)
            self._value(binding.groups[0][0], self._var(binding.groups[0][0]))
            if len(binding.groups[0]) > 1:
                one, two = (self._var(at) for at in binding.groups[0][:2])
                self._dirty.append(f"({two} and not {one})")
        else:
            names = []
            for group in binding.groups:
                for at, conversion in zip(group, binding.conversions, strict=False):
                    self._form(conversion.name, conversion.table, at, self._cover(at))
                last = self._var(group[len(binding.fields) - 1])
                self._value(group[len(binding.fields) - 1], last)
                names.append(last)
                self._dirty += [f"({self._var(at)} and not {last})" for at in group[:-1] if self._var(at) != "''"]
            self._dirty += [f"(not {one} and {two})" for one, two in pairwise(names) if two != "''"]
        for path in binding.paths:
            if path.appends and any(path in each.paths for each in self._variant.node.bindings if each is not binding):
                raise Unprovable  # the writer fills the places of one before those of the other
            self._shared(path, len(binding.groups))
        if not binding.paths:
            for name in binding.fields:
                self._alone_named(name)

    def _form(self, name: str, table: str, at: At, var: str) -> None:
        if var == "''":
            return
        if name in {"code", "lookup", "bool"}:
            rows = self._tables[table]
            odd = frozenset(code for code, word in rows.words.items() if rows.codes.get(word) != code)
            if odd:
                self._dirty.append(f"{var} in {self._writer.own('A', odd)}")
        elif name == "int" or (name == "decimal" and element_type(self._place.rule, at)[:1] == "N"):
            self._dirty.append(f"{var}[:1] in {{'0', '-'}}")
        elif name in {"fn", "datetime"}:
            raise Unprovable

    def _alone(self, path: Path) -> None:
        self._alone_named(
            str(path) if any(step.field for step in path.steps) else ".".join(step.name for step in path.steps)
        )

    def _alone_named(self, plain: str) -> None:
        target = self._variant.node.target
        if target is not None and target.steps[-1].append:
            return
        prefix = str(target) + "." if target is not None else ""
        before, after = self._canon.others(self._place, self._variant, prefix + plain)
        if before or after:
            raise Unprovable

    def _shared(self, path: Path, width: int) -> None:
        """A list that several nodes take items from: those before must have had their fill."""
        target = self._variant.node.target
        if target is not None and target.steps[-1].append:
            return
        if not path.steps[-1].append:
            self._alone(path)
            return
        plain = ".".join(step.name for step in path.steps)
        before, _ = self._canon.others(self._place, self._variant, plain)
        if any(not source.capacity or source.place.max != 1 for source in before if not self._is_own_head(source)):
            raise Unprovable
        full = sum(source.capacity for source in before)
        repeats = not self._place.is_head and self._place.max != 1
        if full or repeats:
            self._dirty.append(too_few(plain, full, width, self._taken(path)))

    def _taken(self, path: Path) -> str:
        binding = next(each for each in self._variant.node.bindings if path in each.paths)
        at = 0 if binding.conversion.name == "when" else len(binding.fields) - 1
        return _filled([self._var(group[at]) for group in binding.groups])

    @staticmethod
    def _is_own_head(source: Source) -> bool:
        return isinstance(source.place, Place) and source.place.is_head

    def _target(self) -> None:
        """An item of a list is written by the first node that can: no node before may want this one."""
        for each, variant in self._owners():
            target = variant.node.target
            if target is None:
                continue
            if not target.steps[-1].append:
                raise_unless_plain(target)
                self._alone_target(each, variant, target)
                continue
            plain = ".".join(step.name for step in target.steps)
            before, _ = self._canon.others(each, variant, plain)
            for source in before:
                self._not_stolen(source, each, variant)

    def _owners(self) -> list[tuple[Place | Loop, Variant]]:
        found: list[tuple[Place | Loop, Variant]] = [(self._place, self._variant)]
        if self._place.is_head:
            loop = self._place.loop
            taken = dict(self._variant.loops).get(loop.depth)
            within = set(self._variant.loops)  # of the nodes of a loop one alone stands within these
            found += [
                (loop, each)
                for number, each in enumerate(loop.variants)
                if taken in {None, number} and within.issuperset(each.loops)
            ]
        return found

    def _alone_target(self, each: Place | Loop, variant: Variant, target: Path) -> None:
        before, after = self._canon.others(each, variant, ".".join(step.name for step in target.steps))
        if before or not all(self._is_apart(source, each, variant) for source in after):
            raise Unprovable

    def _is_apart(self, source: Source, each: Place | Loop, variant: Variant) -> bool:
        """Return whether a node of the same object is never written where this one is: because of a code, which both
        write for the same word."""
        mine, theirs = (
            {self._normal(one.groups[0][0]): one for one in _head_bindings(*node) if one.paths}
            for node in ((each, variant), (source.place, source.variant))
        )
        asked = {self._normal(test.at): set(test.values) for test in variant.tests if not test.negated}
        return any(
            (at := self._normal(test.at)) in asked.keys() & mine.keys() & theirs.keys()
            and not (test.negated or "*" in (*test.values, *asked[at]) or asked[at].intersection(test.values))
            and mine[at].paths == theirs[at].paths
            and mine[at].conversion.table == theirs[at].conversion.table != ""
            and not theirs[at].default
            for test in source.variant.tests
        )

    def _not_stolen(self, source: Source, each: Place | Loop, variant: Variant) -> None:
        if source.selects[0]:
            field, value = source.selects
            binding = next((one for one in self._variant.node.bindings if one.paths and str(one.path) == field), None)
            if binding is None or binding.conversion.name != "code":
                raise Unprovable
            words = self._tables[binding.conversion.table].words
            codes = frozenset(code for code, word in words.items() if word == value)
            if codes:
                self._dirty.append(f"{self._var(binding.groups[0][0])} in {self._writer.own('S', codes)}")
            return
        if source.place is not each:
            raise Unprovable
        theirs = _head_bindings(source.place, source.variant)
        mine = _head_bindings(each, variant)
        for test in source.variant.tests:
            at = self._normal(test.at)
            their = next(
                (one for one in theirs if one.groups and self._normal(one.groups[0][0]) == at and one.paths), None
            )
            my = next((one for one in mine if one.groups and self._normal(one.groups[0][0]) == at and one.paths), None)
            if their is None or test.negated:
                continue
            if my is not None and their.paths == my.paths and their.conversions == my.conversions:
                return
            if test.values == ("*",) and all(their.path not in one.paths for one in mine):
                return
        raise Unprovable

    def _tests(self) -> None:
        tests = [test for _, variant in self._owners() for test in variant.tests]
        for test in tests:
            at = self._normal(test.at)
            if at in self._covered or test.negated or test.values == ("*",):
                continue
            self._dirty.append(f"{self._cover(test.at)} != {test.values[0]!r}")

    def _marks(self) -> list[tuple[Any, str]]:
        from tradehub.edi.generation import Mark

        marks: list[tuple[Any, str]] = []
        rule = self._place.rule
        beyond = [at for at in self._covered if at.element > self._writer.last]
        for at in beyond:
            for binding in self._variant.node.bindings:
                is_fixed = binding.const is not None and binding.given is None
                if is_fixed and binding.groups and self._normal(binding.groups[0][0]) == at:
                    raise Unprovable
        for element in range(1, self._writer.last + 1):
            parts = rule.uses[element - 1].parts
            if not parts:
                if At(element) not in self._covered:
                    marks.append((Mark(element), self._writer.whole(element)))
                continue
            unbound = tuple(number for number in range(1, len(parts) + 1) if At(element, number) not in self._covered)
            if len(unbound) < len(parts):
                self._dirty.append(self._writer.ends_empty(element))
            if len(unbound) == len(parts):
                marks.append((Mark(element), self._writer.whole(element)))
            elif unbound:
                some = [var for number in unbound if (var := self._var(At(element, number))) != "''"]
                marks.append((Mark(element, unbound), f"({' or '.join(some)})" if some else "''"))
        return [(mark, var) for mark, var in marks if var != "''"]


def raise_unless_plain(target: Path) -> None:
    """Refuse a target that selects: whose item it takes is known only when writing."""
    if any(step.field for step in target.steps):
        raise Unprovable


def _head_bindings(each: Place | Loop, variant: Variant) -> tuple[Binding, ...]:
    if isinstance(each, Loop):
        head = next(
            (node for node in variant.node.children if node.head.name == each.head.tag and not node.head.is_loop), None
        )
        return head.bindings if head is not None else ()
    return variant.node.bindings


def _filled(names: list[str]) -> str:
    real = [name for name in names if name != "''"]
    return "(" + " + ".join(f"(not not {name})" for name in real) + ")" if real else "0"


def too_few(path: str, full: int, width: int, taken: str) -> str:
    """Return the test whether items just added would have gone to a segment before: one that was not full."""
    *parents, last = path.split(".")
    owner = "s"
    for name in parents:
        owner = f"({owner}.get({name!r}) or {{}})"
    before = f"(b := len({owner}.get({last!r}) or ()) - {taken})"
    rest = f" or (b - {full}) % {width}" if width > 1 else ""
    return f"({taken} and ({before} < {full}{rest}))"
