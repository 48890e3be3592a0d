"""A partner's guide: what it changes in the verdict and in the document, and what is said of a wrong one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.edi.engine import maps
from tradehub.edi import Fault, MapError, ReadMessage, guides, read, write_back
from tradehub.edi.schema import Guide, SegmentRule, body_nodes

ENVELOPE = (
    "ISA*00*          *00*          *ZZ*HAIDITRADING   *ZZ*NINGBOVALVES   *261123*0900*U*00401*000000001*0*P*>~"
    "GS*PO*HAIDITRADING*NINGBOVALVES*20261123*0900*1*X*004010~ST*850*0001~{body}SE*{count}*0001~GE*1*1~"
    "IEA*1*000000001~"
)
ORDER = (
    "BEG*00*SA*PO-1**20261123~CUR*BY*USD~REF*CT*C-7~N1*BY*Haidi Trading*UL*6901234000016~"
    "PO1*1*24*EA*12.05**BP*V-22~CTT*1~"
)
UNB = "UNB+UNOC:3+HAIDI+RHEIN+261123:0900+1'UNH+1+ORDERS:D:96A:UN'{body}UNT+{count}+1'UNZ+1+1'"
ORDERS = "BGM+220+PO-1+9'DTM+137:20261123:102'NAD+BY+6901234000016::9'LIN+1++4711:EN'QTY+21:24'UNS+S'"


def x12(body: str, guide: dict[str, Any]) -> ReadMessage:
    text = ENVELOPE.format(body=body, count=body.count("~") + 2)
    return next(read(text.encode(), maps(), guide=guides.load({"of": "x12/004010/850", **guide})))


def edifact(body: str, guide: dict[str, Any]) -> ReadMessage:
    text = UNB.format(body=body, count=body.count("'") + 2)
    return next(read(text.encode(), maps(), guide=guides.load({"of": "edifact/D96A/ORDERS", **guide})))


def said(message: ReadMessage) -> list[tuple[Fault, str]]:
    return [(each.fault, str(each.at)) for each in message.issues]


def test_without_rules_the_orders_are_sound():
    assert (said(x12(ORDER, {})), said(edifact(ORDERS, {}))) == ([], [])


@pytest.mark.parametrize(
    ("guide", "faults"),
    [
        ({"require": ["PO1.05"]}, [(Fault.MISSING_ELEMENT, "segment 6 (PO105)")]),
        ({"require": ["DTM"]}, [(Fault.MISSING_SEGMENT, "segment 5 (DTM)")]),
        ({"require": ["N1.N3"]}, [(Fault.MISSING_SEGMENT, "segment 6 (N3)")]),
        ({"require": ["N9"]}, [(Fault.MISSING_SEGMENT, "segment 5 (N9)")]),
        ({"forbid": ["BEG.02"]}, None),
        ({"forbid": ["REF.02"]}, [(Fault.FORBIDDEN, "segment 4 (REF02)")]),
        ({"forbid": ["CUR"]}, [(Fault.OUT_OF_ORDER, "segment 3 (CUR)")]),
        ({"forbid": ["CTT"]}, [(Fault.NOT_IN_SET, "segment 7 (CTT)")]),
        ({"limit": {"BEG.03": "3"}}, [(Fault.TOO_LONG, "segment 2 (BEG03)")]),
        ({"close": {"BEG.02": "NE RL"}}, [(Fault.INVALID_CODE, "segment 2 (BEG02)")]),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_rule_of_the_guide_is_judged_like_one_of_the_standard(
    guide: dict[str, Any], faults: list[tuple[Fault, str]] | None
):
    if faults is None:
        with pytest.raises(MapError, match=r"forbid\.0: BEG\.02 is mandatory"):
            x12(ORDER, guide)
        return
    assert said(x12(ORDER, guide)) == faults


@pytest.mark.parametrize(
    ("guide", "faults"),
    [
        ({"require": ["NAD.02.2"]}, [(Fault.MISSING_ELEMENT, "segment 4 (NAD02.2)")]),
        ({"forbid": ["NAD.02.3"]}, [(Fault.FORBIDDEN, "segment 4 (NAD02.3)")]),
        ({"limit": {"SG2.NAD.02.1": "5"}}, [(Fault.TOO_LONG, "segment 4 (NAD02.1)")]),
        ({"close": {"SG25.LIN.03.2": "SA"}}, [(Fault.INVALID_CODE, "segment 5 (LIN03.2)")]),
    ],
    ids=lambda each: str(each)[:40],
)
def test_a_rule_reaches_into_a_composite(guide: dict[str, Any], faults: list[tuple[Fault, str]]):
    assert said(edifact(ORDERS, guide)) == faults


def test_more_repeats_than_the_guide_allows_are_too_many():
    twice = ORDER.replace("REF*CT*C-7~", "REF*CT*C-7~REF*CT*C-8~")
    assert said(x12(twice, {})) == []
    assert said(x12(twice, {"limit": {"REF": "1"}})) == [(Fault.TOO_MANY_SEGMENTS, "segment 5 (REF)")]


@pytest.mark.parametrize(("most", "last"), [("2", [(Fault.TOO_MANY_SEGMENTS, "segment 5 (CUR)")]), ("*", [])])
def test_a_guide_allows_more_repeats_or_any_number(most: str, last: list[tuple[Fault, str]]):
    thrice = ORDER.replace("CUR*BY*USD~", "CUR*BY*USD~" * 3)
    assert [fault for fault, _ in said(x12(thrice, {}))] == [Fault.TOO_MANY_SEGMENTS] * 2
    assert said(x12(thrice, {"widen": {"CUR": most}})) == last


def test_a_wider_element_takes_what_the_standard_refuses():
    pieces = ORDER.replace("*EA*", "*PCS*")
    assert said(x12(pieces, {})) == [(Fault.TOO_LONG, "segment 6 (PO103)")]
    guide = {"widen": {"PO1.03": "3"}, "tables": {"unit": {"PCS": "C62"}}}
    message = x12(pieces, guide)
    assert said(message) == []
    assert (message.document or {})["lines"][0]["quantity"]["unit"] == "C62"


def test_a_slash_means_the_place_on_the_first_level_alone():
    both = ORDER.replace("CTT*1~", "N1*ST*Dock 4*92*D4~CTT*1~")
    assert [at for _, at in said(x12(both, {"limit": {"N1.02": "4"}}))] == ["segment 5 (N102)", "segment 7 (N102)"]
    assert [at for _, at in said(x12(both, {"limit": {"/N1.N1.02": "4"}}))] == ["segment 5 (N102)"]
    assert [at for _, at in said(x12(both, {"limit": {"PO1.N1.N1.02": "4"}}))] == ["segment 7 (N102)"]


PRIVATE = {
    "segments": {"ZZA": "127 M, 352 O; C0201"},
    "add": {"PO1": ["ZZA O 1 after PO1"]},
    "bind": {"PO1.ZZA": "01 packaging"},
}


def test_a_private_segment_is_read_checked_and_written():
    with_private = ORDER.replace("CTT*1~", "ZZA*crate 7~CTT*1~")
    message = x12(with_private, PRIVATE)
    assert (said(message), (message.document or {})["lines"][0]["packaging"]) == ([], "crate 7")
    rules = maps().get("x12", "850", "004010", guides.load({"of": "x12/004010/850", **PRIVATE}))
    assert rules.write(message.document or {}, "*", ">") == with_private.rstrip("~").split("~")
    assert said(x12(ORDER.replace("CTT*1~", f"ZZA*{'x' * 31}~CTT*1~"), PRIVATE)) == [
        (Fault.TOO_LONG, "segment 7 (ZZA01)")
    ]


def test_a_private_segment_has_its_place():
    message = x12(ORDER.replace("PO1*", "ZZA*crate 7~PO1*"), PRIVATE)
    assert [each.fault for each in message.issues if each.is_error] == [Fault.OUT_OF_ORDER]


def test_a_segment_bound_anew_goes_where_the_guide_says():
    body = ORDER.replace("REF*CT*C-7~", "REF*CT*C-7~REF*ZZ*steel crate~")
    message = x12(body, {"bind": {"REF[01=ZZ]": "02 packaging"}})
    document = message.document or {}
    assert (document["packaging"], [each["value"] for each in document["references"]]) == ("steel crate", ["C-7"])


def test_an_element_bound_anew_no_longer_goes_where_the_map_says():
    document = x12(ORDER, {"bind": {"CUR": "02 target_currency"}}).document or {}
    assert ("currency" in document, document["target_currency"]) == (False, "USD")


def test_a_loop_that_the_map_does_not_bind_can_be_bound():
    body = ORDER.replace("CTT*1~", "PKG*F*04***two to a crate~CTT*1~")
    document = x12(body, {"bind": {"PO1.PKG.PKG": "05 packaging"}}).document or {}
    assert document["lines"][0]["packaging"] == "two to a crate"


def test_what_is_forbidden_is_not_written():
    document = x12(ORDER, {}).document or {}
    rules = maps().get("x12", "850", "004010", guides.load({"forbid": ["CUR", "REF.02"]}))
    written = rules.write({name: value for name, value in document.items() if name != "extensions"}, "*", ">")
    assert [each for each in written if each.startswith(("CUR", "REF"))] == ["REF*CT"]


def test_what_is_forbidden_leaves_bindings_of_places_that_the_dictionary_does_not_have():
    """The linter names them; a guide of something else does not."""
    spec = maps().spec("x12", "850", "004010")
    private = replace(spec.structure[1], name="ZZA", rule=SegmentRule("ZZA", ()))
    odd = replace(spec, structure=(*spec.structure[:2], private, *spec.structure[2:]))
    nodes = body_nodes([{"BEG": "03 number, 77 packaging"}, {"CUR": "02 currency"}, {"ZZA": "01 heads"}], "850")
    after = guides.patched(replace(odd, body=nodes), guides.load({"forbid": ["CUR"]})).body
    assert after == (nodes[0], nodes[2])


def test_a_renamed_code_is_read_and_written():
    guide = {"rename": {"party": {"ZB": "BY"}}}
    message = x12(ORDER.replace("N1*BY", "N1*ZB"), guide)
    assert (message.document or {})["parties"][0]["role"] == "buyer"
    rules = maps().get("x12", "850", "004010", guides.load(guide))
    assert "N1*ZB*Haidi Trading*UL*6901234000016" in rules.write(message.document or {}, "*", ">")


def test_a_guide_of_another_message_changes_nothing():
    assert said(x12(ORDER, {"of": "x12/004010/855", "require": ["PO1.05"]})) == []


LINT = [
    ("require: [PO1.99]", 2, "require.0", "PO1 has no element 99; it has 25"),
    ("require:\n- CUR\n- N3", 4, "require.1", "there is no such N3; N3 stands at N1.N3, SPI.N1.N3, PO1.N1.N3"),
    ("require: [XYZ]", 2, "require.0", "there is no XYZ in the message"),
    ("require: [po1]", 2, "require.0", "'po1' names no place"),
    ("forbid: [PO1]", 2, "forbid.0", "PO1 is mandatory, it cannot be forbidden"),
    ("forbid: [N1.N1]", 2, "forbid.0", "it begins its loop: forbid N1"),
    ("limit: {BEG.03: 50}", 2, "limit.BEG.03", "`widen` allows more"),
    ("widen: {BEG.03: 5}", 2, "widen.BEG.03", "`limit` allows fewer"),
    ("widen: {PO1.03: '*'}", 2, "widen.PO1.03", "an element has a longest text; write how many characters"),
    ("limit: {MEA.04: 3}", 2, "limit.MEA.04", "C001 is a composite; name a component, as in MEA.04.1"),
    ("close: {MEA.04: EA}", 2, "close.MEA.04", "C001 is a composite; name a component, as in MEA.04.1"),
    ("limit: {BEG.03: many}", 2, "limit.BEG.03", "must be a whole number from 1, not 'many'"),
    ("limit: {PO1.03: 1}", 2, "limit.PO1.03", "at least 2 characters"),
    ("close: {BEG.02: SAX}", 2, "close.BEG.02", "SAX has 3 characters and the element takes 2"),
    ("require: [BEG.03.2]", 2, "require.0", "BEG03 has no component 2; it is no composite"),
    ("close: {BEG: SA}", 2, "close.BEG", "write BEG.01"),
    ("close: {BEG.05: X}", 2, "close.BEG.05", "of type DT"),
    ("close: {BEG.02: ''}", 2, "close.BEG.02", "names no code"),
    ("rename: {party: {X: QQ}}", 2, "rename.party.X", "table party has no code QQ"),
    ("rename: {partie: {X: BY}}", 2, "rename.partie.X", "there is no table partie"),
    ("add: {PO1: [ZZA O 1]}", 2, "add.PO1.0", "say under `segments` what it is made of"),
    ("add: {PO2: [TAX O 1]}", 2, "add.PO2.0", "there is no loop PO2 here"),
    ("add: {PO1: [PER O]}", 2, "add.PO1.0", "is not TAG USE MAX"),
    ("add: {PO1: [PER O 1]}", 2, "add.PO1.0", "PER stands here already"),
    ("add: {PO1: [CRC O 1 after XX]}", 2, "add.PO1.0", "there is no XX here to stand after"),
    ("segments: {ZZA: 99999 M}", 2, "segments.ZZA", "99999 is neither element nor composite"),
    ("segments: {BEG: 127 M}", 2, "segments.BEG", "a segment of the standard"),
    ("segments: {Z-A: 127 M}", 2, "segments.Z-A", "no tag of a segment"),
    ("bind: {BEG: 06 nowhere}", 2, "bind.BEG", "Order has no field 'nowhere'"),
    ("bind: {BEG: 77 number}", 2, "bind.BEG", "element 77 does not exist"),
    ("bind: {PO1.XX: 01 packaging}", 2, "bind.PO1.XX", "there is no XX here"),
    ("bind: {PO9.REF: 01 packaging}", 2, "bind.PO9.REF", "there is no loop PO9 here"),
    ("bind: {BEG: 06 type = kode:order_type}", 2, "bind.BEG", "no such converter"),
    ("bind: {BEG: ''}", 2, "bind.BEG", "binds nothing"),
    ("notes: {BEG.99: hm}", 2, "notes.BEG.99", "BEG has no element 99"),
    ("requires: [BEG]", 2, "requires", "there is no such key here; there are of, require"),
    ("require: BEG", 2, "require", "must be a list, [A, B], not 'BEG'"),
    ("limit: [BEG.03]", 2, "limit", "must be a table, {key: value}, not a list"),
    ("require: [BEG\nforbid: [TAX]", 3, "", "a bracket [ is not closed"),
    ("require: [CUR]\nforbid: [\x01]", 3, "", "there is a sign here that no text may hold: #x0001"),
    ("require: [CUR]\nrequire: [REF]", 3, "", "this key stands twice"),
    ("delimiters: {element: ab}", 2, "delimiters.element", "must be one sign"),
    ("delimiters: {elemnt: '*'}", 2, "delimiters.elemnt", "there are component"),
    ("charset: UNOZ", 2, "charset", "there is no character set 'UNOZ'"),
    ("acknowledge: sometimes", 2, "acknowledge", "not 'sometimes'"),
]


@pytest.mark.parametrize(("text", "line", "place", "words"), LINT, ids=[each[0][:30] for each in LINT])
def test_a_fault_of_a_guide_is_named_with_its_line(text: str, line: int, place: str, words: str):
    found = guides.read(f"of: x12/004010/850\n{text}\n", "g.yaml", maps().spec).faults
    assert [(each.line, each.place, words in each.text) for each in found] == [(line, place, True)], found


def test_signs_of_ones_own_and_a_known_character_set_are_no_fault():
    text = "of: x12/004010/850\ndelimiters: {segment: '!', element: '|'}\ncharset: UNOC\n"
    assert guides.read(text, "g.yaml", maps().spec).faults == ()


@pytest.mark.parametrize("of", ["of: x12/004010/899", "of: 850", "require: [BEG]"])
def test_a_guide_names_the_map_that_it_patches(of: str):
    (fault,) = guides.read(of + "\n", "g.yaml", maps().spec).faults
    assert fault.place == "of"


def test_every_fault_of_a_guide_is_found_at_once():
    text = "of: x12/004010/850\nrequire: [XYZ, PO1.05]\nforbid: [BEG]\nbind:\n  BEG: 06 nowhere\n"
    file = guides.read(text, "g.yaml", maps().spec)
    assert [str(each).split(": ")[:2] for each in file.faults] == [
        ["g.yaml:2", "require.0"], ["g.yaml:3", "forbid.0"], ["g.yaml:5", "bind.BEG"],
    ]  # fmt: skip
    assert file.spec is not None
    assert file.spec.guide == file.guide


def test_plain_data_that_is_no_guide_is_refused():
    with pytest.raises(MapError, match="guide: requires: there is no such key here"):
        guides.load({"requires": []})
    assert guides.load(Guide(of="x")) == Guide(of="x")


def test_a_guide_travels_with_its_message_when_it_is_written_back():
    message = x12(ORDER.replace("CTT*1~", "ZZA*crate 7~CTT*1~"), PRIVATE)
    assert b"ZZA*crate 7~" in write_back([message], maps())


def test_what_could_not_be_added_is_one_fault_not_three():
    text = (
        "of: x12/004010/850\nsegments: {ZZA: 127 M}\nadd: {PO1: [ZZA O 1 after XX]}\n"
        "bind: {PO1.ZZA: 01 packaging}\nrequire: [PO1.ZZA, CURR]\n"
    )
    assert [each.place for each in guides.read(text, "g.yaml", maps().spec).faults] == ["add.PO1.0", "require.1"]
