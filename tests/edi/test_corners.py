# ruff: noqa: E501  a row is a partner's map
"""Corners of the engine that partners rarely reach: what is said there, and where."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.edi.engine import SEPARATORS, maps
from tests.edi.making import maker
from tests.edi.test_linting import changed
from tradehub.edi import Fault, Issue, MapError, Position, acknowledge, read, reading, traces, writing
from tradehub.edi.answers import document_of
from tradehub.edi.binding import figure_text
from tradehub.edi.folding import Live, Made, Unfoldable
from tradehub.edi.generation import Tree, put_first
from tradehub.edi.maps import Map
from tradehub.edi.paths import parse_binding, parse_head, parse_path
from tradehub.edi.segments import is_count
from tradehub.edi.x12 import own_text

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ORDERS = ["BGM+220+PO-1+9", "DTM+137:20260301:102", "NAD+BY+123::9", "LIN+1", "QTY+21:5", "UNS+S"]


def interchange(*messages: list[str], kinds: tuple[str, ...] = (), syntax: str = "UNOC:3") -> bytes:
    parts = [f"UNB+{syntax}+A+B+{'20' if syntax.endswith('4') else ''}260302:1200+1"]
    for number, body in enumerate(messages, 1):
        kind = kinds[number - 1] if kinds else "ORDERS:D:96A:UN"
        parts += [f"UNH+{number}+{kind}", *body, f"UNT+{len(body) + 2}+{number}"]
    return "".join(each + "'" for each in [*parts, f"UNZ+{len(messages)}+1"]).encode()


def issues(body: list[str], *, kind: str = "ORDERS:D:96A:UN", syntax: str = "UNOC:3") -> list[tuple[Fault, str]]:
    (message,) = read(interchange(body, kinds=(kind,), syntax=syntax), maps())
    return [(each.fault, str(each.at)) for each in message.issues]


@pytest.mark.parametrize(
    ("value", "component"),
    [("137:20260301:102:X", 4), ("137:20260301:102::X", 5), ("137:20260301:102:X:Y", 4)],
)
def test_the_first_component_too_many_is_named(value: str, component: int):
    found = issues([ORDERS[0], f"DTM+{value}", *ORDERS[2:]])
    assert found == [(Fault.TOO_MANY_COMPONENTS, f"segment 3 (DTM01.{component})")]


def test_a_caret_stands_under_the_component_at_fault():
    at = Position(segment=4, tag="NAD", element=2, component=3)
    first, second = Issue(Fault.INVALID_CODE, at, "").line("NAD+BY+123::99", "+", ":").split("\n")
    assert first[second.index("^") :] == "99"
    assert second.endswith("^ segment 4 (NAD02.3)")


@pytest.mark.parametrize(
    ("at", "column"), [(Position(segment=1, tag="NAD", element=9), 14), (Position(segment=1, tag="NAD"), 0)]
)
def test_a_caret_stands_behind_a_segment_that_is_too_short_and_before_one_that_is_wrong_as_a_whole(at, column):
    assert Issue(Fault.MISSING_ELEMENT, at, "").line("NAD+BY+123::99", "+", ":").split("\n")[1].index("^") == column


@pytest.mark.parametrize(
    ("stated", "holds"),
    [("7", True), ("007", True), ("8", False), ("", False), ("7.0", False), ("+7", False), ("²", False), ("٧", False)],
)
def test_a_count_is_told_in_plain_digits(stated: str, holds: bool):
    assert is_count(stated, 7) is holds


def test_zeros_alone_count_nothing():
    assert (is_count("000", 0), is_count("0", 0), is_count("0", 1)) == (True, True, False)


def answered(data: bytes) -> str:
    reading = read(data, maps())
    list(reading)
    return acknowledge(reading.interchanges[0], at=AT, control="1").decode()


ANSWER = ["UCI+1+B+A+7"]


def test_a_control_message_is_not_answered():
    assert answered(interchange(ANSWER, kinds=("CONTRL:D:3:UN",))) == ""


def test_beside_an_order_a_control_message_is_passed_over():
    sent = answered(interchange(ANSWER, ORDERS, kinds=("CONTRL:D:3:UN", "ORDERS:D:96A:UN")))
    assert [each for each in sent.split("'") if each.startswith("UCM")] == ["UCM+2+ORDERS:D:96A:UN+7"]


def test_a_fault_in_a_repetition_is_placed_at_it():
    body = ["BGM+220+PO-1+9", "NAD+BY+123::9", "CTA+OC+:X", "COM+1:TE*2:TOOLONG*3:FX", "LIN+1", "UNS+S"]
    found = issues(body, kind="ORDERS:D:01B:UN", syntax="UNOC:4")
    assert (Fault.TOO_LONG, "segment 5 (COM01.2 repetition 2)") in found


def test_a_fault_in_the_first_of_several_repetitions_says_so():
    body = ["BGM+220+PO-1+9", "NAD+BY+123::9", "CTA+OC+:X", "COM+1:TOOLONG*2:TE", "LIN+1", "UNS+S"]
    found = issues(body, kind="ORDERS:D:01B:UN", syntax="UNOC:4")
    assert (Fault.TOO_LONG, "segment 5 (COM01.2 repetition 1)") in found


@pytest.mark.parametrize(
    ("standard", "kind", "release", "signs", "text"),
    [
        ("x12", "850", "004010", "*>", "BEG*00*SA*PO-1**20240301 N1*BY*Haidi*92*12 PO1*1*5*EA*1.20**VP*X1 PID*F****Valve CTT*1"),
        ("x12", "856", "004010", "*>", "BSN*00*A1*20240301*1200 HL*1**S HL*2*1*O PRF*PO-1 HL*3*2*I LIN**VP*X1 SN1**5*EA CTT*3"),
        ("edifact", "ORDERS", "D96A", "+:", "BGM+220+PO-1+9 DTM+137:20240301:102 LIN+1++4:EN QTY+21:5:PCE PRI+AAA:1.20 UNS+S CNT+2:1"),
        ("edifact", "INVOIC", "D96A", "+:", "BGM+380+I-1+9 DTM+137:20240301:102 LIN+1++4:EN PRI+AAA:1.20 UNS+S CNT+2:1 MOA+77:6"),
    ],
    ids=lambda each: each if len(each) < 7 else "",
)  # fmt: skip
def test_what_partners_mostly_send_is_seen_to_be_canonical_without_being_written(standard, kind, release, signs, text):
    """Writing each message once more to see what its document lacks is what costs most."""
    decoded = (
        maps().get(standard, kind, release)._reader.read((each.split(signs[0]) for each in text.split()), signs[1])
    )
    assert (decoded.is_canonical, [each.finding.text for each in decoded.findings]) == (True, [])


LINE = ["PO1*1*5*EA*1.20**VP*X1", "PID*F****Valve"]
DATED = [*LINE, "DTM*002*20240301"]


@pytest.fixture
def hurried(request, monkeypatch) -> Map:
    """Return an 850 that has seen enough lines, with a day and without, to read them by traces. Its parameter is the
    quantity that stands in each."""
    monkeypatch.setattr(traces, "OFTEN", 2)
    monkeypatch.setattr(traces, "WATCHED", 80)
    known = maps().get("x12", "850", "004010")
    rules = Map(known.spec, known.sha256)
    line, dated = ([each.replace("*5*", f"*{getattr(request, 'param', 5)}*") for each in run] for run in (LINE, DATED))
    for currency in ([], ["CUR*BY*USD"], [], ["CUR*BY*USD"]):
        raw = ["BEG*00*SA*PO-1**20240301", *currency, *line * 4, *dated, *line * 3, *dated, "CTT*9"]
        rules.read_text("".join(f"{each}~" for each in raw), "*", ">", "~")
    return rules


def traces_of_lines(rules: Map) -> list[traces.Trace]:
    made = rules._reader._watch("*", ">", "~")._made.values()
    return [each for _, runs in made for run, each in runs.items() if rules.machine.places[run[0].place].tag == "PO1"]


def test_a_day_that_often_follows_a_line_is_read_with_it_wherever_lines_begin(hurried):
    made = traces_of_lines(hurried)
    assert len(made) > 1
    assert all("match_tail" in each.__code__.co_names for each in made)


@pytest.mark.parametrize("hurried", ["5", "05", "-5"], indirect=True)
@pytest.mark.parametrize(
    ("quantity", "price"),
    [
        ("5", "1.20"),
        ("12345678", "0.50"),
        ("0", "0"),
        ("05", "1.20"),
        ("5.", ".5"),
        ("-5", "-0.5"),
        ("5", "1.123456789"),
        ("123456789012345", "1"),
        ("1234567890123456", "1"),  # one digit too many
        ("5", "1e3"),
        ("five", "1"),
        ("+5", "1"),
        ("1,5", "1"),
        ("5", "1,500"),  # a thousand to some, and one and a half to others
    ],
)
def test_a_number_is_read_in_a_run_as_it_would_be_alone(hurried, quantity, price):
    assert traces_of_lines(hurried)
    raw = ["BEG*00*SA*PO-1**20240301", *DATED, f"PO1*1*{quantity}*EA*{price}**VP*X1", LINE[1], *DATED, "CTT*3"]
    quick = hurried.read_text("".join(f"{each}~" for each in raw), "*", ">", "~")
    slow = hurried.read(raw, "*", ">", interpreted=True)
    assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)
    assert hurried.write(quick.document, "*", ">") == raw


def test_what_follows_a_line_in_several_ways_has_one_trace(monkeypatch):
    """A day that follows a line is a run of its own too, where something that begins a run stands between."""
    monkeypatch.setattr(traces, "OFTEN", 2)
    monkeypatch.setattr(traces, "WATCHED", 1)
    common = maps().get(*X12)
    rules = Map(common.spec, common.sha256)
    priced = [LINE[0], "CTP**RES*1.10", *DATED[1:]]
    raw = ["BEG*00*SA*PO-1**20240301", *[*LINE * 3, *DATED] * 4, *priced * 3, "CTT*19"]
    slow = rules.read(raw, "*", ">", interpreted=True)
    for _ in range(2):
        quick = rules.read_text("".join(f"{each}~" for each in raw), "*", ">", "~")
        assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)
    made = rules._reader._watch("*", ">", "~")._made.values()
    runs = [[rules.machine.places[step.place].tag for step in run] for _, runs in made for run in runs]
    assert (runs.count(["DTM"]), ["PO1", "PID", "DTM"] in runs) == (1, False), runs


def test_a_node_that_asks_an_element_which_there_is_not_is_passed_over_by_traces(monkeypatch):
    monkeypatch.setattr(traces, "OFTEN", 1)
    monkeypatch.setattr(traces, "WATCHED", 1)
    store, _ = changed("x12/004010/850.yaml", "- CUR: 01 const BY", "- CUR[33=BY]: 02 packaging\n- CUR: 01 const BY")
    rules, raw = store.get(*X12), ORDER.replace("*1.085**EUR", "").split(" ")
    slow = rules.read(raw, "*", ">", interpreted=True)
    for _ in range(2):
        quick = rules.read_text("".join(f"{each}~" for each in raw), "*", ">", "~")
        assert (quick.document, quick.findings) == (slow.document, slow.findings)
    assert (quick.document["currency"], "packaging" in quick.document) == ("USD", False)
    (first,) = rules._reader._watch("*", ">", "~")._made[id(rules._reader._watch("*", ">", "~").start)][1]
    assert [rules.machine.places[step.place].tag for step in first] == ["BEG", "CUR"]


@pytest.mark.parametrize(
    ("paths", "more", "said"),
    [
        (  # the second is the number of a drawing, the third what is said of that drawing
            "item.name or references[type=drawing].value or references[type=drawing].text",
            ["D-7", "Rev. 2"],
            {"references": [{"type": "drawing", "value": "D-7", "text": "Rev. 2"}]},
        ),
        ("item.name or item.description", ["Red"], {}),
        ("item.name or item.description", ["Red", "Large"], {}),  # for the third there is no field: it is kept
    ],
    ids=["selected", "enough", "too many"],
)
def test_texts_of_a_run_go_where_those_before_left_room(monkeypatch, paths, more, said):
    monkeypatch.setattr(traces, "OFTEN", 1)
    store, _ = changed("x12/004010/850.yaml", "item.name or item.description or item.more_descriptions[]", paths)
    rules, texts = store.get(*X12), [*LINE, *(f"PID*F****{each}" for each in more)]
    raw = ["BEG*00*SA*PO-1**20240301", *texts * 3, "CTT*3"]
    monkeypatch.setattr(traces, "WATCHED", len(raw))
    slow = rules.read(raw, "*", ">", interpreted=True)
    for _ in range(2):
        quick = rules.read_text("".join(f"{each}~" for each in raw), "*", ">", "~")
        assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)
    assert rules.write(quick.document, "*", ">") == raw
    assert all(said.items() <= each.items() for each in quick.document["lines"])
    made = rules._reader._watch("*", ">", "~")._made.values()
    runs = [[rules.machine.places[step.place].tag for step in run] for _, runs in made for run in runs]
    assert ["PO1", *["PID"] * (len(texts) - 1)] in runs


@pytest.mark.parametrize(
    ("value", "out"),
    [
        (Made({}, base="c[0]"), ""),  # which something outside holds already
        (Live(ast.Name("o1", ast.Load())), "o1 = c[1].get('price')"),  # which is not read before the objects are made
    ],
)
def test_an_object_is_not_made_of_what_is_not_there_yet_or_is_anothers(value, out):
    builder = traces._Builder(maps().get(*X12)._reader, ("*", ">", "~"))
    builder._folder.out = ast.parse(out).body
    with pytest.raises(Unfoldable):
        builder._plain(value, [], set())
    plain = builder._plain(Made({"price": Live(ast.Name("o2", ast.Load()))}), [], set())
    assert ast.unparse(plain) == "{'price': o2}"


def test_a_run_that_asks_what_its_tail_leaves_is_not_read_with_it():
    asks, plain = (traces._Part([], [], asks=each) for each in (True, False))
    for own, tail in ((asks, plain), (plain, asks)):
        with pytest.raises(Unfoldable):
            traces._source(own, tail, repeats=True)


@pytest.mark.parametrize(
    "last",
    [
        [],
        ["DTM*002*20240302"],
        ["DTM*002*20240231"],  # no such day
        ["DTM*999*20240301"],
        ["DTM*002*20240301*1200"],
        ["DTM*002*20240301", "DTM*010*20240305"],
        ["DTM*002"],
        ["REF*CT*C-1", "DTM*002*20240301"],
    ],
    ids="+".join,
)
def test_what_follows_a_line_is_read_as_it_would_be_alone(hurried, last):
    raw = ["BEG*00*SA*PO-1**20240301", *DATED, *LINE, *last, *DATED, *LINE, *last, "CTT*4"]
    quick = hurried.read_text("".join(f"{each}~" for each in raw), "*", ">", "~")
    slow = hurried.read(raw, "*", ">", interpreted=True)
    assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)
    assert hurried.write(quick.document, "*", ">") == raw


CUR = "- CUR: 01 const BY, 02 currency, 03 exchange_rate = decimal, 05 target_currency"
ORDER = "BEG*00*SA*PO-1**20240301 CUR*BY*USD*1.085**EUR N1*BY*Haidi*92*12 PO1*1*5*EA*1.20**VP*X1 PID*F****Valve DTM*002*20240301 CTT*1*5"
SENT = "BGM+220+PO-1+9 DTM+137:20240301:102 NAD+BY+123::9 LIN+1++4:EN QTY+21:5:PCE PRI+AAA:1.20 UNS+S CNT+2:1"
REF = "- REF: references[] {01 type = code:reference, 02 value, 03 text}\n- FOB"
STREET = "- N3: 01 address.street[], 02 address.street[]"
FOB = "- FOB: 01 delivery_terms.freight = code:freight not DF else DF, 02 const ZZ if 03, 03 delivery_terms.place, 04 const 01 if 05, 05 delivery_terms.incoterm"
INSPECTION = "- loop N9[03=INSPECTION]:\n  - N9: 01 const L1\n  - MSG: 01 inspection\n- loop N9[03=DOCUMENTS]:\n  - N9: 01 const L1\n"
X12, EDIFACT = ("x12", "850", "004010"), ("edifact", "ORDERS", "D96A")
OF_A_PARTNER = [
    # a message, what stands in its map, what stands there in a partner's, a text, what differs in the partner's text
    (X12, CUR, "- CUR: 01 const BY, 02 currency, 02? target_currency", ORDER, ("*1.085**EUR", "")),
    (X12, CUR, "- CUR: 01 const BY, 02 currency, 02 target_currency", ORDER, ("*1.085**EUR", "")),
    (X12, CUR, CUR + ", 04 notes[subject=rate].text", ORDER, ("1.085**", "1.085*XX*")),
    (X12, CUR, "- CUR: 01 action = code:action, 02 currency", ORDER, ("*1.085**EUR", "")),
    (X12, "02/03 (on/at/text) = when}\n- TD5", "02 (on/at/text) = when}\n- TD5", ORDER, ("N1*", "DTM*002*20240301 N1*")),
    (X12, "02/03 (on/at/text) = when}\n  - MSG", "02 (on/at/text) = when}\n  - MSG", ORDER, ("", "")),
    (X12, "- CTT: 01 count(lines), 02? sum(lines.quantity.value)", "- CTT: 01 count(lines), 02 sum(lines.quantity.value)", ORDER, ("", "")),
    (X12, "- CTT: 01 count(lines), 02? sum(lines.quantity.value)", "- CTT: 01 count(lines), 02 sum(lines.quantity.value)", ORDER, ("CTT*1*5", "CTT*1*6")),
    (X12, "- N3: 01 address.street[], 02 address.street[]", "- N3: 01 contacts[].name, 02 contacts[].name", ORDER, ("PO1", "N3*A*B PO1")),
    (X12, "04 price.amount = decimal, 05", "04 price.amount = decimal else 0, 05", ORDER, ("*1.20*", "**")),
    (X12, "- BEG: 01 action = code:action else 00, 02 type = code:order_type else SA", "- BEG: 01 action = lookup:action, 02 type = code:order_type else SA", ORDER, ("", "")),
    (X12, "- BEG: 01 action = code:action else 00, 02 type = code:order_type else SA", "- BEG: 01 action = lookup:action, 02 type = code:order_type else SA", ORDER, ("*00*", "*ZZ*")),
    (X12, "- CTT: 01 count(lines), 02? sum(lines.quantity.value)", "- CTT: 01 count(lines), 02 sum(lines.quantity.value)", ORDER.replace("*1*5", "*1*0"), ("", "")),
    (X12, "- CTT: 01 count(lines), 02? sum(lines.quantity.value)", "- CTT: 01 count(lines), 02 sum(lines.quantity.value)", ORDER.replace("*1*5", "*1*0"), ("CTT*1*0", "CTT*1")),
    (X12, REF, "- REF: references[] {01 type, 02 value, 03 text}\n- FOB", ORDER, ("N1*", "REF*CT*C-1 N1*")),
    (X12, REF, "- REF[02!=*]: references[] {01 type = code:reference, 03 text}\n" + REF, ORDER, ("N1*", "REF*CT*C-1 N1*")),
    (X12, REF, "- REF[03=*]: references[] {01 type = code:reference, 02 value, 03 text}\n- REF: references[] {01 type = code:reference, 02 value}\n- FOB",
     ORDER, ("N1*", "REF*CT*C-1*T N1*")),
    (X12, REF, "- REF[03=*]: references[] {01 type = code:reference, 02 value}\n- FOB", ORDER, ("N1*", "REF*CT*C-1 N1*")),
    (X12, REF, "- REF[03=*]: references[] {01 type = code:reference, 02 value, 03 text}\n- REF: references[] {01 type = code:reference, 02 text}\n- FOB",
     ORDER, ("N1*", "REF*CT*C-1 N1*")),  # what the second reads the first would write
    (X12, "  " + REF.replace("- FOB", "  - loop SAC"), "  - REF: item.ids[] {01 scheme = code:item_id, 02 value}\n  - loop SAC", ORDER, ("DTM", "REF*UP*U1 DTM")),
    (X12, STREET, "- N3: 01 address.street[], 02 bank_account", ORDER, ("PO1", "N3*A*B PO1")),
    (X12, STREET, "- N3: 01 address.street[], 02 bank_account", ORDER, ("PO1", "N3*A N3*C*B PO1")),
    (X12, "- loop AMT[01=TT]:\n  - AMT: 02? total = decimal", "- loop AMT[01=TT] -> delivery_terms:\n  - AMT: 03 place", ORDER, ("", "")),
    (X12, "- loop AMT[01=TT]:\n  - AMT: 02? total = decimal", "- loop AMT[01=TT] -> delivery_terms:\n  - AMT: 03 place", ORDER, ("N1*", "AMT*TT**C N1*")),
    (X12, INSPECTION, "- loop N9[03=DOCUMENTS]:\n  - N9: 01 const L1, 02 inspection\n", ORDER, ("N1*", "N9*L1*I*DOCUMENTS MSG*A MSG*B N1*")),
    (X12, "05 item.name or item.description or item.more_descriptions[]", "04 item.ids[scheme=x].value, 05 item.name", ORDER, ("", "")),
    (X12, "  - loop PID[01=F|X, 02!=*]:\n    - PID: 05 item.name or item.description or item.more_descriptions[]",
     "  - loop PID[01=F, 02!=*] -> item.attributes[]:\n    - PID: 04 name, 05 value", ORDER, ("F****V", "F***V*V")),
    (X12, CUR, "- CUR: 01 const BY, 02 currency, 03 const 1 if 05", ORDER, ("*1.085**EUR", "")),
    (X12, CUR, "- CUR: 01 const BY, 02 currency, 02 const USD", ORDER, ("*1.085**EUR", "")),
    (X12, "- TXI: taxes[]", "- MAN: 01 const GM, 02 profile = code:action, 03 profile = code:reference\n- TXI: taxes[]", ORDER, ("N1*", "MAN*GM*00 N1*")),
    (X12, "- TXI: taxes[]", "- MAN: 01 const GM, 02 profile = code:reference, 03 profile = code:action\n- TXI: taxes[]", ORDER, ("N1*", "MAN*GM**00 N1*")),
    (X12, "- DTM: dates[] {01 type = code:date, 02/03 (on/at/text) = when}\n- TD5", "- DTM: 01 const 002, 02/03 dates[] (on/at/text) = when\n- TD5", ORDER, ("N1*", "DTM*002*20240301 N1*")),
    (X12, "- CTT: 01 count(lines), 02? sum(lines.quantity.value)", "- CTT: 01 count(lines), 02 sum(lines.quantity.value)", ORDER, ("CTT*1*5", "CTT*1")),
    (X12, "- CTT: 01 count(lines), 02? sum(lines.quantity.value)", "- CTT: 01 count(lines), 07 sum(lines.quantity.value)", ORDER, ("CTT*1*5", "CTT*1******many")),
    (X12, CUR, "- CUR: 01 const BY, 02 currency, 06 action = code:reference, 07 action = code:action", ORDER, ("*1.085**EUR", "")),
    (X12, CUR, "- CUR: 01 const BY, 02 currency, 06 action = code:action, 07 action = code:reference", ORDER, ("*1.085**EUR", "")),
    (X12, "  - N1: 01 role", "  - N1: 05/06 ids[] or tax_ids[] (scheme/value), 01 role", ORDER, ("", "")),
    (X12, CUR, CUR + ", 33 notes[subject=rate].text", ORDER, ("", "")),
    (X12, CUR, "- CUR: 01 const BY, 02 currency, 33 const X", ORDER, ("*1.085**EUR", "")),
    (X12, "- CTT: 01 count(lines), 02? sum(lines.quantity.value)", "- CTT: 01 count(lines), 33 sum(lines.quantity.value)", ORDER, ("CTT*1*5", "CTT*1")),
    (X12, " or item.more_descriptions[]", "", ORDER, ("DTM", "PID*F****Red PID*F****Large DTM")),
    (X12, "  - PO4: 04 packaging\n  " + REF.replace("- FOB", "  - loop SAC"),
     "  - PO4: 04 packaging\n  - REF: 01/02 /references[] (type/value) = code:reference\n  - loop SAC", ORDER, ("DTM", "REF*CT*C-1 DTM")),
    (X12, FOB, "- FOB: 03/05 delivery_terms (place/incoterm), 01/07 delivery_terms (freight/text) = code:freight", ORDER,
     ("N1*", "FOB*PP**Oslo**FOB**by*sea N1*")),
    (X12, "- CUR: 01 const BY", "- CUR[33=BY]: 02 target_currency\n- CUR: 01 const BY", ORDER, ("", "")),
    (EDIFACT, "- DTM[01.1=137]: 01.2/01.3 issued_on = date", "- DTM[01.1=137]: 01.2 issued_on = date", SENT, ("", "")),
    (EDIFACT, "02 number, 03 action = code:action else 9", "02 number, 03 action = code:action else 9, 04 response = code:action", SENT, ("", "")),
    (EDIFACT, "02 number, 03 action = code:action else 9", "02 number, 03 action = code:action else 9, 04 action = code:action_inquiry", SENT, ("", "")),
]  # fmt: skip


@pytest.mark.parametrize(("of", "text"), [(X12, ORDER), (EDIFACT, SENT)], ids=str)
def test_the_messages_that_partners_maps_are_tried_on_have_no_fault_of_their_own(of, text):
    """With one in it none would be seen to be canonical, and what a map says wrongly of that would not be found out."""
    decoded = maps().get(*of).read(text.split(" "), *SEPARATORS[of[0]])
    assert [each.finding.text for each in decoded.findings] == []


@pytest.mark.parametrize(("of", "before", "after", "text", "differs"), OF_A_PARTNER)
def test_by_a_partners_map_functions_read_what_tables_read_and_write_it_back(of, before, after, text, differs):
    standard, kind, release = of
    store, _ = changed(f"{standard}/{release}/{kind}.yaml", before, after)
    rules = store.get(standard, kind, release)
    signs = SEPARATORS[standard]
    raw = text.replace(*differs, 1).split(" ")
    quick = rules.read_text("".join(f"{each}~" for each in raw), *signs, "~")
    slow = rules.read(raw, *signs, interpreted=True)
    assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)
    assert rules.write(quick.document, *signs) == raw


def test_a_figure_that_is_no_number_is_told_to_be_wrong():
    """Where a partner states it in an element of text: as a number it would be refused before."""
    store, _ = changed("x12/004010/850.yaml", "02? sum(lines.quantity.value)", "07 sum(lines.quantity.value)")
    for stated, faults in (("5", []), ("five", [(Fault.WRONG_SUM, 7, "five")])):
        raw = ORDER.replace("CTT*1*5", f"CTT*1******{stated}").split(" ")
        found = [each.finding for each in store.get(*X12).read(raw, "*", ">").findings]
        assert [(each.fault, each.element, each.value) for each in found] == faults


@pytest.mark.parametrize("bound", ["02 currency, 02 const USD", "02 const USD, 02 currency"])
def test_a_constant_stands_where_what_is_bound_to_its_place_has_no_value(bound):
    store, _ = changed("x12/004010/850.yaml", "02 currency, 03", f"{bound}, 03")
    written = [
        store.get(*X12).write({"number": "PO-1", **each}, "*", ">")[1]
        for each in ({"currency": "EUR"}, {"exchange_rate": Decimal("1.085")})
    ]
    assert written == ["CUR*BY*EUR", "CUR*BY*USD*1.085"]


OF_A_SHAPE = [
    # a segment that comes often, what is found in it
    ("REF**C-1", [Fault.MISSING_ELEMENT]),
    ("PO4**1*ZZZ", [Fault.TOO_LONG]),
]


@pytest.mark.parametrize(("segment", "faults"), OF_A_SHAPE)
def test_functions_of_a_shape_find_what_tables_find(segment, faults, monkeypatch):
    monkeypatch.setattr(reading, "WARM", 2)
    common = maps().get(*X12)
    rules = Map(common.spec, common.sha256)
    raw = ["BEG*00*SA*PO-1**20240301", *["PO1*1*5*EA*1.20**VP*X1", segment] * 4, "CTT*4"]
    quick, slow = rules.read(raw, "*", ">"), rules.read(raw, "*", ">", interpreted=True)
    assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)
    assert [each.finding.fault for each in quick.findings] == faults * 4


def test_of_several_paths_the_first_free_one_is_filled_and_none_over_what_is_there():
    paths = tuple(parse_path(each) for each in ("name", "/packaging"))
    line, order = {}, {}
    for text in ("Valve", "crate", "too much"):
        put_first(paths, line, order, text)
    assert (line, order) == ({"name": "Valve"}, {"packaging": "crate"})


@pytest.mark.parametrize(
    ("before", "after", "comes_later"),
    [
        ("references[type=order].value", "references[].value", True),
        ("references[type=order].value", "references[type=order].line", False),
        ("references[type=order].value", "references[type=order]", False),
        ("references[type=order].value", "item.ids[]", False),
        ("delivery_terms.place", "delivery_terms", False),
    ],
)
def test_only_an_item_of_a_list_that_was_selected_from_before_must_wait(before, after, comes_later):
    tree = Tree()
    tree.leaf(parse_path(before).steps, "", "e1")
    assert tree.comes_later(parse_path(after).steps) is comes_later


def test_a_message_without_figures_to_add_up_has_no_sum():
    store, _ = changed("x12/004010/850.yaml", "02? sum(lines.quantity.value)", "02 sum(lines.quantity.value)")
    assert store.get(*X12).write({"number": "PO-1", "lines": [{"number": "1"}]}, "*", ">")[-1] == "CTT*1"


def test_figures_that_are_texts_add_up_as_numbers():
    lines = [{"quantity": {"value": each}} for each in ("5", "1.50")]
    assert figure_text(parse_binding("02 sum(lines.quantity.value)"), {"lines": lines}) == "6.5"


@pytest.mark.parametrize(
    ("tag", "ordinal", "values"),
    [("@order", 0, ["1", "0"]), ("@order", 0, ["0", "0", "7"]), ("=N1", 2, ["", "BY"]), ("=BEG", 99, ["", "00"])],
)
def test_a_form_that_fits_no_part_any_more_changes_nothing(tag, ordinal, values):
    rules = maps().get(*X12)
    document = rules.read(ORDER.split(" "), "*", ">").document
    kept = {"standard": "x12:004010:850", "tag": tag, "path": "", "ordinal": ordinal, "values": values}
    document["extensions"] = [*document["extensions"], kept]
    assert rules.write(document, "*", ">") == ORDER.split(" ")


def test_a_run_may_leave_an_object_into_which_it_binds_nothing(monkeypatch):
    """It ends in a group that binds into the document: that has its name in the trace, though nothing was put into it."""
    monkeypatch.setattr(traces, "OFTEN", 1)
    monkeypatch.setattr(traces, "WATCHED", 16)
    common = maps().get("edifact", "DESADV", "D24A")
    rules = Map(common.spec, common.sha256)
    raw = [
        "BGM+351::9", "ALI+Iy", "ALI+U", "ALI+D5", "MEA+PD", "MEA+PD", "MEA+b a", "TOD+6", "FTX+PKG+++++r9m", "FTX+ORI", "TDT+20",
        "LOC+1+++xYm4nu94OH", "DTM+4:20010717:102", "DTM+69::204", "LOC+1", "TDT+20",
    ]  # fmt: skip
    slow = rules.read(raw, "+", ":", interpreted=True)
    for _ in range(2):
        quick = rules.read_text("".join(f"{each}~" for each in raw), "+", ":", "~")
        assert (quick.document, quick.findings) == (slow.document, slow.findings)


def test_functions_that_choose_by_fields_forget_them_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(writing, "MOST_SETS", 1)
    known = maps().get("x12", "850", "004010")
    rules = Map(known.spec, known.sha256)
    for seed in range(20):
        document = known.read(maker(known).message(seed), "*", ">").document
        assert rules.write(document, "*", ">") == known.write(document, "*", ">")


def test_runs_are_watched_anew_where_senders_use_too_many_separators(monkeypatch):
    monkeypatch.setattr(reading, "MOST_SIGNS", 1)
    known = maps().get("x12", "850", "004010")
    rules = Map(known.spec, known.sha256)
    for element in "*|*":
        text = "".join(f"{each}~" for each in ORDER.split(" ")).replace("*", element)
        assert rules.read_text(text, element, ">", "~").document == known.read(ORDER.split(" "), "*", ">").document


def test_a_run_that_is_noted_once_more_keeps_the_trace_it_has(monkeypatch):
    """One whose values its trace does not take is read segment by segment, and so noted again."""
    monkeypatch.setattr(traces, "OFTEN", 1)
    known = maps().get("x12", "850", "004010")
    rules = Map(known.spec, known.sha256)
    raw = ["BEG*00*SA*PO-1**20240301", *[*LINE, *DATED] * 3, "CTT*3"]
    monkeypatch.setattr(traces, "WATCHED", len(raw))
    text = "".join(f"{each}~" for each in raw)
    log: list[list[tuple[traces.State, int, list[str]]]] = []
    note = traces.Watch.note
    monkeypatch.setattr(traces.Watch, "note", lambda self, each: (log.append(list(each)), note(self, each)))
    first = rules.read_text(text, "*", ">", "~").document
    watch = rules._reader._watch("*", ">", "~")
    before = {state: dict(made) for state, (_, made) in watch._made.items()}
    assert before
    note(watch, log[0])
    assert {state: dict(made) for state, (_, made) in watch._made.items()} == before
    assert rules.read_text(text, "*", ">", "~").document == first


@pytest.mark.parametrize(
    "odd",
    [
        "BGM+220+PO-1+9+X+Y+Z",  # more elements than there are
        "BGM",  # none
        "DTM+137:20260301:102:X",  # more components than there are
        "DTM+:20260301",  # one missing that must be there
        "ZZZ+1",  # no segment of the message
        "CUX",
    ],
)
@pytest.mark.parametrize("release", ["D96A", "D24A"])
def test_what_breaks_a_rule_stands_in_no_run(monkeypatch, release, odd):
    monkeypatch.setattr(traces, "OFTEN", 1)
    raw = [*ORDERS[:3], odd, *ORDERS[3:], odd, *ORDERS[3:5], "UNS+S"]
    monkeypatch.setattr(traces, "WATCHED", len(raw))
    known = maps().get("edifact", "ORDERS", release)
    rules = Map(known.spec, known.sha256)
    slow = known.read(raw, "+", ":", interpreted=True)
    for _ in range(3):
        quick = rules.read_text("".join(f"{each}'" for each in raw), "+", ":", "'")
        assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)
        assert rules.write(quick.document, "+", ":") == raw


@pytest.mark.parametrize(
    ("of", "often"),
    [
        (EDIFACT, "CTA+"),  # nothing in it that a rule could be about
        (EDIFACT, "COM+123"),  # without what must be there, in its composite
        (EDIFACT, "COM+123:TE"),
        (X12, "AMT*TT"),  # without what must be there, at its end
        (X12, "CUR*BY"),
    ],
    ids=lambda each: str(each),
)
def test_what_comes_often_is_read_alike_by_functions_of_its_shape_and_in_runs(monkeypatch, of, often):
    monkeypatch.setattr(reading, "WARM", 2)
    monkeypatch.setattr(traces, "OFTEN", 1)
    known, signs = maps().get(*of), SEPARATORS[of[0]]
    rules = Map(known.spec, known.sha256)
    text = SENT if of is EDIFACT else ORDER
    raw = [
        part for each in text.split(" ") for part in ([each, often] if each[:3] in {"NAD", "BEG", "CTT"} else [each])
    ]
    monkeypatch.setattr(traces, "WATCHED", len(raw) * 3)
    slow = known.read(raw, *signs, interpreted=True)
    for _ in range(6):
        for quick in (rules.read_text("".join(f"{each}~" for each in raw), *signs, "~"), rules.read(raw, *signs)):
            assert (quick.document, quick.places, quick.findings) == (slow.document, slow.places, slow.findings)


def test_a_watch_that_runs_into_the_void_begins_again():
    known = maps().get("x12", "850", "004010")
    watch = traces.Watch(Map(known.spec, known.sha256)._reader, "*", ">", "~")
    watch.missed(traces.WATCHED + traces.AGAIN)
    assert watch.left == -traces.AGAIN
    watch.missed(1)
    assert watch.left == traces.WATCHED


def test_a_last_segment_without_its_end_gets_one():
    assert (own_text("A*1~B*2", "~"), own_text("A*1~\nB*2", "~"), own_text("", "~")) == ("A*1~B*2~", "A*1~B*2~", "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            (
                "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*U*00401*000000001*0*P*>~"
                "GS*FA*A*B*20260101*1200*1*X*004010~ST*997*0001~AK1*PO*1~AK2*850*0007~AK5*R*5~SE*5*0001~GE*1*1~IEA*1*000000001~"
            ),
            [("rejected", "850 0007"), ("5", None)],
        ),
        (
            "UNB+UNOC:3+A+B+260302:1200+1'UNH+1+CONTRL:D:3:UN'UCM+1+ORDERS:D:96A:UN+4+12'UNT+3+1'UNZ+1+1'",
            [("rejected", "ORDERS 1"), ("12", None)],
        ),
    ],
    ids=["997 without AK9", "CONTRL without UCI"],
)
def test_an_acknowledgement_that_does_not_come_to_its_whole_says_what_it_says_of_messages(data, said):
    (message,) = read(data.encode(), maps())
    document = document_of(message)
    assert [(each["code"], each.get("place")) for each in document["judgements"]] == said
    assert "response" not in document
    assert "subject" not in document


@pytest.mark.parametrize(
    ("parse", "text", "why"),
    [
        (parse_head, "", "not a node: ''"),
        (parse_head, "FTX[", "not a node: 'FTX['"),
        (parse_binding, "04.1-05.5 text", "04.1-05.5 is no row of components"),
        (parse_binding, "04.5-04.1 text", "04.5-04.1 is no row of components"),
    ],
)
def test_what_no_map_can_say_is_named(parse, text, why):
    with pytest.raises(MapError, match=re.escape(why)):
        parse(text)


def test_an_object_with_nothing_in_it_makes_no_loop():
    before, after = (
        "- loop AMT[01=TT]:\n  - AMT: 02? total = decimal",
        "- loop AMT[01=TT] -> delivery_terms:\n  - AMT: 03 place",
    )
    store, _ = changed("x12/004010/850.yaml", before, after)
    rules = store.get(*X12)
    written = {
        place: [each[:3] for each in rules.write({"number": "PO-1", "delivery_terms": terms}, "*", ">")]
        for place, terms in (("none", {}), ("FOB", {"place": "FOB"}))
    }
    assert "AMT" not in written["none"]
    assert "AMT" in written["FOB"]
