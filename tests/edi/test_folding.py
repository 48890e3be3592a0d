"""Folding of generated code: what is known is left out, what cannot be followed is refused, and what remains does the same."""

from __future__ import annotations

import ast

import pytest

from tradehub.edi.folding import Folder, Items, Known, Length, Live, Made, Named, Row, Text, Unfoldable, truth
from tradehub.edi.paths import Path, Step


def known() -> dict[str, object]:
    """What the code may ask about, anew for each: code changes objects."""
    return {
        "made": Made({"number": Known("PO-1"), "items": Items([Made({"role": Known("buyer")}), Made({})])}),
        "live": Live(ast.Name("cs", ast.Load())),
        "there": Live(ast.Name("cs", ast.Load()), is_there=True, is_true=True),
        "text": Text("t", 1, 5),
        "three": Text("t", 3, 3),
        "nameless": Text("", 1, 5),
        "row": Row((Known(1), Live(ast.Name("cs", ast.Load())))),
        "gone": Items([], has_left=True),
        "odd": Made({"items": Known(5), "parties": Items([Made({"role": Live(ast.Name("cs", ast.Load()))})])}),
    }


def folder(code: str) -> Folder:
    paths = (Path((Step("total"),)), Path((Step("sums", append=True),)))
    made = Folder(
        {
            "TABLE": {"AB": "ab"},
            "CODES": frozenset({"X"}),
            "PATH": Path((Step("a"), Step("b"))),
            "PATHS": paths,
            "TOTAL": paths[:1],
            "child1": None,
        }
    )
    made.env.update(known())
    made.block(ast.parse(code).body)
    return made


def remains(code: str) -> str:
    return "; ".join(ast.unparse(ast.fix_missing_locations(each)) for each in folder(code).out)


@pytest.mark.parametrize(
    ("code", "left"),
    [
        ("x = 1 + 2\nif x == 3: c[0]['a'] = x", "c[0]['a'] = 3"),
        ("x = 7 - 2\nif x != 5: c[0]['a'] = x", ""),
        ("x = y = 'AB'\nc[0]['a'] = TABLE[y]", "c[0]['a'] = 'ab'"),
        ("c[0]['a'] = -1", "c[0]['a'] = -1"),
        ("c[0]['a'] = 1 if text else 2", "c[0]['a'] = 1"),
        ("c[0]['a'] = 1 if live else 2", "c[0]['a'] = 1 if cs else 2"),
        ("c[0]['a'] = not live", "c[0]['a'] = not cs"),
        ("if not made: c[0]['a'] = 1", ""),
        ("if 'number' in made and made['number'] == 'PO-1': c[0]['a'] = 1", "c[0]['a'] = 1"),
        ("if live and 'weight' in made: c[0]['a'] = 1", ""),
        ("if live or 'number' in made: c[0]['a'] = 1", "if cs or True:\n    c[0]['a'] = 1"),
        ("if len(text) > 5: c[0]['a'] = 1", ""),
        ("if 5 >= len(text): c[0]['a'] = 1", "c[0]['a'] = 1"),
        ("if len(three) == 3: c[0]['a'] = 1", "c[0]['a'] = 1"),
        ("if 3 != len(text): c[0]['a'] = 1", "if 3 != len(t):\n    c[0]['a'] = 1"),
        ("if len(text) > 3: c[0]['a'] = 1", "if len(t) > 3:\n    c[0]['a'] = 1"),
        ("if text == '': c[0]['a'] = 1", ""),
        ("if there is None: c[0]['a'] = 1", ""),
        ("if live is None: c[0]['a'] = 1\nelse: c[0]['a'] = 2", "if cs is None:\n    c[0]['a'] = 1\nelse:\n    c[0]['a'] = 2"),
        ("c[0]['a'] = len('four') + len(row) + len([1])", "c[0]['a'] = 7"),
        ("c[0]['a'] = len(live)", "c[0]['a'] = len(cs)"),
        ("c[0]['a'] = 'a-b'.replace('-', '')", "c[0]['a'] = 'ab'"),
        ("c[0]['a'] = text.strip()", "c[0]['a'] = t.strip()"),
        ("c[0]['a'] = live.get('x')", "c[0]['a'] = cs.get('x')"),
        ("for name in made: c[0][name] = 1", "c[0]['number'] = 1; c[0]['items'] = 1"),
        ("x = {**made, 'a': 1}\nc[0]['n'] = x['number']", "c[0]['n'] = 'PO-1'"),
        ("x = [1]\nx.append(2)\nx.extend([3])\nc[0]['n'] = len(x)", "c[0]['n'] = 3"),
        ("made.setdefault('b', 2)\nc[0]['n'] = made['b']", "c[0]['n'] = 2"),
        ("made.__setitem__('b', 3)\nc[0]['n'] = made['b']", "c[0]['n'] = 3"),
        ("live.append(1)", "cs.append(1)"),
        ("x = select(made, 'items', 'role', 'buyer')\nc[0]['n'] = x['role']", "c[0]['n'] = 'buyer'"),
        ("x = select(made, 'items', 'role', 'seller')\nc[0]['n'] = x is None", "c[0]['n'] = True"),
        ("x = select(made, 'nothing', 'role', 'seller')\nc[0]['n'] = x is None", "c[0]['n'] = True"),
        ("put_first(PATHS, made, made, 1)\nput_first(PATHS, made, made, 2)\nc[0]['n'] = made['total'] + len(made['sums'])",
         "c[0]['n'] = 2"),
        ("put_first(TOTAL, made, made, 1)\nput_first(TOTAL, made, made, 2)\nc[0]['n'] = made['total']", "c[0]['n'] = 1"),
        ("if live: v[0] = 1\nelse: c[0]['a'] = 2", "if cs:\n    v[0] = 1\nelse:\n    c[0]['a'] = 2"),
        ("x = child1(PATH, made)\nx['n'] = 4\nc[0]['n'] = made['a']['b']['n']", "c[0]['n'] = 4"),
        ("x = child1(PATH, live)\nc[0]['n'] = x", "x = child1(PATH, cs); c[0]['n'] = x"),
        ("x = (y := 5)\nc[0]['n'] = y", "c[0]['n'] = 5"),
        ("x = tuple([m for m, each in (('A', 1), ('B', 0)) if each])\nc[0]['n'] = x[0]", "c[0]['n'] = 'A'"),
        ("v[3] = 1\nc[0]['n'] = v[3]", "c[0]['n'] = 1"),
        ("c[2] = made\nc[0]['n'] = c[2]['number']", "c[0]['n'] = 'PO-1'"),
    ],
)  # fmt: skip
def test_what_is_known_is_done_and_what_is_not_remains(code: str, left: str) -> None:
    assert remains(code) == left


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "while live: pass",
        "for name in live: pass",
        "a, b = 1, 2",
        "made.number = 1",
        "return live",
        "x = unheard_of",
        "x = ~1",
        "x = {live: 1}",
        "x = {**live}",
        "made[live] = 1",
        "x = 5\nx['a'] = 1",
        "if [1] == live: c[0]['a'] = 1",
        "if 1 < live < 3: c[0]['a'] = 1",
        "if live: made['a'] = 1",
        "if live:\n  if there is not None and live: return\n  return",
        "if live and (x := live): pass",
        "if live and made.setdefault('b', 2): pass",
        "gone.append(1)",
        "x = select(live, 'items', 'role', 'buyer')",
        "x = select(odd, 'items', 'role', 'buyer')",
        "x = select(odd, 'parties', 'role', 'buyer')",
        "put_first(live, made, made, 1)",
        "put_first(PATHS, live, made, 1)",
        "x = child1(made, made)",
        "gone = {'sums': gone, 'total': 1}\nput_first(PATHS, gone, gone, 1)",
        "x = int((y := 1))",
        "x = tuple([m for m, each in live if each])",
        "x = tuple([m for m, each in (('A', live),) if each])",
        "x = WHENS[text, live]",
        "x = WHENS['20260101', 'CCYYMMDD']",
        "c[0]['a'] = nameless",
        "c[0]['a'] = made.foo(made)",
        "if live:\n  x = 1",
        "if live:\n  v[-1] = 1\n  x = 2",
    ],
)
def test_what_cannot_be_followed_is_refused(code: str) -> None:
    with pytest.raises(Unfoldable):
        folder(code)


@pytest.mark.parametrize(
    ("value", "is_true"),
    [
        (Known(0), False), (Named("A", {1}), True), (Text("t", 1, 5), True), (Made({}), False), (Items([Known(1)]), True),
        (Row(()), False), (Live(ast.Name("x", ast.Load()), is_true=True), True), (Live(ast.Name("x", ast.Load())), None),
        (Length(Text("t", 1, 5)), None),
    ],
)  # fmt: skip
def test_whether_a_value_counts_as_true(value: object, is_true: bool | None) -> None:
    assert truth(value) is is_true  # type: ignore[arg-type]


def test_a_segment_of_another_form_is_refused() -> None:
    """What is converted first is assigned to a name, what is checked stands by itself."""
    for converted, checks in (("made['a'] = 1", ""), ("x = row", ""), ("", "x = 1"), ("", "0")):
        made = Folder({})
        made.env.update(known())
        with pytest.raises(Unfoldable):
            made.take(0, ast.parse(converted).body, ast.parse(checks).body, [])


def test_what_texts_decide_is_put_off_and_what_objects_decide_is_asked_at_once() -> None:
    assert [ast.unparse(each) for each in folder("if text in CODES: v[-1] = True").dirty] == ["t in CODES"]
    assert remains("if live.get('x'): v[-1] = True") == "if cs.get('x'):\n    v[-1] = True"
    assert [ast.unparse(each) for each in folder("v[-1] = True").dirty] == ["True"]


def test_a_run_leaves_what_has_a_name_to_the_one_after_it() -> None:
    """An object that no code outside can name is of no use there; what is no object stays what it is."""
    before = folder("c[1] = made\nc[2] = {}\nc[3] = live")
    before.named(before.scopes[1])  # type: ignore[arg-type]
    after = before.follower()
    assert sorted(after.scopes) == [1, 3]
    assert after.scopes[3] is before.scopes[3]
    assert sorted(after.scopes[1].fields) == ["items", "number"]  # type: ignore[union-attr]
