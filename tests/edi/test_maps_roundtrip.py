"""P1: what a map writes, its reader accepts and reads back, for made-up documents within what the map can say."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.edi.trade_documents import Dialect
from tradehub.documents import KINDS
from tradehub.edi.maps import Map, MapStore
from tradehub.edi.segments import Severity
from tradehub.platform.resources import read_text

MAPS = {
    ("x12", "840"): "inquiry",
    ("x12", "843"): "offer",
    ("x12", "850"): "order",
    ("x12", "855"): "order_response",
    ("x12", "856"): "despatch",
    ("x12", "810"): "invoice",
    ("edifact", "REQOTE"): "inquiry",
    ("edifact", "QUOTES"): "offer",
    ("edifact", "ORDERS"): "order",
    ("edifact", "ORDRSP"): "order_response",
    ("edifact", "DESADV"): "despatch",
    ("edifact", "INVOIC"): "invoice",
}
RELEASES = {"x12": "004010", "edifact": "D96A"}
STORE = MapStore(read_text)
UNORDERED = {"dates", "references"}
"""Lists whose items name themselves by their type: a standard may put one of them into its header segment."""
# Documents are large: shrinking one costs minutes and says little more than the paths that differ.
QUICK = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate], max_examples=25)


@cache
def map_of(standard: str, message: str) -> Map:
    return STORE.get(standard, message, RELEASES[standard])


def documents(standard: str, message: str) -> st.SearchStrategy[dict[str, Any]]:
    dialect = Dialect(standard, map_of(standard, message).spec.dictionary.tables)
    kind = MAPS[standard, message]
    return dialect.despatch() if kind == "despatch" else dialect.document(kind)


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every value that differs, list positions left out."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in {**ours, **theirs}:
            if name in UNORDERED:
                yield from differences(
                    sorted(ours.get(name, ()), key=by_value),
                    sorted(theirs.get(name, ()), key=by_value),
                    f"{path}.{name}" if path else name,
                )
                continue
            yield from differences(ours.get(name), theirs.get(name), f"{path}.{name}" if path else name)
    elif isinstance(ours, list | tuple) and isinstance(theirs, list | tuple) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from differences(one, other, f"{path}[]")
    elif ours != theirs:
        yield path


def by_value(item: dict[str, Any]) -> tuple[str, str, str]:
    return str(item.get("value")), str(item.get("on")), str(item.get("text"))


def whole(kind: str, plain: dict[str, Any]) -> dict[str, Any]:
    """The document as the model holds it, without what only its own codec reads."""
    return KINDS[kind].model_validate(plain).without_extensions().model_dump()


@pytest.mark.parametrize(("standard", "message"), MAPS)
@QUICK
@given(data=st.data())
def test_a_document_comes_back_as_it_was_written(standard: str, message: str, data: st.DataObject):
    document = data.draw(documents(standard, message))
    written = map_of(standard, message).encode(document)
    read, findings = map_of(standard, message).decode(written)
    wrong = [(each.tag, each.finding.text) for each in findings if each.finding.severity is Severity.ERROR]
    assert (
        wrong,
        list(differences(whole(MAPS[standard, message], document), whole(MAPS[standard, message], read))),
    ) == ([], [])
