"""P7: pyx12, judging by our own maps, says what we say."""

from __future__ import annotations

import importlib.resources
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from benchmarks.messages import x12_850
from tests.edi.engine import every_map, maps
from tests.edi.making import maker
from tradehub.edi import pyx12_bridge, read
from tradehub.edi.maps import MapStore
from tradehub.edi.schema import MapSpec

ORDER = x12_850(2000, seed=7).decode()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[MapSpec], str]]:
    """Give a function that writes one map as a folder of pyx12."""
    logging.disable(logging.CRITICAL)
    own = importlib.resources.files("pyx12") / "map"
    control = {name: (own / name).read_text("utf-8") for name in pyx12_bridge.CONTROL}

    written: dict[str, Path] = {}

    def write(spec: MapSpec) -> str:
        if spec.head.key not in written:
            where = written[spec.head.key] = tmp_path_factory.mktemp("pyx12")
            for name, text in pyx12_bridge.files([spec], control).items():
                (where / name).write_text(text, "utf-8")
        return str(written[spec.head.key])

    yield write
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def folder(compiled: Callable[[MapSpec], str]) -> str:
    return compiled(maps().spec("x12", "850", "004010"))


def verdicts(text: str, folder: str) -> tuple[bool, bool | None]:
    """Ours and pyx12's."""
    ours = all(each.accepted for each in read(text.encode(), maps()))
    return ours, pyx12_bridge.judge(text, folder).accepted


@pytest.mark.parametrize("seed", range(1, 6))
def test_both_accept_a_clean_order(seed, folder):
    assert verdicts(x12_850(3000, seed=seed).decode(), folder) == (True, True)


def first(tag: str) -> str:
    return next(each for each in ORDER.split("~") if each.startswith(tag + "*"))


def with_element(tag: str, at: int, value: str) -> str:
    segment = first(tag)
    pieces = segment.split("*")
    pieces[at] = value
    return ORDER.replace(segment, "*".join(pieces), 1)


FAULTS = {
    "a day that does not exist": lambda: with_element("BEG", 5, "20240230"),
    "no order number": lambda: with_element("BEG", 3, ""),
    "a unit too long": lambda: with_element("PO1", 3, "EACH"),
    "an article number too long": lambda: with_element("PO1", 7, "X" * 49),
    "an unknown segment": lambda: ORDER.replace(first("REF"), "QQQ*1", 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_both_refuse_a_planted_fault(fault, folder):
    damaged = FAULTS[fault]()
    assert damaged != ORDER
    assert verdicts(damaged, folder) == (False, False)


EVERY = pytest.mark.parametrize(
    ("kind", "release"), [(kind, release) for standard, kind, release in every_map() if standard == "x12"]
)


def sound(kind: str, release: str, seed: int) -> list[str]:
    """Return a message that the standard allows and pyx12 can judge."""
    made = maker(maps().get("x12", kind, release)).message(seed)
    return as_pyx12_wants(made, bounded=(kind, release) not in SIDE_BY_SIDE)


@EVERY
def test_both_accept_a_message_that_the_standard_allows(kind, release, compiled):
    spec = maps().spec("x12", kind, release)
    folder = compiled(spec)
    for seed in range(2):
        assert verdicts(transmission(spec, sound(kind, release, seed)), folder) == (True, True)


@EVERY
def test_both_refuse_one_that_begins_without_its_mandatory_element(kind, release, compiled):
    spec = maps().spec("x12", kind, release)
    first, *others = sound(kind, release, 2)
    pieces = first.split("*")
    at = next(at for at, use in enumerate(spec.structure[0].rule.uses, 1) if use.mandatory)
    damaged = "*".join([*pieces[:at], "", *pieces[at + 1 :]]).rstrip("*")
    assert verdicts(transmission(spec, [damaged, *others]), compiled(spec)) == (False, False)


SIDE_BY_SIDE = {("832", "005010")}
"""Sets with two loops between LS and LE, one after the other: pyx12 takes the first LS for the first loop's."""


def as_pyx12_wants(segments: list[str], *, bounded: bool) -> list[str]:
    """Return a message without what pyx12 alone refuses: levels not counted from 1, numbers ending in their point."""
    settled, level, within = [], 0, False
    for segment in segments:
        within = segment.startswith("LS*") or within
        if within and not bounded:
            within = not segment.startswith("LE*")
            continue
        tag, *elements = (
            ">".join("10" if each == "10." else each for each in element.split(">")) for element in segment.split("*")
        )
        if tag == "HL":
            level += 1
            elements[:2] = [str(level), "" if level == 1 else "1"]
        settled.append("*".join([tag, *elements]))
    return settled


def transmission(spec: MapSpec, segments: list[str]) -> str:
    icvn = pyx12_bridge.envelope_of(spec)
    repetition = "^" if icvn == "00501" else "U"
    isa = (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'SENDER':15}*ZZ*{'RECEIVER':15}*260101*1200*{repetition}*{icvn}*000000001*0*T*>"
    )
    gs = f"GS*{spec.head.group}*SENDER*RECEIVER*20260101*1200*1*X*{spec.head.release}"
    body = [f"ST*{spec.head.set}*0001", *segments, f"SE*{len(segments) + 2}*0001"]
    return "~".join([isa, gs, *body, "GE*1*1", "IEA*1*000000001", ""])


@pytest.mark.parametrize("others", [("870", "004010"), ("850", "005010")])
def test_maps_that_pyx12_cannot_tell_apart_are_not_put_together(others):
    specs = [maps().spec("x12", "869", "004010"), maps().spec("x12", *others)]
    own = importlib.resources.files("pyx12") / "map"
    control = {name: (own / name).read_text("utf-8") for name in pyx12_bridge.CONTROL}
    with pytest.raises(ValueError, match="tell these maps apart"):
        pyx12_bridge.files(specs, control)


def test_pyx12_has_no_place_for_messages_where_it_knows_no_groups():
    control = dict.fromkeys(pyx12_bridge.CONTROL, "<transaction><loop xid='ISA_LOOP'/></transaction>")
    with pytest.raises(ValueError, match="no GS loop"):
        pyx12_bridge.files([maps().spec("x12", "850", "004010")], control)


UNHEARD = {
    "elements": 'elements: {"1": AN 1/10 one}',
    "segments": 'segments: {AAA: "1 M"}',
    "structure/850": "structure: [AAA M 1, QQQ O 1]",
    "850": 'message: {standard: x12, set: "850", release: "004010", group: PO, document: order}\nbody: [{AAA: 01 number}]',
}


def test_a_segment_that_the_dictionary_does_not_have_goes_to_pyx12_without_elements():
    control = dict.fromkeys(
        pyx12_bridge.CONTROL, "<transaction><loop xid='GS_LOOP'><segment xid='GE'/></loop></transaction>"
    )
    store = MapStore({f"x12/004010/{name}.yaml": text for name, text in UNHEARD.items()})
    made = pyx12_bridge.files([store.spec("x12", "850", "004010")], control)["850.004010.xml"]
    level = etree.fromstring(made.encode()).find(".//loop[@xid='HEADER']")
    assert level is not None
    assert [(each.get("xid"), len(each.findall("element"))) for each in level.iterfind("segment")] == [
        ("AAA", 1),
        ("QQQ", 0),
    ]


def test_of_a_group_that_it_has_no_map_for_pyx12_gives_no_verdict(folder):
    """Neither of the file as a whole nor of a message in it."""
    text = ORDER.replace("*004010~", "*003040~")
    assert text != ORDER
    opinion = pyx12_bridge.judge(text, folder)
    assert (opinion.accepted, opinion.issues, "vriic=003040" in opinion.reason) == (None, (), True)
    with pytest.raises(ValueError, match="vriic=003040"):
        pyx12_bridge.judge_each(text, folder)


def test_what_is_no_interchange_pyx12_refuses_without_a_word(folder):
    assert pyx12_bridge.judge("hello", folder) == pyx12_bridge.Opinion(accepted=False)
    assert pyx12_bridge.judge_each("hello", folder) == {}


def test_a_release_that_pyx12_does_not_know_is_named():
    with pytest.raises(ValueError, match="edifact/D96A/ORDERS"):
        pyx12_bridge.envelope_of(maps().spec("edifact", "ORDERS", "D96A"))
