"""Mutants of the engine: each is one of its modules made wrong in one place, and a test must notice.

``make mutants`` makes a sample by its seed, ``python -m tests.edi.mutants --all`` every one. A mutant lives in a forked
process, so that what does not change is imported, and what maps are made of parsed, once for all of them.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from random import Random
from types import CodeType, ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
MODULES = (
    "segments", "envelope", "x12", "edifact", "intake", "functions", "checks", "selectors", "repetitions", "reading",
    "writing", "outgoing", "acknowledgement", "answers",
)  # fmt: skip
FIRST = {
    "segments": "segments corners acknowledgements outside envelopes", "envelope": "envelopes", "x12": "envelopes stream",
    "edifact": "envelopes stream", "intake": "envelopes stream tolerance", "functions": "functions nesting meaning_x12",
    "checks": "corners outside tolerance guides", "reading": "maximum_use meaning_x12 outside",
    "writing": "writing conversion_messages meaning_x12",
    "outgoing": "conversion_messages interchanges", "acknowledgement": "acknowledgements", "answers": "acknowledgements",
    "selectors": "guides", "repetitions": "corners envelopes",
}  # fmt: skip
"""The files of tests that are asked first."""
OTHERS = (
    "functions maximum_use corners acknowledgements outside envelopes"
    " tolerance conversion_messages meaning_x12 meaning_edifact nesting interchanges"
    " stream guides editions facts_x12 facts_edifact maps_meaning maps_tables tradacoms segments writing"
)
MADE = ("x12-850-004010", "x12-856-004010", "edifact-ORDERS-D96A", "edifact-INVOIC-D24A")
"""The maps whose properties are asked last, each on so many messages: their long forms would find more."""
PROPERTIES = ("test_messages_that_the_standard_allows", "test_a_fault_is_named_where_it_lies_and_nowhere_else")
EXAMPLES = 20
SHARE, SEED, TIME_S = 25, 1, 600
WANTED = 0.85
TOOK_TOO_LONG = -1


class Mutant(NamedTuple):
    """What stands in a line of a module, and what it becomes."""

    module: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line}: {self.before} -> {self.after}"


SAME: dict[tuple[str, str, str], str] = {
    (
        "reading",
        "seen[shape] >= WARM",
        "seen[shape] > WARM",
    ): "the general function reads one segment more of the shape",
    ("reading", "len(each) <= width", "len(each) < width"): "the general function reads what the special one would",
    ("reading", "watch.missed(alone)", "pass"): "what is counted there only tells when to make another pattern",
}
"""Mutants that do what the original does, by (module, before, after), with the reason."""

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip


def mutants(module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module. Our wording, annotations and docstrings are left as they are."""
    tree = ast.parse(_path(module).read_text(encoding="utf-8"))
    for parent, name, at, node in _nodes(tree):
        for wrong in _wrong(node):
            _put(parent, name, at, wrong)
            source = ast.unparse(tree)
            _put(parent, name, at, node)
            line = getattr(node, "lineno", 0)
            yield Mutant(module, line, _said(node), _said(wrong), source)


def _path(module: str) -> Path:
    return ROOT / "tradehub" / "edi" / f"{module}.py"


def _said(node: ast.AST) -> str:
    return ast.unparse(node).split("\n")[0][:100]


def _put(parent: ast.AST, name: str, at: int | None, node: ast.AST) -> None:
    if at is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[at] = node


def _nodes(parent: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield each node with where it hangs: parent, field, place in the field."""
    for name, value in ast.iter_fields(parent):
        if name in {"annotation", "returns", "decorator_list", "type_comment"} or isinstance(parent, ast.JoinedStr):
            continue
        for at, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(node, ast.AST) and not _is_text_alone(node):
                yield parent, name, at, node
                yield from _nodes(node)


def _is_text_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _wrong(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=right) if type(op) in _COMPARED:
            yield ast.Compare(left, [_COMPARED[type(op)]()], right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _RECKONED and not _is_text(left, right):
            yield ast.BinOp(left, _RECKONED[type(op)](), right)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)) if value and " " not in value and "\\" not in value:
            yield ast.Constant(value + "X")
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call()):
            yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.IfExp(test=ast.Name() | ast.Attribute() | ast.Call()):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Continue() | ast.Break() | ast.Raise():
            yield ast.Pass()


def _is_text(*nodes: ast.AST) -> bool:
    return any(
        isinstance(each, ast.JoinedStr | ast.Constant) and not isinstance(getattr(each, "value", 0), int)
        for each in nodes
    )


def sampled(module: str, share: int, seed: int) -> list[Mutant]:
    """Return so many mutants of a module, all where ``share`` is 0."""
    every = [each for each in mutants(module) if (module, each.before, each.after) not in SAME]
    if not share or share >= len(every):
        return every
    return sorted(Random(f"{module} {seed}").sample(every, share), key=lambda each: each.line)


# Running one ----------------------------------------------------------------------------------------


class _Changed(SourceFileLoader):
    source = ""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Gives the mutant where its module is asked for."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._mutant = f"tradehub.edi.{mutant.module}", mutant

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _Changed(fullname, str(_path(self._mutant.module)))
        loader.source = self._mutant.source
        return importlib.util.spec_from_loader(fullname, loader)


def prepare(parsed: dict[str, str]) -> None:
    """Import what every mutant needs, and parse the maps in a child of its own; nothing of ours stays imported."""
    for name in (
        "pytest",
        "hypothesis",
        "hypothesis.strategies",
        "pydantic",
        "ruamel.yaml",
        "lxml.etree",
        "stdnum",
        "pyx12",
    ):
        importlib.import_module(name)
    reading, writing = os.pipe()
    if os.fork() == 0:
        import json

        from tests.edi import engine

        for each in engine.every_map():
            engine.maps().spec(each[0], each[1], each[2])
        with os.fdopen(writing, "w") as out:
            json.dump(engine.PARSED, out)
        os._exit(0)
    os.close(writing)
    import json

    with os.fdopen(reading) as made:
        parsed.update(json.load(made))
    os.wait()
    assert "tradehub.edi" not in sys.modules


def tests_of(module: str) -> list[list[str]]:
    """Return the tests for a module, first those that know it best: collecting the others takes longer than failing."""
    first = FIRST[module].split()
    others = [each for each in OTHERS.split() if each not in first]
    made = [f"tests/edi/test_properties_made.py::{test}[{each}]" for each in MADE for test in PROPERTIES]
    return [[f"tests/edi/test_{name}.py" for name in first], [*(f"tests/edi/test_{name}.py" for name in others), *made]]


def ends(
    mutant: Mutant | None, tests: list[list[str]], parsed: dict[str, str], said: Path, time_s: int = TIME_S
) -> int:
    """Run the tests on a mutant until one fails: pytest's exit status, or ``TOOK_TOO_LONG``."""
    child = os.fork()
    if child == 0:
        status = 3
        try:
            with said.open("w") as out:
                os.dup2(out.fileno(), 1)
                os.dup2(out.fileno(), 2)
            if mutant is not None:
                sys.meta_path.insert(0, _Finder(mutant))
            status = _tested(tests, parsed)
        except BaseException:  # noqa: BLE001  what happens in the child ends there, and is told
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    until = time.monotonic() + time_s
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TOOK_TOO_LONG


def _tested(tests: list[list[str]], parsed: dict[str, str]) -> int:
    import pytest
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "mutants", max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    settings.load_profile("mutants")
    from tests.edi import engine

    engine.PARSED.update(parsed)
    options = ["-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    options += ["--confcutdir=tests/edi", f"--examples={EXAMPLES}"]
    return next((status for each in tests if (status := int(pytest.main([*options, *each])))), 0)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the engine wrong in one place at a time; a test must notice.")
    parser.add_argument("modules", nargs="*", default=MODULES, help="segments, checks ...")
    parser.add_argument("--share", type=int, default=SHARE, help="mutants of each module")
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--said", type=Path, default=Path("var/mutants.txt"), help="where the last test run is kept")
    chosen = parser.parse_args()
    chosen.said.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    parsed: dict[str, str] = {}
    prepare(parsed)
    if ends(None, tests_of("segments"), parsed, chosen.said) != 0:
        sys.stdout.write(f"the tests fail without any mutant: {chosen.said}\n")
        return 2
    every = alive = 0
    for module in chosen.modules:
        made = sampled(module, 0 if chosen.all else chosen.share, chosen.seed)
        tests = tests_of(module)
        left = [each for each in made if ends(each, tests, parsed, chosen.said) == 0]
        every, alive = every + len(made), alive + len(left)
        lines = [f"{module}: {len(made) - len(left)} of {len(made)} killed", *(f"  ALIVE {each}" for each in left)]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
    score = (every - alive) / every
    sys.stdout.write(f"{every - alive} of {every} mutants killed: {score:.0%}, wanted {WANTED:.0%}\n")
    return 0 if score >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
