"""P7: pyx12's verdict on mutated messages is ours, or a rule says why it is not (docs/judges.md).

In short here, on 20,000 messages by ``make judges``. Messages are small and come by the batch: pyx12 needs a tenth of a
second to begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from tests.edi.engine import FOLDER, SEPARATORS, maps
from tests.edi.making import maker
from tests.edi.mutating import mutated, wild
from tests.edi.test_pyx12 import EVERY, SIDE_BY_SIDE, as_pyx12_wants, compiled, transmission  # noqa: F401  a fixture
from tradehub.edi import Issue, pyx12_bridge, read
from tradehub.edi.maps import Map
from tradehub.edi.segments import Fault

BATCH, SOUND, WILD = 100, 0.2, 0.5


class Case(NamedTuple):
    """One message, and what the two say of it."""

    raw: list[str]
    kind: str
    ours: tuple[Issue, ...]
    theirs: tuple[dict[str, Any], ...]
    accepted: tuple[bool, bool | None]


def begins_again(case: Case) -> bool:
    """We miss a segment where its loop, or one around it, begins anew."""
    wrong = [each for each in case.ours if each.is_error]
    return (
        case.accepted == (False, True)
        and not case.theirs
        and all(each.fault is Fault.MISSING_SEGMENT for each in wrong)
        and all(case.raw[each.at.segment - 2].split("*")[0] in each.at.path.split("/") for each in wrong)
    )


def has_a_component_sign(case: Case) -> bool:
    """pyx12 finds an invalid character, and that is the component separator."""
    return (
        case.accepted == (True, False)
        and {each["err_cde"] for each in case.theirs} == {"6"}
        and all(">" in each["err_val"] for each in case.theirs)
    )


RULES: dict[str, Callable[[Case], bool]] = {
    "a loop that begins again": begins_again,
    "a component separator in an element that is no composite": has_a_component_sign,
}
"""Why a verdict may differ, by the name that it has in docs/judges.md."""


def messages(rules: Map, count: int, seed: int, *, bounded: bool) -> Iterator[tuple[list[str], str]]:
    """Yield small messages and what was done to each."""
    signs = SEPARATORS["x12"]
    random = Random(f"{rules.key} {seed}")
    for number in range(count):
        raw = as_pyx12_wants(maker(rules).message(f"{seed}-{number}", most=8), bounded=bounded)
        mutation = None
        if random.random() < WILD:
            made, kind = wild(raw, signs[0], random)
            yield as_pyx12_wants(made, bounded=bounded), kind
            continue
        if random.random() > SOUND:
            mutation = mutated(rules, raw, rules.read(raw, *signs), signs, random)
        yield (mutation.raw, mutation.kind) if mutation is not None else (raw, "sound")


def judged(rules: Map, made: list[tuple[list[str], str]], folder: str) -> Iterator[Case]:
    isa, gs, *_ = transmission(rules.spec, []).split("~")
    body = [
        segment
        for number, (raw, _) in enumerate(made, 1)
        for segment in (f"ST*{rules.head.set}*{number:04}", *raw, f"SE*{len(raw) + 2}*{number:04}")
    ]
    text = "~".join([isa, gs, *body, f"GE*{len(made)}*1", "IEA*1*000000001", ""])
    theirs = pyx12_bridge.judge_each(text, folder)
    ours = list(read(text.encode(), maps()))
    assert len(ours) == len(theirs) == len(made)
    for number, ((raw, kind), our) in enumerate(zip(made, ours, strict=True), 1):
        their = theirs[f"{number:04}"]
        yield Case(raw, kind, tuple(our.issues), their.issues, (our.accepted, their.accepted))


@EVERY
def test_pyx12_says_what_we_say(kind, release, compiled, request):  # noqa: F811
    rules = maps().get("x12", kind, release)
    folder = compiled(rules.spec)
    left = max(int(request.config.getoption("--judged", default=400)) // 38, 1)
    seed = 0
    while left > 0:
        made = list(messages(rules, min(left, BATCH), seed, bounded=(kind, release) not in SIDE_BY_SIDE))
        for case in judged(rules, made, folder):
            if case.accepted[0] is not case.accepted[1]:
                assert [name for name, holds in RULES.items() if holds(case)], case
        left, seed = left - BATCH, seed + 1


def test_a_code_that_an_open_list_lacks_still_has_a_length():
    """Found by the above: ITD01 takes two characters, and other codes than those listed."""
    found = (
        maps().get("x12", "812", "004010").read(["BCD*20261123*7*I*100*C**1", "ITD*X", "N1*SU*A"], "*", ">").findings
    )
    assert [(each.tag, each.finding.fault.word) for each in found] == [("ITD", "too_short")]


def test_each_rule_stands_in_the_page():
    page = (FOLDER.parent / "docs" / "judges.md").read_text("utf-8")
    assert [name for name in RULES if f"| {name} |" not in page] == []
