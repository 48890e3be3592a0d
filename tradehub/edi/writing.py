"""The generated writer: a document's values into segments, in the order of the standard's structure.

One function for each segment of the map, made once; loops and lists are walked around them. An item of a list is
written once, by
the first node that can write it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from tradehub.edi import functions
from tradehub.edi.binding import element_type, figure_text, longest, spread_over
from tradehub.edi.functions import DATE_TEXTS, CodeTable, Scope
from tradehub.edi.machine import Loop, Machine, Place
from tradehub.edi.paths import Binding, Conversion, Path, Step, Test
from tradehub.edi.paths import Place as At
from tradehub.edi.schema import NO_LIMIT, BodyNode, MapSpec, Use, align
from tradehub.edi.stencils import (
    MOST_FIELDS,
    MOST_STENCILS,
    MOST_TRIES,
    OFTEN,
    ItemWriter,
    Recorder,
    Stencil,
    Traced,
    Tracer,
    Untraceable,
)

EMPTY: Scope = {}
MOST_SETS = 1000  # of fields that are remembered for a level: documents of one sender have a few dozen
ENDLESS = 1_000_000  # repeats where the standard sets no limit

CHAINS: dict[tuple[Path, ...], tuple[Path, ...]] = {}
"""Alternative paths, each once, so that nodes that draw from the same ones know it by identity."""

SegmentWriter = Callable[[Scope, Scope, "Left", str, str], tuple[str, Any]]


class Left(dict[Any, Any]):
    """What is still to be written: for each list of each object the items left, copied on first touch. ``taken``
    counts them."""

    __slots__ = ("taken",)

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    def of(self, scope: Scope, name: str) -> list[Any]:
        key = (id(scope), name)
        found: list[Any] | None = self.get(key)
        if found is None:
            found = self[key] = list(scope.get(name) or ())
        return found

    def pop(self, scope: Scope, name: str, most: int = 0) -> Any:  # type: ignore[override]
        """Take the next item of a list; the empty text where none is left. A text longer than ``most`` leaves its
        rest."""
        items = self.of(scope, name)
        if not items:
            return ""
        self.taken += 1
        item, *rest = _pieces(items.pop(0), most)
        items[:0] = rest
        return item

    def select(self, scope: Scope, name: str, key: str, value: str) -> Scope:
        """Take the first item whose field has a value; an empty one where there is none."""
        items = self.of(scope, name)
        for at, item in enumerate(items):
            if item.get(key) == value:
                self.taken += 1
                del items[at]
                return item  # type: ignore[no-any-return]
        return EMPTY

    def choose(self, scope: Scope, name: str, key: str, value: str, is_left: Callable[[Scope], bool]) -> Scope:
        """As ``select``, but leave the item where ``is_left`` says so: to another segment, which says more of it."""
        item: Scope = next((each for each in self.of(scope, name) if each.get(key) == value), EMPTY)
        return EMPTY if is_left(item) else self.select(scope, name, key, value)

    def take(self, scope: Scope, name: str, write: Callable[[Scope], tuple[str, ...] | None]) -> tuple[str, ...] | None:
        """Take the first item that ``write`` can write."""
        items = self.of(scope, name)
        for at, item in enumerate(items):
            texts = write(item)
            if texts is not None:
                self.taken += 1
                del items[at]
                return texts
        return None

    def chain(self, paths: tuple[Path, ...], scope: Scope, root: Scope, most: int = 0) -> Any:
        """Take the next value of alternative paths. A text longer than ``most`` goes on in the place of the next
        value."""
        key = (id(scope), id(paths))
        found = self.get(key)
        if found is None:
            values = [value for path in paths for value in path.values(root if path.from_root else scope)]
            found = self[key] = [piece for value in values for piece in _pieces(value, most)]
        if not found:
            return ""
        self.taken += 1
        return found.pop(0)


class Sink:
    """Where written segments go: raw texts and the ids of their places."""

    __slots__ = ("component", "element", "left", "places", "root", "segments")

    def __init__(self, root: Scope, element: str, component: str, left: Left | None = None) -> None:
        self.root = root
        self.element = element
        self.component = component
        self.left = left if left is not None else Left()
        self.segments: list[str] = []
        self.places: list[int] = []


def _pieces(value: Any, most: int) -> list[Any]:
    if not most or not isinstance(value, str) or len(value) <= most:
        return [value]
    return [value[at : at + most].strip() for at in range(0, len(value), most)]


Driver = Callable[[Scope, Sink], bool]
"""Writes what one node makes of a scope; tells whether it holds a value."""

Once = Callable[[Scope, Sink], bool | None]
"""Writes one item of a list; tells whether it could."""

Needing = tuple[frozenset[str] | None, Driver]
"""A driver with the fields that it draws from; None where it must be asked in any case."""


class _Drivers:
    """The drivers of a level; of those, the ones that have something to do with a scope are looked up by its fields."""

    __slots__ = ("_all", "_chosen")

    def __init__(self, drivers: list[Needing]) -> None:
        self._all = drivers
        self._chosen: dict[tuple[str, ...], list[Driver]] = {}

    def of(self, scope: Scope) -> list[Driver]:
        """Return the drivers that draw from a field which the scope has, in order."""
        key = tuple(scope)
        found = self._chosen.get(key)
        if found is None:
            if len(self._chosen) >= MOST_SETS:
                self._chosen.clear()
            found = [driver for needs, driver in self._all if needs is None or not needs.isdisjoint(scope)]
            self._chosen[key] = found
        return found


def _fields_of(node: BodyNode) -> frozenset[str] | None:
    """Return the fields of a scope from which a node has its values; None where it looks elsewhere too."""
    if any(path.from_root or binding.computed for binding in node.bindings for path in binding.paths):
        return None
    inside = [_fields_of(child) for child in node.children]
    if node.target is not None:
        elsewhere = node.target.from_root or None in inside
        return None if elsewhere else frozenset({node.target.steps[0].name})
    names = {path.steps[0].name for binding in node.bindings for path in binding.paths}
    names |= {name for binding in node.bindings if not binding.paths for name in binding.fields}
    for each in inside:
        if each is None:
            return None
        names |= each
    return frozenset(names)


class Writer:
    """Writes documents as the segments of one message type under one resolved map."""

    def __init__(self, spec: MapSpec, machine: Machine, tables: dict[str, CodeTable]) -> None:
        self.spec = spec
        self._machine = machine
        self._tables = tables
        self._shape = functions.SHAPES[spec.head.shape][1] if spec.head.shape else None
        self.lists: list[_Items] = []
        self._listed = _listed(spec.body)
        self._drivers = _Drivers(self._level(spec.body, machine.root))

    def write(self, document: Scope, element: str, component: str) -> tuple[list[str], list[int]]:
        """Return raw segments (without ST/SE or UNH/UNT) and the ids of their places."""
        if self._shape is not None:
            document = self._shape(document)
        sink = Sink(document, element, component)
        for driver in self._drivers.of(document):
            driver(document, sink)
        return sink.segments, sink.places

    def _level(self, body: tuple[BodyNode, ...], loop: Loop, *, skip_head: bool = False) -> list[Needing]:
        """Return the drivers of a level, each with the fields that it draws from: without one of them it writes nothing."""
        level = tuple(_shadow(each) for each in loop.children)
        drivers: list[Needing] = []
        served: set[int] = set()
        for node, index in align(body, level):  # type: ignore[arg-type]
            at = loop.children[index]
            if isinstance(at, Loop):
                driver = self._loop(node, at)
                last = drivers[-1][1] if drivers else None
                if isinstance(driver, _Items):
                    driver.index = index
                if not (isinstance(driver, _Items) and isinstance(last, _Items) and last.joins(driver)):
                    drivers.append((_fields_of(node), driver))
            elif not (skip_head and index == 0):
                is_first = index not in served
                needs = None if at.mandatory and is_first else _fields_of(node)
                drivers.append((needs, self._segment(node, at, is_first=is_first)))
            served.add(index)
        return drivers

    def _segment(self, node: BodyNode, place: Place, *, is_first: bool) -> Driver:
        """Return what writes one node. Of a mandatory place only the first node writes it where there is no value."""
        most = place.max or ENDLESS
        target = node.target
        is_item = target is not None and target.steps[-1].append
        make = self._function(node, place, node.head.tests, is_item=is_item)
        where, is_mandatory = place.id, place.mandatory and is_first

        def repeat(scope: Scope, sink: Sink) -> bool:
            count = 0
            while count < most:
                before = sink.left.taken
                raw, has_value = make(scope, sink.root, sink.left, sink.element, sink.component)
                if not has_value and (count or not is_mandatory or not raw):
                    return count > 0
                if count and sink.left.taken == before:
                    return True  # only what has been said before
                sink.segments.append(raw)
                sink.places.append(where)
                count += 1
                if sink.left.taken == before or not has_value:
                    return bool(has_value)
            return True

        if target is None:
            return repeat
        if not is_item:
            return lambda scope, sink: repeat(_target_scope(target, scope, sink), sink)

        def once(scope: Scope, sink: Sink) -> bool:
            raw, has_value = make(scope, sink.root, sink.left, sink.element, sink.component)
            if not raw or not has_value:
                return False
            sink.segments.append(raw)
            sink.places.append(where)
            return True

        return self._items(target, once, most)

    def _items(self, target: Path, once: Once, most: int) -> _Items:
        """Return what writes the items of a list; it stands in ``lists`` at the same place in the tracing writer."""
        items = _Items(target, once, most, self, len(self.lists))
        self.lists.append(items)
        return items

    def _loop(self, node: BodyNode, loop: Loop) -> Driver:  # noqa: C901
        head = next((each for each in node.children if each.head.name == loop.head.tag and not each.head.is_loop), None)
        tests = node.head.tests + (head.head.tests if head is not None else ())
        is_item = node.target is not None and node.target.steps[-1].append
        own = head or BodyNode(node.head)
        make = self._function(own, loop.head, tests, is_item=is_item)
        children = _Drivers(self._level(node.children, loop, skip_head=True))
        where, most = loop.head.id, loop.max or ENDLESS
        inner = own.target if head is not None else None

        def once(scope: Scope, sink: Sink) -> bool | None:
            """Write one loop; None where its head cannot be written for this scope."""
            start = len(sink.segments)
            at_head = _target_scope(inner, scope, sink) if inner is not None else scope
            raw, has_value = make(at_head, sink.root, sink.left, sink.element, sink.component)
            if not raw:
                return None
            sink.segments.append(raw)
            sink.places.append(where)
            for driver in children.of(scope):
                if driver(scope, sink):
                    has_value = 1
            if not has_value:
                del sink.segments[start:]
                del sink.places[start:]
                return False
            return True

        target = node.target
        if is_item:
            return self._items(target, once, most)  # type: ignore[arg-type]

        def shared(scope: Scope, sink: Sink) -> bool:
            if target is not None:
                scope = _target_scope(target, scope, sink)
                if not scope:
                    return False
            count = 0
            while count < most:
                before, start = sink.left.taken, len(sink.segments)
                if not once(scope, sink):
                    break
                if count and sink.left.taken == before:
                    del sink.segments[start:]  # only what has been said before
                    del sink.places[start:]
                    break
                count += 1
                if sink.left.taken == before:
                    break
            return count > 0

        return shared

    @cached_property
    def _tracing(self) -> _TracingWriter:
        return _TracingWriter(self.spec, self._machine, self._tables)

    def stencil(self, number: int, item: Scope) -> Stencil | None:
        """Return the stencil of an item that the functions have written; None where none can be cut."""
        recorder = Recorder()
        try:
            scope = recorder.scope(item, "s")
            sink = Sink(recorder, "", "", _TracedLeft(recorder))  # type: ignore[arg-type]
            self._tracing.lists[number].trace(scope, sink)
        except Untraceable:
            return None
        return recorder.stencil(sink.segments, sink.places)

    def _source(self, node: BodyNode, place: Place, tests: tuple[Test, ...], *, is_item: bool) -> _Source:
        listed = self._listed if place.loop.depth == 0 else {}
        return _Source(self._tables, node, place, tests, listed, is_item=is_item)

    def _function(self, node: BodyNode, place: Place, tests: tuple[Test, ...], *, is_item: bool) -> SegmentWriter:
        source, names = self._source(node, place, tests, is_item=is_item).source()
        exec(compile(source, f"<{self.spec.head.key}:{place.path}/{place.tag}:write>", "exec"), names)  # noqa: S102
        made: SegmentWriter = names["write"]
        return made


def _listed(body: tuple[BodyNode, ...]) -> dict[str, frozenset[str]]:
    """Return the fields that a segment of the first level says of any item of a list, by the list's name."""
    return {
        target.steps[0].name: frozenset(field for each in node.bindings for field in _named(each))
        for node in body
        if (target := node.target) is not None and len(target.steps) == 1 and target.appends and not node.head.tests
        if not node.head.is_loop and not any(each.only or each.excluded for each in node.bindings)
    }


def _named(binding: Binding) -> tuple[str, ...]:
    return binding.fields or tuple(path.steps[0].name for path in binding.paths)


def _left_to(elsewhere: frozenset[str], here: Mapping[str, int]) -> Callable[[Scope], bool]:
    """Return whether an item is left to a segment that can say all of it: because it has more than the fields of
    ``here``, or a text that is longer than there is room for."""

    def is_left(item: Scope) -> bool:
        fields = {field: value for field, value in item.items() if value is not None}
        fits = all(
            field in here and (not isinstance(each, str) or len(each) <= here[field]) for field, each in fields.items()
        )
        return not fits and fields.keys() <= elsewhere

    return is_left


class _Shadow:
    """What ``align`` needs to know of a place."""

    __slots__ = ("is_loop", "name")

    def __init__(self, name: str, *, is_loop: bool) -> None:
        self.name = name
        self.is_loop = is_loop


def _shadow(each: Place | Loop) -> _Shadow:
    return (
        _Shadow(each.name.partition("@")[0], is_loop=True)
        if isinstance(each, Loop)
        else _Shadow(each.tag, is_loop=False)
    )


def _target_scope(target: Path, scope: Scope, sink: Sink) -> Scope:
    for step in target.steps:
        scope = (
            sink.left.select(scope, step.name, step.field, step.value) if step.field else scope.get(step.name) or EMPTY
        )
    return scope


class _TracingWriter(Writer):
    """The same drivers, with functions that trace what they do of a sample."""

    def _function(self, node: BodyNode, place: Place, tests: tuple[Test, ...], *, is_item: bool) -> SegmentWriter:
        return Tracer(self._source(node, place, tests, is_item=is_item).source)  # type: ignore[return-value]

    def stencil(self, number: int, item: Scope) -> None:
        """Cut none: what is traced is one."""


class _TracedLeft(Left):
    """What is left of a sample."""

    __slots__ = ("_recorder",)

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def pop(self, scope: Scope, name: str, most: int = 0) -> Any:  # type: ignore[override]
        return self._recorder.fits(super().pop(scope, name), most)

    def select(self, scope: Scope, name: str, key: str, value: str) -> Scope:
        items = self.of(scope, name)
        for at, item in enumerate(items):
            own = item.get(key)
            if isinstance(own, Traced) and self._recorder.ask(own.value == value, f"{own.code} == {value!r}"):
                self.taken += 1
                del items[at]
                return item  # type: ignore[no-any-return]
        return EMPTY

    def take(self, scope: Scope, name: str, write: ItemWriter) -> tuple[str, ...] | None:  # type: ignore[override]
        return super().take(scope, name, lambda item: write.traced(item, self._recorder))

    def chain(self, paths: tuple[Path, ...], scope: Scope, root: Scope, most: int = 0) -> Any:
        return self._recorder.fits(super().chain(paths, scope, root), most)


class _Items:
    """Writes the items of a list, each by the first loop variant that can: so a tree's levels keep their order.

    Of items that come often a stencil is cut.
    """

    __slots__ = ("_most", "_number", "_onces", "_seen", "_stencils", "_target", "_writer", "index")

    def __init__(self, target: Path, once: Once, most: int, writer: Writer, number: int) -> None:
        self._target = target
        self._onces = [once]
        self._most = most
        self._writer = writer
        self._number = number
        self._stencils: dict[tuple[str, ...], tuple[Stencil, ...]] = {}
        self._seen: dict[tuple[str, ...], int] = {}
        self.index = -1

    def joins(self, other: _Items) -> bool:
        """Take over the variant of ``other`` where it stands at the same place and writes the same list."""
        if self.index != other.index or self._target != other._target:
            return False
        self._onces += other._onces
        return True

    def __call__(self, scope: Scope, sink: Sink) -> bool:
        for step in self._target.steps[:-1]:
            scope = scope.get(step.name) or EMPTY
        items = sink.left.of(scope, self._target.steps[-1].name)
        if not items:
            return False
        kept: list[Any] = []
        count = 0
        element, component, stencils = sink.element, sink.component, self._stencils
        for item in items:
            if count >= self._most:
                kept.append(item)
                continue
            for stencil in stencils.get(tuple(item), ()):
                raws = stencil.write(item, element, component)
                if raws is not None:
                    sink.segments += raws
                    sink.places += stencil.places
                    count += 1
                    break
            else:
                if any(once(item, sink) for once in self._onces):
                    count += 1
                    self._note(item)
                else:
                    kept.append(item)
        sink.left.taken += count
        items[:] = kept
        return count > 0

    def _note(self, item: Scope) -> None:
        """Count an item that the functions had to write; cut a stencil when there are many like it."""
        key = tuple(item)
        if key not in self._seen and len(self._seen) >= MOST_FIELDS:
            return
        seen = self._seen[key] = self._seen.get(key, 0) + 1
        made = self._stencils.get(key, ())
        if seen % OFTEN or len(made) >= MOST_STENCILS or seen > OFTEN * MOST_TRIES:
            return
        stencil = self._writer.stencil(self._number, item)
        if stencil is not None:
            self._stencils[key] = (*made, stencil)

    def trace(self, item: Scope, sink: Sink) -> None:
        """Write a sample. Raises Untraceable."""
        if not any(once(item, sink) for once in self._onces):
            raise Untraceable


class _Source:
    """Writes the source of one writing function: (scope, root, left, element, component) -> (raw, has value)."""

    def __init__(
        self,
        tables: dict[str, CodeTable],
        node: BodyNode,
        place: Place,
        tests: tuple[Test, ...],
        listed: dict[str, frozenset[str]],
        *,
        is_item: bool,
    ) -> None:
        self._tables = tables
        self._listed = listed
        self._node = node
        self._place = place
        self._tests = tests
        self._is_item = is_item
        self._lines: list[str] = []
        self._names: dict[str, Any] = {
            "EMPTY": EMPTY,
            "DATE_TEXTS": DATE_TEXTS,
            "number": functions.write_decimal,
            "ONE": "write",
        }
        self._count = 0
        self._objects: dict[str, str] = {}
        self._texts: dict[At, str] = {}
        self._valued: list[str] = []
        self._fixed: dict[At, str] = {}
        self._defaults: dict[At, str] = {}
        self._given: list[tuple[At, str, At]] = []
        self._takers: dict[int, str] = {}  # of a row of places the last: where it finds no item, none after it does

    def source(self) -> tuple[str, dict[str, Any]]:
        for binding in self._node.bindings:
            self._binding(binding)
        valued = " or ".join(dict.fromkeys(self._valued)) or "''"
        self._defaults = {at: text for at, text in self._fixed.items() if at in self._texts} | self._defaults
        self._lines.append(f"h = {valued}")
        for at, text in self._defaults.items():
            var = self._texts[at]
            self._lines.append(f"if not {var}: {var} = {text!r}")
        self._provided()
        self._predicates()
        self._assemble()
        return "\n    ".join(["def write(s, r, left, es, cs):", *self._lines]) + "\n", self._names

    def _provided(self) -> None:
        """Write the constants and defaults that stand only where another element has a value."""
        for at, text, given in self._given:
            there = self._texts.get(self._normal(given))
            if there is None:
                continue
            if at not in self._texts:
                self._texts[at] = self._local("''")
            var = self._texts[at]
            self._lines.append(f"if {there} and not {var}: {var} = {text!r}")

    def _own(self, prefix: str, value: Any) -> str:
        self._count += 1
        name = f"{prefix}{self._count}"
        self._names[name] = value
        return name

    def _set(self, at: At, expression: str, *, counts: bool = True) -> str:
        at = self._normal(at)
        if at in self._texts:
            var = self._texts[at]
            self._lines.append(f"if not {var}: {var} = {expression}")
        else:
            self._count += 1
            var = self._texts[at] = f"x{self._count}"
            self._lines.append(f"{var} = {expression}")
        if counts:
            self._valued.append(var)
        return var

    def _normal(self, at: At) -> At:
        return At(at.element, at.component or 1) if self._parts(at.element) else At(at.element)

    def _parts(self, element: int) -> tuple[Use, ...]:
        rule = self._place.rule
        return rule.uses[element - 1].parts if element <= len(rule.uses) else ()

    def _is_mandatory(self, at: At) -> bool:
        rule = self._place.rule
        if at.element > len(rule.uses):
            return False
        use = rule.uses[at.element - 1]
        return use.mandatory and (not use.parts or use.parts[(at.component or 1) - 1].mandatory)

    def _binding(self, binding: Binding) -> None:
        if binding.check_only:
            return
        first = binding.groups[0][0]
        if binding.const is not None:
            at = self._normal(first)
            if binding.given is not None:
                self._given.append((at, binding.const, binding.given))
            else:
                self._fixed[at] = binding.const
            return
        if binding.computed:
            self._computed(binding, first)
            return
        for group in binding.groups:
            self._group(binding, group)
        if binding.default and binding.given is not None:
            self._given.append((self._normal(first), binding.default, binding.given))
        elif binding.default:
            self._defaults[self._normal(first)] = binding.default

    def _computed(self, binding: Binding, at: At) -> None:
        self._names["figure_text"] = figure_text
        self._set(at, f"figure_text({self._own('B', binding)}, r)")

    def _group(self, binding: Binding, group: tuple[At, ...]) -> None:
        if binding.fields and binding.conversion.name == "when":
            self._when(binding, group)
        elif binding.fields or (binding.paths and any(step.append for step in binding.path.steps[:-1])):
            self._item(binding, group)
        elif len(binding.paths) > 1:
            most = longest(self._place.rule, group[0]) * binding.spread if binding.paths[-1].appends else 0
            value = self._local(
                f"left.chain({self._own('P', CHAINS.setdefault(binding.paths, binding.paths))}, s, r, {most})"
            )
            self._put(binding, group[0], self._text(binding.conversion, group[0], value))
        else:
            self._single(binding, group)

    def _single(self, binding: Binding, group: tuple[At, ...]) -> None:
        path = binding.path
        owner = self._object(path, path.steps[:-1])
        last = path.steps[-1]
        counts = not path.from_root
        most = longest(self._place.rule, group[0]) * binding.spread
        read = f"left.pop({owner}, {last.name!r}, {most})" if last.append else f"{owner}.get({last.name!r})"
        if binding.conversion.name == "text":
            self._put(binding, group[0], f"{read} or ''", counts=counts)
            return
        value = self._local(read)
        if binding.conversion.name == "date" and len(group) == 2:
            self._set(group[0], f"DATE_TEXTS[{value}] if {value} else ''", counts=counts)
            self._set(group[1], f"'102' if {value} else ''", counts=False)
            return
        text = self._text(binding.conversion, group[0], value)
        if binding.only or binding.excluded:  # its own text is tested, for another binding may share the place
            codes, own = self._own("S", binding.only or binding.excluded), self._local(text)
            text = f"({own} if {own} {'in' if binding.only else 'not in'} {codes} else '')"
        var = self._set(group[0], text, counts=counts)
        if binding.conversion.name in {"code", "lookup"} and self._is_mandatory(group[0]) and not binding.default:
            self._lines.append(f"if {value} and not {var}: return '', 0")

    def _put(self, binding: Binding, at: At, expression: str, *, counts: bool = True) -> None:
        """Set a place, or the components that one text goes on through."""
        if binding.spread == 1:
            self._set(at, expression, counts=counts)
            return
        most = longest(self._place.rule, at)
        whole = self._local(expression)
        for number, each in enumerate(spread_over(binding)):
            self._set(each, f"{whole}[{number * most}:{(number + 1) * most}]", counts=counts and not number)

    def _when(self, binding: Binding, group: tuple[At, ...]) -> None:
        if binding.paths and binding.path.steps[-1].append:
            path = binding.path
            owner = self._local(f"left.pop({self._object(path, path.steps[:-1])}, {path.steps[-1].name!r}) or EMPTY")
        else:
            owner = self._object(binding.path, binding.path.steps) if binding.paths else "s"
        fields = [f"{owner}.get({name!r})" for name in binding.fields]
        fields += ["None"] * (3 - len(fields))
        kind = element_type(self._place.rule, group[0])
        is_edifact = kind in {"a", "n", "an", ""}
        self._names["when"] = functions.write_when if is_edifact else functions.write_moment
        value = self._local(f"when({', '.join(fields)})")
        for number, at in enumerate(group[:2]):
            self._set(at, f"{value}[{number}]", counts=number == 0)

    def _item(self, binding: Binding, group: tuple[At, ...]) -> None:
        path = binding.path if binding.paths else None
        fields, steps = binding.fields, path.steps if path is not None else ()
        if not fields:
            cut = next(at for at, step in enumerate(steps) if step.append)
            fields, steps = (steps[-1].name,), steps[: cut + 1]
        write = self._item_writer(binding, fields, group)
        if path is not None and steps[-1].append:
            owner = self._object(path, steps[:-1])
            before = self._takers.get(id(binding))
            take = f"left.take({owner}, {steps[-1].name!r}, {write})"
            value = self._takers[id(binding)] = self._local(f"{before} and {take}" if before else take)
        else:
            owner = self._object(path, steps) if path is not None else "s"
            value = self._local(f"{write}({owner})")
        for number, at in enumerate(group[: len(fields)]):
            self._set(at, f"{value}[{number}] if {value} else ''")

    def _item_writer(self, binding: Binding, fields: tuple[str, ...], group: tuple[At, ...]) -> str:
        writers = [
            self._writer(conversion, at)
            for conversion, at in zip(binding.conversions[: len(fields)], group, strict=False)
        ]
        pairs = tuple(zip(fields, writers, strict=False))
        return self._own("W", ItemWriter(pairs, binding.only, binding.excluded, self._leaving(binding, fields)))

    def _leaving(self, binding: Binding, fields: tuple[str, ...]) -> Callable[[Scope], bool] | None:
        """Return whether an item of a list goes to the segment that says any of the list, and not here; None where
        none does."""
        name = binding.path.steps[0].name if binding.paths else ""
        if name not in self._listed or self._is_mandatory(binding.groups[0][0]):
            return None
        return _left_to(self._listed[name], dict.fromkeys(fields, NO_LIMIT))

    def _writer(self, conversion: Conversion, at: At) -> Callable[[Any], str | None]:
        kind = element_type(self._place.rule, at)
        match conversion.name:
            case "code":
                return self._tables[conversion.table].write
            case "lookup":  # an unknown code is never read here, so it is not one of this place's
                return self._tables[conversion.table].codes.get
            case "bool":
                table = self._tables[conversion.table]
                return lambda value: table.write("true" if value else "false")
            case "fn":
                return functions.FUNCTIONS[conversion.table][1]
            case "decimal" if len(kind) == 2 and kind[0] == "N":
                return lambda value: functions.write_implied(value, int(kind[1]))
            case name:
                return functions.WRITERS[name]

    def _text(self, conversion: Conversion, at: At, value: str) -> str:
        kind = element_type(self._place.rule, at)
        match conversion.name:
            case "text":
                return f"{value} or ''"
            case "decimal" if not (len(kind) == 2 and kind[0] == "N"):
                return f"f'{{{value}:f}}' if {value} is not None and {value} != '' else ''"
            case "code":
                table = self._tables[conversion.table]
                codes, write = self._own("C", table.codes), self._own("W", table.write)
                return f"({codes}.get({value}) or {write}({value}) or '') if {value} else ''"
            case "date":
                return f"DATE_TEXTS[{value}] if {value} else ''"
            case _:
                return f"({self._own('W', self._writer(conversion, at))}({value}) or '') if {value} is not None and {value} != '' else ''"

    def _local(self, expression: str) -> str:
        self._count += 1
        name = f"t{self._count}"
        self._lines.append(f"{name} = {expression}")
        return name

    def _object(self, path: Path, steps: tuple[Any, ...]) -> str:
        owner = "r" if path.from_root else "s"
        key = owner
        for step in steps:
            key += f".{step}"
            if key not in self._objects:
                read = self._selected(owner, step) if step.field else f"{owner}.get({step.name!r}) or EMPTY"
                self._objects[key] = self._local(read)
            owner = self._objects[key]
        return owner

    def _selected(self, owner: str, step: Step) -> str:
        """Take the item that a step selects; one that must stand here does so though more is said of it."""
        chosen = f"{owner}, {step.name!r}, {step.field!r}, {step.value!r}"
        drawing = [each for each in self._node.bindings if any(step in path.steps for path in each.paths)]
        is_wanted = any(self._is_mandatory(each.groups[0][0]) for each in drawing)
        if step.name not in self._listed or is_wanted:
            return f"left.select({chosen})"
        here = {step.field: NO_LIMIT}
        for each in drawing:
            here |= {path.steps[-1].name: self._longest(each) for path in each.paths if step in path.steps}
        return f"left.choose({chosen}, {self._own('L', _left_to(self._listed[step.name], here))})"

    def _longest(self, binding: Binding) -> int:
        return longest(self._place.rule, binding.groups[0][0])

    def _predicates(self) -> None:
        for test in self._tests:
            at = self._normal(test.at)
            var = self._texts.get(at)
            if test.negated:
                if var is not None:
                    holds = var if test.values == ("*",) else f"{var} in {self._own('S', frozenset(test.values))}"
                    self._lines.append(f"if {holds}: return '', 0")
            elif var is None:
                if test.values != ("*",):
                    self._fixed[at] = test.values[0]
            elif test.values == ("*",):
                self._lines.append(f"if not {var}: return '', 0")
            else:
                self._lines.append(f"if {var} not in {self._own('S', frozenset(test.values))}: return '', 0")

    def _assemble(self) -> None:
        for at, text in self._fixed.items():
            self._texts.setdefault(at, repr(text))
        last = max((at.element for at in self._texts), default=0)
        pieces = [repr(self._place.tag)]
        for element in range(1, last + 1):
            parts = {at.component: var for at, var in self._texts.items() if at.element == element}
            if not parts:
                pieces.append("''")
            elif set(parts) == {0} or set(parts) == {1}:
                pieces.append(next(iter(parts.values())))
            else:
                inside = ", ".join(parts.get(number, "''") for number in range(1, max(parts) + 1))
                pieces.append(f"cs.join(({inside})).rstrip(cs)")
        self._lines.append(f"return es.join(({', '.join(pieces)},)).rstrip(es), h")
