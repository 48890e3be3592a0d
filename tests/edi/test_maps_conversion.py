"""P5: from X12 to EDIFACT and back. What is lost on the way stands in docs/conversions.md, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.edi.test_maps_roundtrip import MAPS, QUICK, differences, documents, map_of, whole

PAGE = Path(__file__).parents[2] / "docs" / "conversions.md"
PAIRS = [("840", "REQOTE"), ("843", "QUOTES"), ("850", "ORDERS"), ("855", "ORDRSP"), ("810", "INVOIC")]


def listed() -> dict[str, set[str]]:
    """The losses of the page, path by direction."""
    losses: dict[str, set[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [each.strip().strip("`") for each in line.strip("| ").split("|")]
        if len(cells) >= 3 and cells[0] in {"x12", "edifact", "both"}:
            for origin in ("x12", "edifact") if cells[0] == "both" else (cells[0],):
                losses.setdefault(origin, set()).add(cells[1])
    return losses


def is_listed(path: str, losses: set[str]) -> bool:
    """Whether a loss, or one that holds it, is on the page."""
    return any(
        path == each or path.startswith((f"{each}.", f"{each}[")) or path.endswith(f"[].{each}") for each in losses
    )


@pytest.mark.parametrize("origin", ["x12", "edifact"])
@pytest.mark.parametrize(("number", "name"), PAIRS)
@QUICK
@given(data=st.data())
def test_a_document_comes_back_from_the_other_standard(number: str, name: str, origin: str, data: st.DataObject):
    there = ("edifact", name) if origin == "x12" else ("x12", number)
    here = ("x12", number) if origin == "x12" else ("edifact", name)
    kind = MAPS[here]
    document = data.draw(documents(*here))
    abroad, _ = map_of(*there).decode(map_of(*there).encode(document))
    back, _ = map_of(*here).decode(map_of(*here).encode(abroad))
    lost = [
        each for each in differences(whole(kind, document), whole(kind, back)) if not is_listed(each, listed()[origin])
    ]
    assert lost == []


def test_the_page_lists_no_loss_that_cannot_happen():
    paths = {path for each in listed().values() for path in each}
    assert paths, "docs/conversions.md has no table"
