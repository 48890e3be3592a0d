"""Typical mistakes in a map's files, and what is said of each: file, line, place, plain words."""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest

from tests.edi.engine import FOLDER, PARSED, every_map, maps
from tradehub.edi import MapError
from tradehub.edi.linting import map_faults, xml_fault
from tradehub.edi.maps import MapStore
from tradehub.edi.xml import xml_map

BODY, STRUCTURE = "x12/004010/850.yaml", "x12/004010/structure/850.yaml"
SEGMENTS, ELEMENTS, CODES = (f"x12/004010/{each}.yaml" for each in ("segments", "elements", "codes"))


@cache
def shipped(path: str) -> str | None:
    file = FOLDER / path
    return file.read_text("utf-8") if file.is_file() else None


def changed(path: str, before: str, after: str) -> tuple[MapStore, int]:
    """Return the shipped maps with one passage changed, and the line it begins at."""
    text = shipped(path) or ""
    assert before in text, before
    line = text[: text.index(before)].count("\n") + 1
    new = text.replace(before, after, 1)
    return MapStore(lambda asked: new if asked == path else shipped(asked), cache=PARSED), line


MISTAKES = [
    # file, right, wrong, lines below it, place, words
    (BODY, "- CUR: 01 const BY, 02 currency", "- CUR: 01 const BY, 02 curency", 0, "CUR", "did you mean currency?"),
    (BODY, "- BEG: 01 action", "- BEG: 33 action", 0, "BEG", "element 33 does not exist; BEG has 12"),
    (BODY, "- BEG: 01 action = code:action", "- BEG: 01 action = code:actoin", 0, "BEG", "did you mean action?"),
    (BODY, "- BEG: 01 action = code:action", "- BEG: 01 action = kode:action", 0, "BEG", "no such converter: 'kode:action'"),
    (BODY, "- BEG: 01 action = code:action", "- BEG: 01 action = code", 0, "BEG", "write code:TABLE"),
    (BODY, "- CUR: 01 const BY, 02 currency", "- CUR: 01 const BY, 02 currency = text:x", 0, "CUR", "text has no table"),
    (BODY, "- loop N1 -> parties[]:", "- loop N1 -> parties:", 0, "N1", "parties is a list, write parties[]"),
    (BODY, "  - PO4: 04 packaging", "  - PO4: 02 quantity.value", 0, "PO1/PO4", "is a number (= decimal), not text"),
    (BODY, "  - PO4: 04 packaging", "  - PO4: 04 quantity", 0, "PO1/PO4", "name one of them: quantity.value, quantity.unit"),
    (BODY, "  - N2: 01 more", "  - N8: 01 more", 0, "N1", "N8 is not in the structure here"),
    (BODY, "- CUR: 01 const BY", "- ZZZ\n- CUR: 01 const BY", 0, "", "ZZZ is not in the structure here"),
    (BODY, "- CUR: 01 const BY", "- REF: 01 notes[].text\n- CUR: 01 const BY", 1, "", "CUR is out of order: it stands before REF"),
    (BODY, "- CUR: 01 const BY", "- CUR: 01 const: BY", 0, "", "there is a second ': ' in this line"),
    (BODY, "- REF: references[] {01", "- REF: references[] 01", 0, "REF", "there is a } without its {"),
    (BODY, "03 text}\n- FOB", "03 text\n- FOB", 0, "REF", "there is a { without its }"),
    (BODY, "- FOB: 01", "\t- FOB: 01", 0, "", "there is a tab; indent with blanks"),
    (BODY, "document: order}", "document: ordr}", 0, "message.document", "did you mean order?"),
    (BODY, "message: {", "massage: {", 0, "massage", "no such key here; there are message, body"),
    (BODY, "- loop N9[03=LAW]:", "- N9[03=LAW]:", 0, "N9", "has nodes inside and is no loop; write loop N9"),
    (BODY, "- loop N9[03=LAW]:", "- loop N9[03~LAW]:", 0, "", "not a predicate: '03~LAW'"),
    (BODY, "- CUR: 01 const BY", "- CUR: 01 const BY\n  REF: 02 x", 0, "", "a node has one key, not 2: CUR, REF"),
    (BODY, "- CUR: 01 const BY, 02 currency", "- CUR: 01 const BY, 02 currency!", 0, "CUR", "not a path: 'currency!'"),
    (BODY, "- CUR: 01 const BY, 02 currency", "- CUR: 01 const BY, 02.3 currency", 0, "CUR",
     "component 02.3 does not exist; CUR02 has none"),
    (BODY, "- CUR: 01 const BY", "- cur: 01 const BY", 0, "", "cur is not in the structure here"),
    (BODY, "- CUR: 01 const BY, 02 currency, 03 exchange_rate = decimal, 05 target_currency", "- FOX", 0, "",
     "FOX is not in the structure here"),
    (BODY, "  - PO4: 04 packaging", "  - FOX", 0, "PO1", "FOX is not in the structure here"),
    (BODY, "- BEG: 01 action = code:action", "- BEG: 01 = code:action", 0, "BEG", "(no path)"),
    (BODY, "03/04 ids[] (scheme/value)", "03/04 ids[] (scheme/valu)", 0, "N1/N1", "did you mean value?"),
    (BODY, "(on/at/text) = when", "(on/att/text) = when", 0, "DTM", "did you mean at?"),
    (BODY, "references[type=release]", "references[typ=release]", 0, "BEG", "did you mean type?"),
    (BODY, "pairs 03/04 .. 07/08", "pairs 03/04 to 07/08", 0, "N1/PER", "pairs FIRST .. LAST"),
    (BODY, "pairs 03/04 .. 07/08", "pairs 07/08 .. 03/04", 0, "N1/PER", "07/08 .. 03/04 is no row of places"),
    (STRUCTURE, "- loop N9 O 1000:", "- lop N9 O 1000:", 0, "lop N9 O 1000", "is not loop NAME USE MAX"),
    (ELEMENTS, '  "324": AN 1/22', '  "324": AN one', 0, "324", "is not TYPE MIN/MAX"),
    (STRUCTURE, "- CUR O 1", "- CUR O", 0, "CUR O", "is not TAG USE MAX"),
    (STRUCTURE, "- CUR O 1", "- CUR O one", 0, "CUR O one", "a number, or * for no limit, not one"),
    (STRUCTURE, "- CUR O 1", "- CUR X 1", 0, "CUR X 1", "usage is M, O or C, not X"),
    (STRUCTURE, "- CUR O 1", "- CUR O 1 twice", 0, "CUR O 1 twice", "something behind the maximum: twice"),
    (STRUCTURE, "- loop N9 O 1000:", "- N9 O 1000:", 0, "N9 O 1000", "is not loop NAME USE MAX"),
    (STRUCTURE, "- TAX O *", "- TXA O *", 0, "TXA", "a segment that segments.yaml does not have"),
    (SEGMENTS, "  BEG: 353 M", "  BEG: 353 Q", 0, "BEG", "'353 Q' is not REF USE"),
    (SEGMENTS, "  BEG: 353 M", "  BEG: 99353 M", 0, "BEG", "99353 is neither element nor composite"),
    (SEGMENTS, "P0304 P0506  # reference", "P034  # reference", 0, "C040", "'P034' is not a condition"),
    (SEGMENTS, "P0304 P0506  # reference", "P0309  # reference", 0, "C040", "is about position 9, and there are 6"),
    (ELEMENTS, '  "324": AN 1/22', '  "324": AM 1/22', 0, "324", "types are AN ID DT TM"),
    (CODES, '  "349": F S X', '  "349": [F, S, X]', 0, "lists.349", "must be a text, not a list"),
    (CODES, '  "349": F S X', '  "349": F S X\n  "349": F', 1, "", "this key stands twice"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "right", "wrong", "below", "place", "words"), MISTAKES, ids=[each[2][:40] for each in MISTAKES]
)
def test_a_mistake_is_named_with_file_line_and_place(
    path: str, right: str, wrong: str, below: int, place: str, words: str
):
    store, line = changed(path, right, wrong)
    faults = map_faults(store, "x12", "850", "004010")
    assert faults, "nothing is said"
    assert (faults[0].file, faults[0].line) == (path, line + below), faults
    assert (faults[0].place, words in faults[0].text) == (place, True), faults


@pytest.mark.parametrize(("standard", "message", "release"), every_map())
def test_the_shipped_maps_have_no_faults(standard: str, message: str, release: str):
    assert map_faults(maps(), standard, message, release) == []


def test_every_slip_of_the_notation_is_named_at_once():
    text = (shipped(BODY) or "").replace("- CUR: 01 const", "- CUR: one const").replace("  - N3: 01", "  - N3: first")
    store = MapStore(lambda path: text if path == BODY else shipped(path))
    assert [each.place for each in map_faults(store, "x12", "850", "004010")] == ["CUR", "N1/N3", "PO1/N1/N3"]


LIKE = {
    f"x12/009999/{name}": text
    for name, text in {
        "elements.yaml": 'like: "004010"\nelements: {}\n',
        "segments.yaml": 'like: "004010"\nsegments: {}\n',
        "codes.yaml": 'like: "004010"\ntables: {}\n',
        "structure/850.yaml": 'like: "004010"\nstructure:\n- BEG M 1\n- CUR O 1\n- REF O *\n',
        "850.yaml": 'message: {like: "004010", release: "009999"}\nbody:\n- BEG: 03 number\n- CUR: 02 curency\n',
    }.items()
}


def test_a_fault_is_laid_at_the_file_that_states_it():
    """A map that is like another has its own nodes and the other's: each fault is at the file where it is to be mended."""
    store = MapStore(lambda path: LIKE.get(path) or shipped(path))
    faults = map_faults(store, "x12", "850", "009999")
    assert (faults[0].file, faults[0].line, faults[0].place) == ("x12/009999/850.yaml", 4, "CUR")
    fob = next(each for each in faults if "FOB is not in the structure" in each.text)
    line = (
        (shipped(BODY) or "")
        .splitlines()
        .index(next(x for x in (shipped(BODY) or "").splitlines() if x.startswith("- FOB")))
    )
    assert (fob.file, fob.line) == (BODY, line + 1)


def test_a_fault_that_names_no_file_is_said_all_the_same():
    """A map is like one that has a node which cannot be read: where the two are merged, nothing says whose it is."""
    broken = (shipped(BODY) or "").replace("- CUR: 01", "- CUR[: 01", 1)
    own = {"x12/009999/850.yaml": LIKE["x12/009999/850.yaml"].replace("curency", "currency")}
    files = {**LIKE, **own, BODY: broken}
    faults = map_faults(MapStore(lambda path: files.get(path) or shipped(path)), "x12", "850", "009999")
    assert [(each.file, each.line, each.text) for each in faults] == [("", 0, "not a node: 'CUR['")]


def test_a_map_without_its_structure_is_named_by_the_file_that_lacks():
    store = MapStore(lambda path: None if path == STRUCTURE else shipped(path))
    (fault,) = map_faults(store, "x12", "850", "004010")
    assert str(fault) == "x12/004010/structure/850.yaml: there is no such structure"


def test_a_map_that_is_not_there_is_named():
    (fault,) = map_faults(MapStore({}), "x12", "850", "004010")
    assert str(fault) == "x12/004010/850.yaml: there is no such map"


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("groups.yaml", "cbc:IssueDate: issued_on = date", "cbc:IssueDate: isued_on = date"),
        (
            "Quotation.yaml",
            "cbc:PricingCurrencyCode: currency = currency",
            "cbc:PricingCurrencyCode: curency = currency",
        ),
    ],
)
def test_a_fault_of_an_xml_map_is_placed_in_the_file_that_states_it(file: str, right: str, wrong: str):
    store, line = changed(f"ubl/2.1/{file}", right, wrong)
    with pytest.raises(MapError) as raised:
        xml_map(store, "Quotation", "2.1")
    fault = xml_fault(store, "ubl/2.1/Quotation.yaml", raised.value)
    assert (fault.file, fault.line) == (f"ubl/2.1/{file}", line), fault


def test_a_fault_of_an_xml_map_that_names_no_element_has_no_line():
    fault = xml_fault(MapStore(shipped), "ubl/2.1/Order.yaml", MapError("ubl/2.1/Order.yaml: no such message"))
    assert (fault.line, fault.text) == (0, "no such message")


def test_a_node_that_wants_an_element_empty_writes_no_segment_that_has_it():
    """The predicate holds on writing as it does on reading."""
    store, _ = changed(BODY, "- CUR: 01 const BY, 02 currency", "- CUR[02!=*]: 01 const BY, 02 currency")
    order = {"number": "PO-1", "issued_on": date(2026, 3, 20), "currency": "USD", "lines": [{"number": "1"}]}
    written = store.get("x12", "850", "004010").write(order, "*", ">")
    assert [each for each in written if each.startswith("CUR")] == []
