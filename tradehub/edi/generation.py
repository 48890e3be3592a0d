"""Functions generated for reading: one for each place and element count, and one for each shape that comes often.

A function unpacks the segment, holds one boolean of inline checks, and binds. It returns something true, or raises
ValueError, before it has changed anything when the segment is not beyond doubt; then the tables are walked (checks,
binding).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from tradehub.edi import functions
from tradehub.edi.binding import element_type, joined, spread_over
from tradehub.edi.checks import TEXTS
from tradehub.edi.functions import CACHED, DATES, DECIMALS, POINTED, CodeTable, Odd, Scope
from tradehub.edi.machine import Loop, Machine, Place, Variant
from tradehub.edi.paths import Binding, Path, Test, child
from tradehub.edi.paths import Place as At
from tradehub.edi.schema import ElementRule, SegmentRule, Use, field_type

if TYPE_CHECKING:
    from tradehub.edi.reading import Reader

OTHERWISE = "return general(e, c, v, cs, k)"
SUSPECT = 1  # in taken[0], which no loop uses: an object may lack a field that its model requires

Function = Callable[[list[str], list[Scope], list[int], str, list[Any]], Any]

Shape = tuple[bool | tuple[bool, ...], ...]
"""Which elements of a segment have a value; of a composite, which of the components that are there."""


def shape_of(elements: list[str], composites: list[bool], component: str) -> Shape:
    return tuple(
        (tuple([each != "" for each in text.split(component)]) if text else ()) if is_composite else text != ""
        for text, is_composite in zip(elements[1:], composites, strict=True)
    )


class Mark(NamedTuple):
    """An element that the map does not carry: its position, and which components; position 0 is the whole segment."""

    element: int
    components: tuple[int, ...] = ()


WHOLE = (Mark(0),)


class Whens(dict[tuple[str, str], tuple[date | None, datetime | None, str | None]]):
    def __missing__(self, key: tuple[str, str]) -> tuple[date | None, datetime | None, str | None]:
        value = functions.read_when(*key)
        if functions.write_when(*value) != key:
            Odd.last = object()
            return value
        if len(self) >= CACHED:
            self.clear()
        self[key] = value
        return value


class Moments(dict[tuple[str, str], date]):
    def __missing__(self, key: tuple[str, str]) -> date:
        value = functions.read_edifact_date(*key)
        if key != (functions.write_date(value), "102"):
            Odd.last = object()
            return value
        if len(self) >= CACHED:
            self.clear()
        self[key] = value
        return value


class Times(dict[str, Any]):
    def __missing__(self, text: str) -> Any:
        value = functions.read_time(text)
        if functions.write_time(value) != text:
            Odd.last = object()
            return value
        if len(self) >= CACHED:
            self.clear()
        self[text] = value
        return value


WHENS, MOMENTS, TIMES = Whens(), Moments(), Times()


def select(scope: Scope, name: str, key: str, value: str) -> Scope | None:
    """Return the item of a list whose field has a value, or None."""
    for item in scope.get(name, ()):
        if item.get(key) == value:
            return item  # type: ignore[no-any-return]
    return None


def put_first(paths: tuple[Path, ...], scope: Scope, root: Scope, value: Any) -> bool:
    """Fill the first free one of alternative paths; False where none is free."""
    return any(path.put(root if path.from_root else scope, value) for path in paths)


def required_fields(model: Any) -> tuple[str, ...]:
    """Return the fields a document part cannot do without."""
    fields = getattr(model, "model_fields", None)
    return tuple(name for name, each in fields.items() if each.is_required()) if fields else ()


def field_model(model: Any, name: str) -> Any:
    """Return the model of a field, or None; ``model`` may be several to try."""
    for each in model if isinstance(model, tuple) else (model,):
        found = field_type(each, name)
        if found:
            return found[0]
    return model if name == "levels" and isinstance(model, tuple) else None


class Sites:
    """Who binds what: tells where a path has one writer only, so that it needs no look before it is filled."""

    def __init__(self, machine: Machine) -> None:
        self._count: Counter[tuple[int, int, str]] = Counter()
        self._walk(machine.root, (0, 0), is_repeated=False)

    def _walk(self, loop: Loop, scope: tuple[int, int], *, is_repeated: bool) -> None:
        for each in loop.children:
            if isinstance(each, Loop):
                fresh = any(
                    variant.node.target is not None and variant.node.target.steps[-1].append
                    for variant in each.variants
                )
                inner = (each.id, each.depth) if fresh else scope
                self._walk(each, inner, is_repeated=False if fresh else is_repeated or each.max != 1)
                continue
            for variant in each.variants:
                weight = 2 if is_repeated or (each.max != 1 and not each.is_head) else 1
                for name in self._names(variant):
                    self._count[(*scope, name)] += weight
        for each in loop.children:
            if isinstance(each, Loop):
                for variant in each.variants:
                    if variant.node.target is not None:
                        self._count[(*scope, variant.node.target.steps[0].name)] += 1

    @staticmethod
    def _names(variant: Variant) -> set[str]:
        if variant.node.target is not None:
            return {variant.node.target.steps[0].name}
        names = set()
        for binding in variant.node.bindings:
            if not binding.computed:
                names |= {path.steps[0].name for path in binding.paths}
                if not binding.paths:
                    names |= set(binding.fields)
        return names

    def is_single(self, loop: Loop, name: str) -> bool:
        """Return whether ``name`` is filled once at most in a scope that ``loop`` works on."""
        at: Loop | None = loop
        while at is not None and at.parent is not None:
            if any(variant.node.target is not None and variant.node.target.steps[-1].append for variant in at.variants):
                return self._count[(at.id, at.depth, name)] <= 1
            at = at.parent
        return self._count[(0, 0, name)] <= 1


class Parts(NamedTuple):
    """A reading function, apart: what is converted first, what must hold, and what is then done. Lines of source."""

    locals: list[str]
    checks: list[str]
    body: list[str]


class FunctionWriter:
    """Writes the source of one reading function."""

    def __init__(self, reader: Reader, place: Place, count: int, shape: Shape | None = None) -> None:
        self._reader = reader
        self._place = place
        self._shape = shape
        self.last = count - 1
        self.names: dict[str, Any] = {
            "DECIMALS": DECIMALS, "POINTED": POINTED, "DATES": DATES, "TIMES": TIMES, "WHENS": WHENS, "MOMENTS": MOMENTS,
            "select": select, "put_first": put_first, "WHOLE": WHOLE,
        }  # fmt: skip
        self._lines: list[str] = []
        self._checks: list[str] = []
        self._converted_lines: list[str] = []
        self._split: set[int] = set()
        self._read: set[str] = set()
        self._locals: dict[str, str] = {}
        self._number = 0

    def source(self) -> tuple[str, dict[str, Any]]:
        rule = self._place.rule
        if not self.can_pass:
            return "def read(e, c, v, cs, k):\n    return 1\n", self.names
        names = ", ".join(f"e{at}" for at in range(1, self.last + 1))
        for at, use in enumerate(rule.uses[: self.last], 1):
            if use.parts and not use.forbidden:
                self._unpack(use, at)
        self._guard_shape()
        texts = [
            self.whole(at)
            for at, use in enumerate(rule.uses[: self.last], 1)
            if use.element and use.element.type in TEXTS
        ]
        if parted := " or ".join(f"cs in {each}" for each in texts if each != "''"):
            self._lines.append(f"if {parted}: return 1")
        parts = self.parts(rule)
        lines = ["def read(e, c, v, cs, k):", f"    _, {names} = e"]
        lines += ["    " + line for line in (*self._lines, *parts.locals)]
        lines += [f"    if not ({' and '.join(parts.checks)}):", "        return 1"]
        lines += ["    " + line for line in parts.body]
        return "\n".join(lines) + "\n", self.names

    @property
    def can_pass(self) -> bool:
        """Return whether a segment of so many elements can be right here at all."""
        rule = self._place.rule
        if not 1 <= self.last <= len(rule.uses) or (self._shape is not None and not any(self._shape)):
            return False
        return not any(use.mandatory for use in rule.uses[self.last :])

    def parts(self, rule: SegmentRule) -> Parts:
        """Return what a function does after it has taken the segment apart."""
        self._split = {at for at, use in enumerate(rule.uses[: self.last], 1) if use.parts and not use.forbidden}
        body = self._body()
        for at, use in enumerate(rule.uses[: self.last], 1):
            self._check(use, at)
        if self._shape is None and not any(use.mandatory for use in rule.uses[: self.last]):
            self._checks.append(f"({' or '.join(self.whole(at) for at in range(1, self.last + 1))})")
        self._conditions(rule)
        return Parts(self._converted_lines, self._checks, body)

    def own(self, prefix: str, value: Any) -> str:
        self._number += 1
        name = f"{prefix}{self._number}"
        self.names[name] = value
        return name

    # checks

    def _check(self, use: Use, at: int) -> None:
        var = self.whole(at)
        if use.forbidden:
            self._checks.append(f"not {var}")
        elif use.element is not None:
            self._check_value(use.element, var, mandatory=use.mandatory, within="")
        else:
            width = len(use.parts)
            if use.mandatory:
                self._checks.append(var)
            if var == "''":
                return
            for number, part in enumerate(use.parts, 1):
                if part.element is None or part.forbidden:
                    self._checks.append(f"not {self.var(At(at, number))}")
                else:
                    is_sure = use.mandatory or not part.mandatory or self._shape is not None
                    self._check_value(
                        part.element, self.var(At(at, number)), mandatory=part.mandatory, within="" if is_sure else var
                    )
            for condition in use.conditions:
                self._checks += _condition(
                    condition.kind, [self.var(At(at, each)) for each in condition.positions if each <= width]
                )

    def _unpack(self, use: Use, at: int) -> None:
        width = len(use.parts)
        if self._shape is not None:
            there = self._shape[at - 1]
            if isinstance(there, tuple) and there:
                names = ", ".join(f"e{at}_{number}" for number in range(1, len(there) + 1))
                self._lines += [f"p = e{at}.split(cs)", f"if len(p) != {len(there)}: {OTHERWISE}", f"{names}, = p"]
            return
        names = ", ".join(f"e{at}_{number}" for number in range(1, width + 1))
        filling = self.own("F", [[""] * (width - number) for number in range(width)])
        self._lines += [f"p = e{at}.split(cs)", "n = len(p)", f"if n < {width}: p += {filling}[n]"]
        self._lines += [f"elif n > {width}: return 1", f"{names}, = p"]

    def _guard_shape(self) -> None:
        """Leave a segment of another shape to the general function."""
        if self._shape is None:
            return
        absent: list[str] = []
        present: list[str] = []
        for at, there in enumerate(self._shape, 1):
            if not isinstance(there, tuple) or not there:
                (present if there else absent).append(f"e{at}")
            else:
                for number, each in enumerate(there, 1):
                    (present if each else absent).append(f"e{at}_{number}")
        tests = [*absent, *([f"not ({' and '.join(present)})"] if present else [])]
        self._lines.append(f"if {' or '.join(tests)}: {OTHERWISE}")

    def whole(self, at: int) -> str:
        """Return the name of an element as received, or the empty text where it is known to be empty."""
        is_absent = at > self.last or (self._shape is not None and not self._shape[at - 1])
        return "''" if is_absent else f"e{at}"

    def _check_value(self, rule: ElementRule, var: str, *, mandatory: bool, within: str) -> None:
        if var == "''":
            if mandatory:
                self._checks.append("0")
            return
        if self._shape is not None:
            mandatory = True  # the shape says that it is there
        if rule.codes:
            codes = set(rule.codes)
            test = f"{var} in {self.own('L', frozenset(codes if mandatory else codes | {''}))}"
        else:
            test = _length(rule, var, mandatory=mandatory)
            if self._shape is not None:
                test = test.removeprefix("0 < ")
        more = self._kind_test(rule, var)
        if more:
            test += f" and {more}" if mandatory else f" and (not {var} or {more})"
        self._checks.append(f"(not {within} or {test})" if within else test)

    def _kind_test(self, rule: ElementRule, var: str) -> str:
        kind = rule.type
        if var in self._read:
            return ""
        if kind == "DT":
            return f"DATES[{var}] is not None"
        if kind == "TM":
            return f"TIMES[{var}] is not None"
        if kind in {"R", "n"}:
            return f"{_numbers_of(kind)}[{var}] is not None"
        if kind[0] == "N":
            return f"{var}.isdecimal() and {var}.isascii()"
        return f"{var}.isalpha()" if kind == "a" else ""

    def _conditions(self, rule: SegmentRule) -> None:
        for condition in rule.conditions:
            present = [self.whole(each) for each in condition.positions if each <= self.last]
            first = condition.positions[0]
            match condition.kind:
                case "P" | "R" | "E" if condition.kind != "P" or len(present) == len(condition.positions):
                    self._checks += _condition(condition.kind, present)
                case "P":
                    self._checks += [f"not {each}" for each in present]
                case "C" | "L" if first <= self.last:
                    if condition.kind == "C" and len(present) < len(condition.positions):
                        self._checks.append(f"not {self.whole(first)}")
                    else:
                        self._checks += _condition(condition.kind, present)

    # bindings

    def _body(self) -> list[str]:
        place = self._place
        lines: list[str] = []
        if place.is_head:
            lines += self._enter(place.loop)
        lines += self._reader.canon.resets(place)
        chain = "if"
        for variant in place.variants:
            test = self._guard(variant)
            block = self._block(variant) + self._late_mark(variant) + self._reader.canon.lines(self, place, variant)
            if test:
                lines.append(f"{chain} {test}:")
                lines += ["    " + line for line in block]
                chain = "elif"
            elif chain == "elif":
                lines.append("else:")
                lines += ["    " + line for line in block]
                return lines
            else:
                lines += block
                return lines
        return [*lines, "else: return WHOLE"] if chain == "elif" else [*lines, "return WHOLE"]

    def _guard(self, variant: Variant) -> str:
        tests = [f"v[{depth}] == {number}" for depth, number in variant.loops]
        tests += [self._test(each) for each in variant.tests]
        return " and ".join(tests)

    def _test(self, test: Test) -> str:
        var = self.var(test.at)
        if test.values == ("*",):
            return f"{'not ' if test.negated else ''}{var}"
        if len(test.values) == 1:
            return f"{var} {'!=' if test.negated else '=='} {test.values[0]!r}"
        return f"{var} {'not in' if test.negated else 'in'} {self.own('S', frozenset(test.values))}"

    def _enter(self, loop: Loop) -> list[str]:
        lines: list[str] = []
        needs_number = any(variant.loops or variant.tests for variant in loop.variants) or len(loop.variants) > 1
        if needs_number:
            lines += [f"v[{loop.depth}] = -1", f"c[{loop.depth}] = {{}}"]
        chain = "if"
        for number, variant in enumerate(loop.variants):
            block = [f"v[{loop.depth}] = {number}"] if needs_number else []
            block += self._reader.canon.order(loop, number)
            block += self._scope(loop, variant.node.target)
            if self._lacks(variant):
                block.append(f"v[0] = {SUSPECT}")
            test = self._guard(variant)
            if test:
                lines.append(f"{chain} {test}:")
                lines += ["    " + line for line in block]
                chain = "elif"
            elif chain == "elif":
                lines.append("else:")
                lines += ["    " + line for line in block]
                break
            else:
                lines += block
                break
        return lines

    def _lacking(self, variant: Variant) -> tuple[list[str], set[str]]:
        """Return the required fields of a loop's new object that its head does not surely bind, and those it may."""
        target = variant.node.target
        if target is None:
            return [], set()
        parent = self._place.loop.parent
        model = self._reader.scope_model(parent, dict(variant.loops)) if parent is not None else None
        for step in target.steps:
            model = field_model(model, step.name)
        given = {step.field for step in target.steps}
        maybe: set[str] = set()
        for other in self._place.variants:
            if other.node.target is not None or other.tests:
                continue
            for binding in other.node.bindings:
                if len(binding.paths) == 1 and len(binding.path.steps) == 1 and not binding.fields and binding.groups:
                    names = given if self.is_certain(binding.groups[0][0]) else maybe
                    names.add(binding.path.steps[0].name)
        return [name for name in required_fields(model) if name not in given], maybe

    def _lacks(self, variant: Variant) -> bool:
        lacking, maybe = self._lacking(variant)
        return any(name not in maybe for name in lacking)

    def _late_mark(self, variant: Variant) -> list[str]:
        """After a loop's head has bound what it has: mark its object where a required field was not there."""
        place = self._place
        if not place.is_head:
            return []
        taken = dict(variant.loops).get(place.loop.depth)
        loops = [each for at, each in enumerate(place.loop.variants) if taken is None or at == taken]
        names = sorted({name for each in loops for name in self._lacking(each)[0] if name in self._lacking(each)[1]})
        tests = " or ".join(f"{name!r} not in c[{place.loop.depth}]" for name in names)
        return [f"if {tests}: v[0] = {SUSPECT}"] if names else []

    def _scope(self, loop: Loop, target: Path | None) -> list[str]:
        depth = loop.depth
        if target is None:
            return [f"c[{depth}] = c[{depth - 1}]"]
        if len(target.steps) == 1 and target.steps[0].append:
            name = target.steps[0].name
            return [
                "s = {}",
                f"x = c[{depth - 1}]",
                f"a = x.get({name!r})",
                f"if a is None: x[{name!r}] = [s]",
                "else: a.append(s)",
                f"c[{depth}] = s",
            ]
        if len(target.steps) == 1 and not target.steps[0].field and not target.from_root:
            name = target.steps[0].name
            return [
                f"x = c[{depth - 1}]",
                f"s = x.get({name!r})",
                f"if s is None: s = x[{name!r}] = {{}}",
                f"c[{depth}] = s",
            ]
        self.names["child"] = _child_of
        return [f"c[{depth}] = child({self.own('P', target)}, c[{depth - 1}])"]

    def var(self, at: At) -> str:
        if at.element > self.last or (self._shape is not None and not self._is_there(at)):
            return "''"
        if at.element in self._split:
            return f"e{at.element}_{at.component or 1}"
        return f"e{at.element}" if at.component <= 1 else "''"

    def _block(self, variant: Variant) -> list[str]:
        target = variant.node.target
        depth = self._place.loop.depth
        scope = f"c[{depth}]"
        lines: list[str] = []
        tree, late = self._tree(variant, scope if target is None else "r")
        if target is None:
            if tree.is_empty and not late:
                return []
            lines.append(f"s = {scope}")
            lines += tree.into("s", lambda name: self._reader._sites.is_single(self._place.loop, name), [0])
            lines += late
        elif len(target.steps) == 1 and target.steps[0].append:
            name = target.steps[0].name
            counter = [0]
            lines += [*tree.fresh("r", counter), *late]
            lines += [
                "if r:" if not tree.has_certain else "if 1:",
                f"    s = {scope}",
                f"    a = s.get({name!r})",
                f"    if a is None: s[{name!r}] = [r]",
                "    else: a.append(r)",
                *([f"    {mark}"] if (mark := tree.suspect("r")) else []),
            ]
        else:
            self.names["child"] = _child_of
            lines += [*tree.fresh("r", [0]), *late]
            lines.append("if r:")
            lines.append(f"    s = child({self.own('P', target)}, {scope})")
            lines.append("    for n in r: s.setdefault(n, r[n])")
            lines.append(f"    v[0] = {SUSPECT}")
        return lines

    def _tree(self, variant: Variant, scope: str) -> tuple[Tree, list[str]]:
        model = self._model(variant, variant.node.target)
        tree = last = Tree(model)
        extra: list[str] = []
        for binding in variant.node.bindings:
            if binding.const is not None:
                continue
            for group in binding.groups:
                if group[0].element > self.last and (len(group) == 1 or group[-1].element > self.last):
                    continue
                if self._shape is not None and binding.spread <= 1 and all(self.var(at) == "''" for at in group):
                    continue
                if binding.computed:
                    var = self.var(group[0])
                    mark = self.own("B", (self._place.id, group[0], binding))
                    extra.append(f"if {var}: k.append((*{mark}, {var}))")
                    continue
                if binding.paths and last.comes_later(binding.path.steps):
                    last = Tree(model)
                    tree.then.append(last)
                extra += self._bind(last, variant, binding, group, scope)
        return tree, extra

    def _model(self, variant: Variant, target: Path | None) -> Any:
        """Return the model of what a segment binds into."""
        model = self._reader.scope_model(self._place.loop, dict(variant.loops))
        for step in target.steps if target is not None else ():
            model = field_model(model, step.name)
        return model

    def _bind(self, tree: Tree, variant: Variant, binding: Binding, group: tuple[At, ...], scope: str) -> list[str]:
        guard, values = self._values(binding, group)
        if binding.only or binding.excluded:
            first = self.var(group[0])
            sets = [(binding.only, "in"), (binding.excluded, "not in")]
            tests = [f"{first} {word} {self.own('S', codes)}" for codes, word in sets if codes]
            guard = " and ".join([guard, *tests]) if guard else " and ".join(tests)
        if len(binding.paths) > 1 or (binding.paths and binding.path.from_root):
            return self._late(variant, binding, guard, values, scope)
        if not binding.fields:
            tree.leaf(binding.path.steps, guard, values[0][1])
        elif binding.paths:
            lacking = self._lacking_of_item(variant, binding, values, guard)
            tree.item(
                binding.path.steps,
                guard,
                [(name, own, value) for name, (own, value) in zip(binding.fields, values, strict=False)],
            )
            return lacking
        else:
            for name, (own, value) in zip(binding.fields, values, strict=False):
                both = " and ".join(f"({each})" for each in dict.fromkeys((own, guard)) if each)
                tree.leaf_named(name, both, value)
        return []

    def _late(
        self, variant: Variant, binding: Binding, guard: str, values: list[tuple[str, str]], scope: str
    ) -> list[str]:
        paths = self.own("P", binding.paths)
        if binding.fields:
            pairs = ", ".join(f"{name!r}: {value}" for name, (_, value) in zip(binding.fields, values, strict=False))
            value = f"{{n: x for n, x in {{{pairs}}}.items() if x is not None and x != ''}}"
        else:
            value = values[0][1]
        call = self._first(binding, scope, value).replace("%s", paths) or f"put_first({paths}, {scope}, c[0], {value})"
        if self._may_lack(variant, binding):
            return [f"if {guard or 1}:", f"    {call}", f"    v[0] = {SUSPECT}"]
        if not binding.paths[-1].appends:  # of texts of which there are more than fields the last would be lost
            return [f"if {f'({guard}) and ' if guard else ''}not ({call}): v[-1] = 1"]
        return [f"if {guard}: {call}" if guard else call]

    def _lacking_of_item(
        self, variant: Variant, binding: Binding, values: list[tuple[str, str]], guard: str
    ) -> list[str]:
        """Return the line that marks the message where a new item of a list lacks a field that its model requires."""
        if not binding.path.steps[-1].append:
            return []
        model = self._model(variant, variant.node.target)
        for step in binding.path.steps:
            model = field_model(model, step.name)
        owns = {name: own for name, (own, _) in zip(binding.fields, values, strict=False)}
        loose = [owns.get(name, "0") for name in required_fields(model) if owns.get(name, "0") not in {"", guard}]
        test = " or ".join(f"not ({own})" for own in loose)
        return [f"if {f'({guard}) and ' if guard else ''}({test}): v[0] = {SUSPECT}"] if loose else []

    @staticmethod
    def _first(binding: Binding, scope: str, value: str) -> str:
        """Return one expression for ``a.b or a.c ...`` below one object, where that object is there already."""
        tops = {path.steps[0].name for path in binding.paths}
        first = binding.paths[0]
        plain = all(
            len(path.steps) == 2 and not path.from_root and not any(step.field for step in path.steps)
            for path in binding.paths
        )
        if binding.fields or len(tops) != 1 or not plain or first.steps[-1].append or first.steps[0].append:
            return ""
        top, name = first.steps[0].name, first.steps[-1].name
        return (
            f"(o := {scope}.get({top!r})) is not None and {name!r} not in o"
            f" and (o.__setitem__({name!r}, {value}) or True)"
            f" or put_first(%s, {scope}, c[0], {value})"
        )

    def _may_lack(self, variant: Variant, binding: Binding) -> bool:
        for path in binding.paths:
            model = self._reader.root_model() if path.from_root else self._model(variant, variant.node.target)
            for step in path.steps if binding.fields else path.steps[:-1]:
                model = field_model(model, step.name)
                if required_fields(model):
                    return True
        return False

    def _values(self, binding: Binding, group: tuple[At, ...]) -> tuple[str, list[tuple[str, str]]]:
        """Return the guard of the whole binding, and for each field its own guard and the expression of its value."""
        name = binding.conversion.name
        texts = [self.var(at) for at in group]
        if binding.spread > 1:
            return self._spread(binding, texts[0])
        if name == "when":
            return self._when(group, texts)
        if name == "date" and len(texts) == 2 and not binding.fields:
            local = self._local(f"MOMENTS[{texts[0]}, {texts[1]}] if {texts[0]} else None")
            return local, [("", local)]
        width = len(binding.fields) or 1
        values = []
        for at, text, conversion in zip(group[:width], texts, binding.conversions, strict=False):
            own = "" if self.is_certain(at) else text
            values.append((own, self._value(conversion.name, conversion.table, at, text, own)))
        return values[-1][0], values

    def _spread(self, binding: Binding, first: str) -> tuple[str, list[tuple[str, str]]]:
        over = [self.var(at) for at in spread_over(binding)]
        rule, join = self.own("R", self._place.rule), self.own("J", joined)
        whole = f"{join}({rule}, {self.own('B', binding)}, [{', '.join(over)}])"
        value = self._local(f"{whole} if {' or '.join(over[1:])} else {first}")
        return "" if self.is_certain(binding.groups[0][0]) else value, [("", value)]

    def _when(self, group: tuple[At, ...], texts: list[str]) -> tuple[str, list[tuple[str, str]]]:
        kind = element_type(self._place.rule, group[0])
        form = texts[1] if len(texts) > 1 else "''"
        if kind in {"a", "n", "an", ""}:
            local = self._local(f"WHENS[{texts[0]}, {form}] if {texts[0]} else (None, None, None)")
            return texts[0], [(f"{local}[{at}] is not None", f"{local}[{at}]") for at in range(3)]
        self._read.add(texts[0])
        on = self._local(f"DATES[{texts[0]}] if {texts[0]} else None")
        if form == "''":
            return texts[0], [(f"{on} is not None", on), ("0", "None"), ("0", "None")]
        self.names["datetime"] = datetime
        at = self._local(f"datetime.combine({on}, TIMES[{form}]) if {form} and {on} else None")
        return texts[0], [(f"{on} is not None", on), (f"{at} is not None", at), ("0", "None")]

    def _local(self, expression: str) -> str:
        if expression not in self._locals:
            name = self._locals[expression] = f"t{len(self._locals)}"
            self._converted_lines.append(f"{name} = {expression}")
        return self._locals[expression]

    def _is_there(self, at: At) -> bool:
        there = self._shape[at.element - 1] if self._shape is not None else False
        if isinstance(there, tuple):
            return (at.component or 1) <= len(there) and there[(at.component or 1) - 1]
        return there and at.component <= 1

    def is_known(self, at: int) -> bool:
        """Return whether an element is known to have a value."""
        return self._shape is not None and bool(self._shape[at - 1])

    def ends_empty(self, at: int) -> str:
        """Return the test whether a composite ends in an empty component."""
        there = self._shape[at - 1] if self._shape is not None else True
        if isinstance(there, tuple):
            return "1" if there and not there[-1] else ""
        return f"e{at}[-1:] == cs"

    def is_certain(self, at: At) -> bool:
        rule = self._place.rule
        if self._shape is not None:
            return at.element <= self.last and self._is_there(at)
        if at.element > min(len(rule.uses), self.last):
            return False
        use = rule.uses[at.element - 1]
        if not use.mandatory:
            return False
        if use.parts:
            return use.parts[(at.component or 1) - 1].mandatory
        return at.component <= 1

    def _value(self, name: str, table: str, at: At, text: str, guard: str) -> str:
        match name:
            case "text":
                return text
            case "code":
                return f"{self.own('T', self._reader.tables[table].words)}[{text}]"
            case _:
                read = self._converted(name, table, at, text)
                return self._local(f"{read} if {guard} else None") if guard else self._local(read)

    def _converted(self, name: str, table: str, at: At, text: str) -> str:
        kind = element_type(self._place.rule, at)
        if name == "decimal" and len(kind) == 2 and kind[0] == "N":
            return f"{self.own('F', functions.read_implied)}({text}, {kind[1]})"
        if name in {"decimal", "date", "time"}:
            if kind in {"decimal": {"R", "n"}, "date": {"DT"}, "time": {"TM"}}[name]:
                self._read.add(text)
            return f"{ {'decimal': _numbers_of(kind), 'date': 'DATES', 'time': 'TIMES'}[name] }[{text}]"
        if name == "lookup":
            return f"{self.own('T', self._reader.tables[table].words.closed())}[{text}]"
        if name == "bool":
            return f"{self.own('F', _truth(self._reader.tables[table]))}({text})"
        if name == "fn":
            return f"{self.own('F', functions.FUNCTIONS[table][0])}({text})"
        return f"{self.own('F', functions.READERS[name])}({text})"


def _numbers_of(kind: str) -> str:
    """Return the name of what reads numbers of a type: the R of X12 knows no comma."""
    return "POINTED" if kind == "R" else "DECIMALS"


def _truth(table: CodeTable) -> Callable[[str], bool]:
    def truth(code: str) -> bool:
        word = table.words.get(code)
        if word not in {"true", "false"}:
            raise ValueError("neither true nor false")
        return word == "true"

    return truth


def _child_of(path: Path, scope: Scope) -> Scope:
    for step in path.steps:
        scope = child(scope, step)
    return scope


def bounds(rule: ElementRule, *, mandatory: bool) -> tuple[int, int]:
    """Return the fewest and the most characters of a value; of a number that need not be, no fewest."""
    least = max(rule.min, 1) if mandatory else rule.min
    if rule.type in {"R", "n"} or rule.type[0] == "N":
        least = 1 if mandatory else 0
        if rule.min > 1:
            least = rule.min
    return least, rule.max


def _length(rule: ElementRule, var: str, *, mandatory: bool) -> str:
    least, most = bounds(rule, mandatory=mandatory)
    if least == most:
        test = f"len({var}) == {least}"
        return test if mandatory else f"(not {var} or {test})"
    if least <= 1:
        return f"0 < len({var}) <= {most}" if mandatory else f"len({var}) <= {most}"
    test = f"{least} <= len({var}) <= {most}"
    return test if mandatory else f"(not {var} or {test})"


def _condition(kind: str, names: list[str]) -> list[str]:
    if not names:
        return ["0"] if kind == "R" else []
    first, *others = names
    match kind:
        case "P":
            return [f"((not {first}) == (not {other}))" for other in others]
        case "R":
            return ["(" + " or ".join(names) + ")"]
        case "E":
            return ["(" + " + ".join(f"(not not {name})" for name in names) + ") < 2"] if others else []
        case "C":
            return [f"(not {first} or ({' and '.join(others)}))"] if others else []
        case _:
            return [f"(not {first} or {' or '.join(others)})"] if others else [f"not {first}"]


class Tree:
    """What one segment puts into one object: leaves, lists and objects below, ready to be written as source."""

    def __init__(self, model: Any = None) -> None:
        self.model = model
        self.leaves: dict[str, list[tuple[str, str]]] = {}
        self.lists: dict[str, list[tuple[str, str]]] = {}
        self.objects: dict[str, Tree] = {}
        self.selected: dict[tuple[str, str, str], Tree] = {}
        self.then: list[Tree] = []
        """What comes after it, where it cannot all be done at once."""

    @property
    def is_empty(self) -> bool:
        return not (self.leaves or self.lists or self.objects or self.selected or self.then)

    def comes_later(self, steps: tuple[Any, ...]) -> bool:
        """Return whether what is put there must wait: an item of a list from which an item is selected before."""
        if not steps:
            return False
        step, *others = steps
        if step.append:
            return any(name == step.name for name, _, _ in self.selected)
        below = self.selected.get((step.name, step.field, step.value)) if step.field else self.objects.get(step.name)
        return below is not None and below.comes_later(tuple(others))

    @property
    def has_certain(self) -> bool:
        return any(not guard for rows in (*self.leaves.values(), *self.lists.values()) for guard, _ in rows) or any(
            below.has_certain for below in self.objects.values()
        )

    def _below(self, steps: Iterable[Any]) -> Tree:
        tree = self
        for step in steps:
            model = field_model(tree.model, step.name)
            if step.field:
                tree = tree.selected.setdefault((step.name, step.field, step.value), Tree(model))
            else:
                tree = tree.objects.setdefault(step.name, Tree(model))
        return tree

    def suspect(self, var: str, given: str = "") -> str:
        """Return the statement that marks the message when ``var`` lacks a required field; empty where it cannot."""
        certain = {name for name, rows in self.leaves.items() if not rows[0][0]} | {given}
        loose = [name for name in required_fields(self.model) if name not in certain]
        return f"if {' or '.join(f'{name!r} not in {var}' for name in loose)}: v[0] = {SUSPECT}" if loose else ""

    def leaf(self, steps: tuple[Any, ...], guard: str, value: str) -> None:
        appended = next((at for at, step in enumerate(steps[:-1]) if step.append), None)
        if appended is not None:
            inner = Tree()
            inner.leaf(steps[appended + 1 :], "", value)
            self._below(steps[:appended]).lists.setdefault(steps[appended].name, []).append((guard, inner.literal()))
            return
        tree, last = self._below(steps[:-1]), steps[-1]
        if last.append:
            tree.lists.setdefault(last.name, []).append((guard, value))
        else:
            tree.leaves.setdefault(last.name, []).append((guard, value))

    def leaf_named(self, name: str, guard: str, value: str) -> None:
        self.leaves.setdefault(name, []).append((guard, value))

    def item(self, steps: tuple[Any, ...], guard: str, fields: list[tuple[str, str, str]]) -> None:
        """One object from several places: an item of a list, or the fields of an object."""
        tree, last = self._below(steps[:-1]), steps[-1]
        if last.append:
            certain = ", ".join(f"{name!r}: {value}" for name, own, value in fields if not own or own == guard)
            loose = [(name, own, value) for name, own, value in fields if own and own != guard]
            literal = f"{{{certain}}}"
            if loose:
                whole = ", ".join(f"{name!r}: {value}" for name, _, value in fields)
                parts = ", ".join(f"**({{{name!r}: {value}}} if {own} else {{}})" for name, own, value in loose)
                every = " and ".join(own for _, own, _ in loose)
                literal = f"{{{whole}}} if {every} else {{{', '.join(filter(None, (certain, parts)))}}}"
            tree.lists.setdefault(last.name, []).append((guard, literal))
            return
        tree = tree._below([last])
        for name, own, value in fields:
            tree.leaf_named(name, " and ".join(f"({each})" for each in dict.fromkeys((own, guard)) if each), value)

    def literal(self) -> str:
        rows = [f"{name!r}: {pairs[0][1]}" for name, pairs in self.leaves.items()]
        rows += [f"{name!r}: [{pairs[0][1]}]" for name, pairs in self.lists.items()]
        rows += [f"{name!r}: {below.literal()}" for name, below in self.objects.items()]
        return "{" + ", ".join(rows) + "}"

    def fresh(self, var: str, counter: list[int]) -> list[str]:
        """Return lines that build a new object in ``var``."""
        certain = [f"{name!r}: {rows[0][1]}" for name, rows in self.leaves.items() if not rows[0][0]]
        lines = [f"{var} = {{{', '.join(certain)}}}"]
        for name, rows in self.leaves.items():
            for at, (guard, value) in enumerate(rows):
                if guard:
                    test = guard if at == 0 else f"({guard}) and {name!r} not in {var}"
                    lines.append(f"if {test}: {var}[{name!r}] = {value}")
        lines += self._lists(var, counter, lambda _: True)
        for name, below in self.objects.items():
            own = _fresh_name(counter)
            lines += below.attached(var, name, own, counter)
        return lines + self._select(var, counter) + self._rest(var, counter)

    def _rest(self, var: str, counter: list[int]) -> list[str]:
        return [line for each in self.then for line in each.into(var, lambda _: False, counter)]

    def attached(self, var: str, name: str, own: str, counter: list[int]) -> list[str]:
        """Return lines that build a new object and put it under ``name``."""
        lines = self.fresh(own, counter)
        mark = self.suspect(own)
        if self.has_certain:
            return [*lines, f"{var}[{name!r}] = {own}", *([mark] if mark else [])]
        return [*lines, f"if {own}:", f"    {var}[{name!r}] = {own}", *([f"    {mark}"] if mark else [])]

    def into(self, var: str, is_single: Callable[[str], bool], counter: list[int]) -> list[str]:
        """Return lines that add to the object in ``var``, never over what is there."""
        lines = []
        for name, rows in self.leaves.items():
            for guard, value in rows:
                tests = [f"({guard})"] if guard else []
                if len(rows) > 1 or not is_single(name):
                    tests.append(f"{name!r} not in {var}")
                lines.append((f"if {' and '.join(tests)}: " if tests else "") + f"{var}[{name!r}] = {value}")
                if len(rows) > 1 or not is_single(name):
                    lines.insert(-1, f"if {f'({guard}) and ' if guard else ''}{name!r} in {var}: v[-1] = 1")
        lines += self._lists(var, counter, is_single)
        for name, below in self.objects.items():
            own = _fresh_name(counter)
            if is_single(name):
                lines += below.attached(var, name, own, counter)
            else:
                lines += [f"{own} = {var}.get({name!r})", f"{own}n = {own} is None", f"if {own}n: {own} = {{}}"]
                lines += below.into(own, lambda _: False, counter)
                mark = below.suspect(own)
                lines += [f"if {own}n and {own}:", f"    {var}[{name!r}] = {own}", *([f"    {mark}"] if mark else [])]
        return lines + self._select(var, counter) + self._rest(var, counter)

    def _lists(self, var: str, counter: list[int], is_single: Callable[[str], bool]) -> list[str]:
        lines = []
        for name, rows in self.lists.items():
            own = _fresh_name(counter)
            if all(not guard for guard, _ in rows):
                lines.append(f"{own} = [{', '.join(value for _, value in rows)}]")
            else:
                lines.append(f"{own} = []")
                lines += [
                    f"if {guard}: {own}.append({value})" if guard else f"{own}.append({value})" for guard, value in rows
                ]
            if is_single(name):
                lines.append(f"if {own}: {var}[{name!r}] = {own}")
            else:
                lines += [
                    f"if {own}:",
                    f"    a = {var}.get({name!r})",
                    f"    if a is None: {var}[{name!r}] = {own}",
                    f"    else: a.extend({own})",
                ]
        return lines

    def _select(self, var: str, counter: list[int]) -> list[str]:
        lines = []
        for (name, key, value), below in self.selected.items():
            own = _fresh_name(counter)
            lines += [
                f"{own} = select({var}, {name!r}, {key!r}, {value!r})",
                f"{own}n = {own} is None",
                f"if {own}n: {own} = {{{key!r}: {value!r}}}",
            ]
            lines += below.into(own, lambda _: False, counter)
            mark = below.suspect(own, key)
            lines += [f"if {own}n and len({own}) > 1:", f"    {var}.setdefault({name!r}, []).append({own})"]
            lines += [f"    {mark}"] if mark else []
        return lines


def _fresh_name(counter: list[int]) -> str:
    counter[0] += 1
    return f"o{counter[0]}"
