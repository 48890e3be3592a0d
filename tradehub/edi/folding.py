"""Partial evaluation of generated reading code, for a run of segments whose shapes and qualifiers are known.

The functions of ``generation`` are written for any segment of a shape that may come at any time. Where it is known what
came before, most of what they ask is known too: that an object is new, that it has no such field yet, which node takes
the segment. A ``Folder`` goes through their source, follows objects that the run itself makes, and leaves only what must
be done when the run is read. What it cannot follow it refuses (``Unfoldable``), and the run is read segment by segment.
"""

from __future__ import annotations

import ast
import builtins
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from tradehub.edi.functions import Words, when_parts
from tradehub.edi.paths import Path, Step

BUILTINS = frozenset(dir(builtins))
NUMBERS = frozenset({"DECIMALS", "POINTED"})
VALUES = NUMBERS | {"DATES", "TIMES", "MOMENTS"}
"""Never None; they raise ValueError for what is no such value."""
SHARED = VALUES | {"c", "v", "k", "cs", "WHENS", "select", "put_first", "datetime"}
DAYS = frozenset({"DATES", "MOMENTS"})  # never false either
DIRTY = -1
MAYBE = 1  # within an ``if`` whose test is live: what is outside may be changed, but no object of the run
UNSURE = 2  # within an operand that may be passed over: nothing may be changed
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda one, other: one in other, ast.NotIn: lambda one, other: one not in other,
    ast.Is: operator.is_, ast.IsNot: operator.is_not,
}  # fmt: skip
COMPUTE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mod: operator.mod,
}  # fmt: skip


class Unfoldable(Exception):
    """The code does something whose outcome is not known before the run is read."""


@dataclass(eq=False, slots=True)
class Known:
    """A value known now."""

    value: Any


@dataclass(eq=False, slots=True)
class Named:
    """A constant of the generated code, known now, that goes by its name."""

    name: str
    value: Any


@dataclass(eq=False, slots=True)
class Text:
    """An element's text, known to have from ``least`` to ``most`` characters. The run is not read where it is one of
    ``never``. ``is_plain``: it is a number that Decimal takes, and writes again as it is."""

    name: str
    least: int
    most: int
    never: frozenset[str] = frozenset()
    is_plain: bool = False


@dataclass(eq=False, slots=True)
class Length:
    of: Text


@dataclass(eq=False, slots=True)
class Live:
    """A value that is known only when the run is read. ``is_there``: it is not None; ``is_true``: it counts as true."""

    node: ast.expr
    is_there: bool = False
    is_true: bool = False


@dataclass(eq=False, slots=True)
class Made:
    """An object that the run makes, or that is there when it begins: then ``base`` is the expression for it, and
    ``kept`` what it has then."""

    fields: dict[str, Any]
    base: str = ""
    name: str = ""
    kept: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Items:
    """A list that the run makes; ``has_left`` once something outside holds it."""

    values: list[Any]
    has_left: bool = False


@dataclass(eq=False, slots=True)
class Row:
    values: tuple[Any, ...]


Value = Known | Named | Text | Length | Live | Made | Items | Row


class _Renamer(ast.NodeTransformer):
    """Gives the names of one segment's code an ending of their own, so that several stand side by side."""

    def __init__(self, ending: str) -> None:
        self._ending = ending

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id not in SHARED and node.id not in BUILTINS:
            node.id += self._ending
        return node


def parsed(lines: Sequence[str], ending: str) -> list[ast.stmt]:
    """Return statements with their names made unique by ``ending``."""
    tree = _Renamer(ending).visit(ast.parse("\n".join(lines)))
    body: list[ast.stmt] = tree.body
    return body


def truth(value: Value) -> bool | None:
    """Return whether a value counts as true; None where that is not known."""
    match value:
        case Known(value=known) | Named(value=known):
            return bool(known)
        case Text():
            return True
        case Made(fields=held) | Items(values=held):
            return bool(held)
        case Row(values=row):
            return bool(row)
        case Live(is_true=True):
            return True
        case _:
            return None


def _left(scope: Value) -> Value:
    """Return an object that a run made as it is found after it."""
    if not isinstance(scope, Made):
        return scope
    fields: dict[str, Any] = {
        key: Live(ast.Subscript(_name(scope.name), ast.Constant(key), ast.Load()), is_there=True)
        for key in scope.fields
    }
    return Made(dict(fields), scope.name, scope.name, fields)


def _name(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


class Folder:
    """Folds the code of a run. ``scopes`` and ``slots`` are what is known of ``c`` and ``v``; ``out`` is what remains."""

    def __init__(self, constants: dict[str, Any]) -> None:
        self.constants = constants
        self.env: dict[str, Value] = {}
        self.scopes: dict[int, Value] = {}
        self.slots: dict[int, Value] = {}
        self.first: list[ast.stmt] = []
        self.checks: list[ast.expr] = []
        self.out: list[ast.stmt] = []
        self.dirty: list[ast.expr] = []
        self.marks: list[tuple[int, ast.expr]] = []
        self._segment = 0
        self._count = 0
        self._uncertain = 0
        self._checking = False

    def follower(self) -> Folder:
        """Return a folder for what comes after this run: what the run leaves in scopes and slots is there for it."""
        after = Folder(self.constants)
        after._count = self._count
        after.slots = dict(self.slots)
        left: dict[int, Value] = {}
        for at, scope in self.scopes.items():
            if not isinstance(scope, Made) or scope.name:  # what has no name is of no use outside of the run
                after.scopes[at] = left.setdefault(id(scope), _left(scope))
        return after

    # one segment

    def take(self, number: int, converted: list[ast.stmt], checks: list[ast.stmt], body: list[ast.stmt]) -> None:
        """Fold the code of one segment of the run. Raises Unfoldable."""
        self._segment = number
        for statement in converted:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._convert(name, self.value(value))
                case _:
                    raise Unfoldable
        self.block(body)
        self._checking = True
        for check in checks:
            match check:
                case ast.Expr(value=value):
                    self._must(self.value(value))
                case _:
                    raise Unfoldable
        self._checking = False

    def _convert(self, name: str, value: Value) -> None:
        if isinstance(value, Live):
            self.first.append(ast.Assign([ast.Name(name, ast.Store())], value.node))
            value = Live(_name(name), value.is_there, value.is_true)
        elif isinstance(value, Row) and any(isinstance(each, Live) for each in value.values):
            whole = next(each.node for each in value.values if isinstance(each, Live))
            if not isinstance(whole, ast.Subscript):
                raise Unfoldable
            self.first.append(ast.Assign([ast.Name(name, ast.Store())], whole.value))
            value = _parts_of(_name(name), value)
        self.env[name] = value

    def _must(self, value: Value) -> None:
        is_true = truth(value)
        if is_true is None:
            self.checks.append(self.node(value))
        elif not is_true:
            raise Unfoldable

    # statements

    def block(self, statements: Sequence[ast.stmt]) -> bool:
        """Fold statements in turn; True when they returned."""
        return any(self._statement(each) for each in statements)

    def _statement(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Assign(targets=[target], value=value):
                self._assign(target, self.value(value))
            case ast.Assign(targets=targets, value=value):
                assigned = self.value(value)
                for target in reversed(targets):
                    self._assign(target, assigned)
            case ast.If():
                return self._if(statement)
            case ast.Expr(value=value):
                self.value(value)
            case ast.For(target=ast.Name(id=name), iter=over, body=body):
                whole = self.value(over)
                if not isinstance(whole, Made):
                    raise Unfoldable
                for key in list(whole.fields):
                    self.env[name] = Known(key)
                    self.block(body)
            case ast.Return():
                self._return(statement)
                return True
            case _:
                raise Unfoldable
        return False

    def _return(self, statement: ast.Return) -> None:
        value = self.value(statement.value) if statement.value is not None else Known(None)
        match value:
            case Known(value=None):
                return
            case Row(values=values) if values:
                row = ast.Tuple([self.node(each) for each in values], ast.Load())
                self.marks.append((self._segment, row))
            case Named():
                self.marks.append((self._segment, _name(value.name)))
            case _:
                raise Unfoldable

    def _assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self.env[name] = self._kept(name, value)
            case ast.Subscript(value=ast.Name(id="c"), slice=ast.Constant(value=int(depth))):
                self.scopes[depth] = value
            case ast.Subscript(value=ast.Name(id="v"), slice=at):
                slot = ast.literal_eval(at)
                if slot == DIRTY:
                    self.dirty.append(ast.Constant(True))
                else:
                    self.slots[slot] = value
            case ast.Subscript(value=owner, slice=key):
                self._set(self.value(owner), self.value(key), value)
            case _:
                raise Unfoldable

    def _kept(self, name: str, value: Value) -> Value:
        """What is read from an object outside is read once, in its turn."""
        if not isinstance(value, Live) or isinstance(value.node, ast.Name):
            return value
        self.out.append(ast.Assign([ast.Name(name, ast.Store())], value.node))
        return Live(_name(name), value.is_there, value.is_true)

    def _set(self, owner: Value, key: Value, value: Value) -> None:
        if self._uncertain > MAYBE or not isinstance(key, Known):
            raise Unfoldable
        if isinstance(owner, Made) and not self._uncertain:
            owner.fields[key.value] = value
        elif isinstance(owner, Live):
            target = ast.Subscript(owner.node, ast.Constant(key.value), ast.Store())
            self.out.append(ast.Assign([target], self.node(value)))
        else:
            raise Unfoldable

    def _if(self, statement: ast.If) -> bool:
        test = self.value(statement.test)
        is_true = truth(test)
        if is_true is not None:
            return self.block(statement.body if is_true else statement.orelse)
        if not statement.orelse and _sets_slot(statement.body) == DIRTY:
            self._dirty_if(self.node(test), statement)
            return False
        before, level = self.out, self._uncertain
        self._uncertain = MAYBE
        kept = (dict(self.scopes), dict(self.slots), dict(self.env), len(self.dirty), len(self.marks))
        branches = []
        for branch in (statement.body, statement.orelse):
            self.out = []
            if _sets_slot(branch) == 0:
                self.out.extend(branch)
            elif self.block(branch):
                raise Unfoldable
            branches.append(self.out)
        after = (self.scopes, self.slots, self.env, len(self.dirty), len(self.marks))
        self.out, self._uncertain = before, level
        if kept != after:
            raise Unfoldable
        self.out.append(ast.If(self.node(test), branches[0] or [ast.Pass()], branches[1]))
        return False

    def _dirty_if(self, test: ast.expr, statement: ast.If) -> None:
        """Put off what only texts decide; what asks an object must ask it now."""
        assigned = {each.id for made in self.first for each in ast.walk(made) if isinstance(each, ast.Name)}
        texts = {value.name for value in self.env.values() if isinstance(value, Text)}
        names = {each.id for each in ast.walk(test) if isinstance(each, ast.Name)}
        if names <= assigned | texts | set(self.constants):
            self.dirty.append(test)
        else:
            self.out.append(ast.If(test, statement.body, []))

    # expressions

    def value(self, node: ast.expr) -> Value:
        """Return what is known of an expression."""
        method = getattr(self, "_on_" + type(node).__name__.lower(), None)
        if method is None:
            return Live(self._substituted(node))
        found: Value = method(node)
        return found

    def _on_constant(self, node: ast.Constant) -> Value:
        return Known(node.value)

    def _on_name(self, node: ast.Name) -> Value:
        if node.id in self.env:
            return self.env[node.id]
        if node.id in self.constants:
            return Named(node.id, self.constants[node.id])
        if node.id in SHARED or node.id in BUILTINS:
            return Live(node, is_there=True)
        raise Unfoldable

    def _on_tuple(self, node: ast.Tuple) -> Value:
        return Row(tuple(self.value(each) for each in node.elts))

    def _on_list(self, node: ast.List) -> Value:
        return Items([self.value(each) for each in node.elts])

    def _on_dict(self, node: ast.Dict) -> Value:
        fields: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            given = self.value(value)
            if key is None:
                if not isinstance(given, Made):
                    raise Unfoldable
                fields |= given.fields
            else:
                fields[self._key(key)] = given
        return Made(fields)

    def _key(self, node: ast.expr) -> Any:
        key = self.value(node)
        if not isinstance(key, Known):
            raise Unfoldable
        return key.value

    def _on_namedexpr(self, node: ast.NamedExpr) -> Value:
        value = self.value(node.value)
        if isinstance(value, Live):
            if self._uncertain > MAYBE:
                raise Unfoldable
            value = self._kept(node.target.id, value)
        self.env[node.target.id] = value
        return value

    def _on_ifexp(self, node: ast.IfExp) -> Value:
        is_true = truth(self.value(node.test))
        if is_true is None:
            return Live(self._substituted(node))
        return self.value(node.body if is_true else node.orelse)

    def _on_unaryop(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            is_true = truth(value)
            return Live(ast.UnaryOp(ast.Not(), self.node(value))) if is_true is None else Known(not is_true)
        if isinstance(node.op, ast.USub) and isinstance(value, Known):
            return Known(-value.value)
        raise Unfoldable

    def _on_binop(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        compute = COMPUTE.get(type(node.op))
        if isinstance(left, Known) and isinstance(right, Known) and compute is not None:
            return Known(compute(left.value, right.value))
        return Live(ast.BinOp(self.node(left), node.op, self.node(right)))

    def _on_boolop(self, node: ast.BoolOp) -> Value:
        ends = isinstance(node.op, ast.Or)
        kept: list[ast.expr] = []
        outer = self._uncertain
        try:
            for at, each in enumerate(node.values):
                self._uncertain = UNSURE if kept else outer
                value = self.value(each)
                is_true = truth(value)
                if is_true is None:
                    kept.append(self.node(value))
                elif is_true == ends:
                    if kept and not ends:
                        return Known(False)
                    return value if not kept else Live(ast.BoolOp(node.op, [*kept, self.node(value)]))
                elif at == len(node.values) - 1 and not kept:
                    return value
        finally:
            self._uncertain = outer
        return Live(kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept))

    def _on_compare(self, node: ast.Compare) -> Value:
        values = [self.value(each) for each in (node.left, *node.comparators)]
        results = [self._compared(one, op, other) for one, op, other in zip(values, node.ops, values[1:], strict=False)]
        if any(each is False for each in results):
            return Known(False)
        if all(each is True for each in results):
            return Known(True)
        if len(results) > 1 or any(isinstance(each, Made | Items) for each in values):
            raise Unfoldable
        return Live(ast.Compare(self.node(values[0]), node.ops, [self.node(values[1])]))

    @staticmethod
    def _compared(one: Value, op: ast.cmpop, other: Value) -> bool | None:
        """Return the outcome of a comparison; None where it is not known."""
        compare = COMPARE[type(op)]
        match one, other:
            case ((Known(value=left) | Named(value=left)), (Known(value=right) | Named(value=right))):
                return compare(left, right)
            case _, Known(value=None):
                is_there = one.is_there if isinstance(one, Live) else True
                return isinstance(op, ast.IsNot) if is_there else None
            case Known(value=key), Made(fields=fields):
                return compare(key, fields)
            case Length(of=text), Known(value=int(most)):
                return _within(text, op, most)
            case Known(value=int(least)), Length(of=text):
                return _within(text, MIRRORED[type(op)](), least)
            case Text(), Known(value="") if isinstance(op, ast.Eq | ast.NotEq):
                return isinstance(op, ast.NotEq)
            case Text(never=codes), Named(value=frozenset() as others) if codes >= others:
                return isinstance(op, ast.NotIn)
            case _:
                return None

    def _on_subscript(self, node: ast.Subscript) -> Value:
        if isinstance(node.slice, ast.Slice):
            return Live(self._substituted(node), is_there=True)
        if isinstance(node.value, ast.Name) and node.value.id in {"c", "v"}:
            at = ast.literal_eval(node.slice)
            known = (self.scopes if node.value.id == "c" else self.slots).get(at)
            return known if known is not None else Live(node, is_there=True)
        if isinstance(node.value, ast.Name) and node.value.id == "WHENS":
            return self._when(node)
        owner, key = self.value(node.value), self.value(node.slice)
        table = node.value.id if isinstance(node.value, ast.Name) else ""
        match owner, key:
            case Row(values=values), Known(value=int(at)):
                found: Value = values[at]
                return found
            case Made(fields=fields), Known(value=name):
                return cast(Value, fields[name])
            case Named(value=dict() as words), Known(value=code) if code in words or isinstance(words, Words):
                return Known(words[code])
            case Named(value=Words()), Text() if not self._uncertain:
                return self._word(owner, key)
            case _, Text(is_plain=True) if table in NUMBERS:
                return self._number(key)
        is_word = isinstance(owner, Named) and isinstance(owner.value, dict)
        read = ast.Subscript(self.node(owner), self.node(key), ast.Load())
        if self._checking and table in VALUES:
            self.first.append(ast.Expr(read))
        return Live(read, is_there=is_word or table in VALUES, is_true=is_word or table in DAYS)

    def _word(self, table: Named, text: Text) -> Value:
        """Read a code that is written for the word it reads to; where the run has another, it is not read as one."""
        own = self.constants.setdefault(f"{table.name}_own", table.value.own())
        text.never |= own.others
        name = f"{table.name}_of_{text.name}"
        read = ast.Subscript(_name(f"{table.name}_own"), _name(text.name), ast.Load())
        self.first.append(ast.Assign([ast.Name(name, ast.Store())], read))
        return Live(_name(name), is_there=True, is_true=True)

    @staticmethod
    def _number(text: Text) -> Live:
        """Read a number that needs no check."""
        reads: list[ast.expr] = [ast.Call(_name(reader), [_name(text.name)], []) for reader in ("small", "Decimal")]
        return Live(ast.BoolOp(ast.Or(), reads), is_there=True)

    def _when(self, node: ast.Subscript) -> Value:
        key = self.value(node.slice)
        if not isinstance(key, Row) or not isinstance(key.values[1], Known) or not isinstance(key.values[0], Text):
            raise Unfoldable
        parts = when_parts(key.values[1].value)
        whole = ast.Subscript(node.value, self.node(key), ast.Load())
        return _parts_of(whole, Row(tuple(Live(whole) if each else Known(None) for each in parts)))

    # calls

    def _on_call(self, node: ast.Call) -> Value:
        match node.func:
            case ast.Attribute(value=owner, attr=attr):
                return self._method(node, self.value(owner), attr)
            case ast.Name(id="len"):
                return self._len(node, self.value(node.args[0]))
            case ast.Name(id="tuple") if isinstance(node.args[0], ast.ListComp):
                return self._chosen(node.args[0])
            case ast.Name(id="select"):
                name, field, wanted = (self._key(each) for each in node.args[1:])
                return self._selected(self.value(node.args[0]), Step(name, field=field, value=wanted)) or Known(None)
            case ast.Name(id="put_first"):
                paths, scope, root, value = (self.value(each) for each in node.args)
                return self._put_first(paths, scope, root, value)
            case ast.Name(id=function) if function.startswith("child"):
                return self._child(node, self.value(node.args[0]), self.value(node.args[1]))
        return Live(self._substituted(node), is_there=True)

    def _len(self, node: ast.Call, value: Value) -> Value:
        match value:
            case Text():
                return Length(value)
            case Items(values=values) | Row(values=values):
                return Known(len(values))
            case Known(value=known):
                return Known(len(known))
        return Live(self._substituted(node))

    def _chosen(self, node: ast.ListComp) -> Value:
        """Fold ``[m for m, x in ((M1, e1), ...) if x]``: the marks of what has a value."""
        pairs = self.value(node.generators[0].iter)
        if not isinstance(pairs, Row):
            raise Unfoldable
        chosen: list[Value] = []
        for each in pairs.values:
            match each:
                case Row(values=(mark, test)) if truth(test) is not None:
                    chosen += [mark] if truth(test) else []
                case _:
                    raise Unfoldable
        return Row(tuple(chosen))

    def _method(self, node: ast.Call, owner: Value, attr: str) -> Value:
        match attr, owner:
            case "get", Made(fields=fields):
                found: Value = fields.get(self._key(node.args[0])) or Known(None)
                return found
            case "get", Live():
                return Live(self._substituted(node))
            case "append" | "extend" | "__setitem__" | "setdefault", _:
                return self._change(node, owner, attr)
            case _, Known(value=str(text)):
                return Known(getattr(text, attr)(*(ast.literal_eval(each) for each in node.args)))
            case _, Text():
                return Live(self._substituted(node))
        return Live(self._substituted(node), is_there=True)

    def _change(self, node: ast.Call, owner: Value, attr: str) -> Value:
        if self._uncertain > (MAYBE if isinstance(owner, Live) else 0):
            raise Unfoldable
        given = [
            Live(self._substituted(each)) if isinstance(each, ast.Tuple) else self.value(each) for each in node.args
        ]
        match attr, owner, given:
            case "append", Items(has_left=False), [value]:
                owner.values.append(value)
            case "extend", Items(has_left=False), [Items(values=values)]:
                owner.values.extend(values)
            case "__setitem__", _, [key, value]:
                self._set(owner, key, value)
            case "setdefault", Made(fields=fields), [Known(value=name), value]:
                found: Value = fields.setdefault(name, value)
                return found
            case (("append" | "extend" | "setdefault"), Live(node=at), _):
                call = ast.Call(ast.Attribute(at, attr, ast.Load()), [self.node(each) for each in given], [])
                self.out.append(ast.Expr(call))
            case _:
                raise Unfoldable
        return Known(None)

    def _selected(self, owner: Value, step: Step) -> Made | None:
        if not isinstance(owner, Made):
            raise Unfoldable
        items = owner.fields.get(step.name)
        if items is None:
            return None
        if not isinstance(items, Items):
            raise Unfoldable
        for each in items.values:
            held = each.fields.get(step.field) if isinstance(each, Made) else None
            if not isinstance(each, Made) or not isinstance(held, Known | None):
                raise Unfoldable
            if held is not None and held.value == step.value:
                return each
        return None

    def _put_first(self, paths: Value, scope: Value, root: Value, value: Value) -> Value:
        if self._uncertain or not isinstance(paths, Named):
            raise Unfoldable
        for path in paths.value:
            owner = root if path.from_root else scope
            for step in path.steps[:-1]:
                owner = self._below(owner, step)
            last = path.steps[-1]
            if not isinstance(owner, Made):
                raise Unfoldable
            if last.append:
                self._items(owner, last.name).values.append(value)
                return Known(True)
            if last.name not in owner.fields:
                owner.fields[last.name] = value
                return Known(True)
        return Known(False)

    def _child(self, node: ast.Call, path: Value, scope: Value) -> Value:
        if isinstance(scope, Live):
            return Live(self._substituted(node), is_there=True)
        if not (isinstance(path, Named) and isinstance(path.value, Path)):
            raise Unfoldable
        for step in path.value.steps:
            scope = self._below(scope, step)
        return scope

    def _below(self, owner: Value, step: Step) -> Value:
        if not isinstance(owner, Made) or self._uncertain:
            raise Unfoldable
        if step.append or step.field:
            found = self._selected(owner, step) if step.field else None
            if found is None:
                found = Made({step.field: Known(step.value)} if step.field else {})
                self._items(owner, step.name).values.append(found)
            return found
        below: Value = owner.fields.setdefault(step.name, Made({}))
        return below

    @staticmethod
    def _items(owner: Made, name: str) -> Items:
        items = owner.fields.setdefault(name, Items([]))
        if not isinstance(items, Items) or items.has_left:
            raise Unfoldable
        return items

    # what remains

    def node(self, value: Value) -> ast.expr:
        """Return the expression that gives a value when the run is read."""
        match value:
            case Known(value=known):
                return ast.Constant(known)
            case Text(name=""):
                raise Unfoldable
            case Text(name=name) | Named(name=name):
                return _name(name)
            case Live(node=node):
                return node
            case Made():
                return _name(self.named(value))
            case Items(values=values):
                value.has_left = True
                return ast.List([self.node(each) for each in values], ast.Load())
            case Row(values=values):
                return ast.Tuple([self.node(each) for each in values], ast.Load())
        return ast.Call(_name("len"), [_name(value.of.name)], [])

    def named(self, made: Made) -> str:
        """Return the name under which an object of the run is known outside of it."""
        if not made.name:
            self._count += 1
            made.name = f"m{self._count}"
        return made.name

    def _substituted(self, node: ast.expr) -> ast.expr:
        folder = self

        class Substitution(ast.NodeTransformer):
            def visit_Name(self, name: ast.Name) -> ast.expr:
                value = folder._on_name(name)
                if isinstance(value, Made | Items):
                    raise Unfoldable  # what it holds by now is not what it will hold when the run is read
                return folder.node(value)

            def visit_NamedExpr(self, _: ast.NamedExpr) -> ast.expr:
                raise Unfoldable

        copy = ast.parse(ast.unparse(node), mode="eval").body
        return cast(ast.expr, Substitution().visit(copy))


MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip


def _within(text: Text, op: ast.cmpop, number: int) -> bool | None:
    """Return how a text's length compares with a number; None where its bounds do not tell."""
    compare = COMPARE[type(op)]
    if isinstance(op, ast.Eq | ast.NotEq):
        return compare(text.least, number) if text.least == text.most else None
    least, most = compare(text.least, number), compare(text.most, number)
    return least if least == most else None


def _parts_of(whole: ast.expr, row: Row) -> Row:
    return Row(
        tuple(
            Live(ast.Subscript(whole, ast.Constant(at), ast.Load()), is_there=True, is_true=True)
            if isinstance(each, Live)
            else each
            for at, each in enumerate(row.values)
        )
    )


def _sets_slot(statements: Sequence[ast.stmt]) -> int | None:
    """Return which slot of ``v`` the statements set, where they do nothing else."""
    match statements:
        case [ast.Assign(targets=[ast.Subscript(value=ast.Name(id="v"), slice=at)], value=ast.Constant())]:
            slot: int = ast.literal_eval(at)
            return slot
    return None
