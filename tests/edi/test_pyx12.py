"""P7: pyx12, judging by our own maps, says of a purchase order what we say."""

from __future__ import annotations

import importlib.resources
import logging
from pathlib import Path

import pytest

from benchmarks.messages import x12_850
from tests.edi.engine import maps
from tradehub.edi import pyx12_bridge, read

ORDER = x12_850(2000, seed=7).decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    logging.disable(logging.CRITICAL)
    own = importlib.resources.files("pyx12") / "map"
    control = {name: (own / name).read_text("utf-8") for name in pyx12_bridge.CONTROL}
    where: Path = tmp_path_factory.mktemp("pyx12")
    for name, text in pyx12_bridge.files([maps().spec("x12", "850", "004010")], control).items():
        (where / name).write_text(text, "utf-8")
    yield str(where)
    logging.disable(logging.NOTSET)


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
