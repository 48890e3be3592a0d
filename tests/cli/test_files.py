"""``check``, ``convert`` and ``maps``: what a user sees, and the exit status that a script reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tradehub.cli import COMMANDS, main

X12 = (
    "ISA*00*          *00*          *ZZ*HAIDITRADING   *ZZ*NINGBOVALVES   *261123*0900*U*00401*000000001*0*P*>~\n"
    "GS*PO*HAIDITRADING*NINGBOVALVES*20261123*0900*1*X*004010~\n"
    "ST*850*0001~\n"
    "BEG*00*SA*PO-1**{day}~\n"
    "CUR*BY*USD~\n"
    "N1*BY*Haidi Trading*UL*6901234000016~\n"
    "PO1*1*24*{unit}*12.05**BP*V-22~\n"
    "CTT*1~\n"
    "SE*7*0001~\n"
    "GE*1*1~\n"
    "IEA*1*000000001~\n"
)
ORDER = X12.format(day="20261123", unit="EA")
BAD_DAY = X12.format(day="20261399", unit="EA")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.edi"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (ORDER, 0, "accepted"),
        (BAD_DAY, 1, "BEG*00*SA*PO-1**20261399"),
        (ORDER.replace("SE*7", "SE*9"), 1, "SE"),
        (ORDER.replace("ST*850", "ST*204"), 3, "syntax only"),
        (ORDER.replace("ST*850", "ST*204").replace("SE*7", "SE*9"), 1, "rejected"),
        ("Dear supplier, please send 24 valves.", 2, "unusable"),
        ("", 2, "unusable"),
    ],
    ids=["sound", "no such day", "wrong count", "no map", "no map and wrong count", "a letter", "empty"],
)
def test_check_says_what_is_wrong_and_exits_accordingly(file: Path, text: str, status: int, said: str) -> None:
    file.write_text(text)
    result = run("check", file)
    assert (result.exit_code, said in result.output) == (status, True), result.output


def test_check_points_at_the_element(file: Path) -> None:
    file.write_text(BAD_DAY)
    lines = run("check", file).output.splitlines()
    raw = next(number for number, line in enumerate(lines) if "BEG*00" in line)
    assert lines[raw + 1].index("^") == lines[raw].index("20261399")


def test_check_says_the_place_and_the_code_of_each_fault(file: Path) -> None:
    """... once: the words, the segment, and under it where and by which code an acknowledgement says it."""
    file.write_text(BAD_DAY.replace("PO1*1*24*EA", "PO1*1*24*").replace("N1*BY*Haidi Trading*UL*6901234000016~\n", ""))
    output = run("check", file).output
    assert "    error: '20261399' is a day that does not exist\n      BEG*00*SA*PO-1**20261399\n" in output
    assert "^ segment 2 (BEG05), AK403 8\n" in output
    assert "error: SE says 7, there are 6 segments\n      SE*7*0001\n         ^ segment 6 (SE01)\n" in output


def test_check_shows_what_is_missing_before_which_segment(file: Path) -> None:
    file.write_text(ORDER.replace("BEG*00*SA*PO-1**20261123~\n", "").replace("SE*7", "SE*6"))
    assert (
        "error: BEG is missing\n      CUR*BY*USD\n      ^ segment 2 (BEG), before this, AK304 3"
        in run("check", file).output
    )


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("IEA*1*000000001", "IEA*1*000000002", "          ^ IEA02\n  850 004010 PO-1: rejected with its envelope\n"),
        ("GE*1*1", "GE*1*2", "  error: GE ends 2, GS began 1\n    GE*1*2\n         ^ GE02\n"),
        ("*U*00401*", "*U*00402*", "  warning: 'U' is no repetition separator, which ISA11 holds since version 00402\n"),
        ("GE*1*1~\n", "GE*1*1~\nNTE*1~\n", "  warning: NTE: NTE stands outside of any message [NTE*1]\n"),
        ("ISA*", "\ufeffISA*", "  note: a byte order mark before the interchange: passed over\n"),
        ("ISA*", "From: Haidi\nISA*", "  note: 'From: Haidi' before the interchange: passed over\n"),
        ("ISA*", "\n ISA*", "  note: blanks before the interchange: passed over\n"),
    ],
)  # fmt: skip
def test_check_points_into_the_envelope(file: Path, good: str, bad: str, said: str) -> None:
    file.write_text(ORDER.replace(good, bad), encoding="utf-8")
    assert said in run("check", file).output


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        ("PO1*1**EA*12.05**BP*V-22", "with 03, 02 is needed too (C0302)"),
        ("PO1*1*24*EA*12.05**BP", "06 and 07 go together: with one of them, each is needed (P0607)"),
        ("PO1*1*24*EA~N1*ST", "02 or 03 is needed (R0203)"),
        ("PO1*1*24*EA~QTY*01*5*EA*X", "02 and 04 exclude each other (E0204) [X]"),
        ("ITD*01*3*2", "with 03, 04 or 05 or 13 is needed too (L03040513)"),
    ],
)
def test_check_says_a_broken_condition_in_words(file: Path, segment: str, said: str) -> None:
    old = "PO1*1*24*EA*12.05**BP*V-22" if segment.startswith("PO1") else "CUR*BY*USD"
    file.write_text(ORDER.replace(old, segment))
    assert f": {said}\n" in run("check", file).output


def test_check_as_json_places_and_codes_each_issue(file: Path) -> None:
    file.write_text(BAD_DAY)
    result = run("check", "--json", file)
    (issue,) = json.loads(result.output)["messages"][0]["issues"]
    assert result.exit_code == 1
    assert (issue["at"]["tag"], issue["at"]["segment"], issue["at"]["element"]) == ("BEG", 2, 5)
    assert (issue["value"], issue["ak4"], issue["severity"]) == ("20261399", "8", "error")


def test_check_of_several_files_exits_with_the_worst(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.edi", tmp_path / "bad.edi"
    good.write_text(ORDER)
    bad.write_text(BAD_DAY)
    assert run("check", good, bad).exit_code == 1
    assert run("check", good, tmp_path / "absent.edi").exit_code == 2
    unknown = tmp_path / "unknown.edi"
    unknown.write_text(ORDER.replace("ST*850", "ST*204"))
    assert run("check", good, unknown).exit_code == 3
    assert run("check", unknown, bad).exit_code == 1


def test_pyx12_is_a_second_judge(file: Path) -> None:
    file.write_text(ORDER)
    assert "pyx12 says accepted" in run("check", "--engine", "pyx12", file).output
    file.write_text(BAD_DAY)
    assert "pyx12 says rejected" in run("check", "--engine", "pyx12", file).output


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        ("edifact:ORDERS:D96A", "BGM+220+PO-1+9'"),
        ("ubl:Order:2.1", "<cbc:ID>PO-1</cbc:ID>"),
        ("x12:850:004010", "BEG*00*SA*PO-1**20261123"),
        ("tradacoms:ORDERS:9", "ORD=PO-1::261123'"),
        ("json", '"number": "PO-1"'),
    ],
)
def test_convert_carries_the_order_over(file: Path, tmp_path: Path, target: str, holds: str) -> None:
    file.write_text(ORDER)
    result = run("convert", file, "--to", target, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert holds in (tmp_path / "out").read_text()


@pytest.mark.parametrize("target", ["edifact:ORDERS:D96A", "ubl:Order:2.1"])
def test_what_was_converted_is_accepted(file: Path, tmp_path: Path, target: str) -> None:
    file.write_text(ORDER)
    assert run("convert", file, "--to", target, "-o", tmp_path / "out").exit_code == 0
    assert run("check", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        ("edifact:ORDERS:D96A", "BGM+220+PO-1+9'"),
        ("x12:850:004010", "BEG*00*SA*PO-1**20261123"),
        ("ubl:Order:2.1", "<cbc:ID>PO-1</cbc:ID>"),
        ("json", '"number": "PO-1"'),
    ],
)
def test_an_order_in_xml_is_carried_over_as_well(file: Path, tmp_path: Path, target: str, holds: str) -> None:
    file.write_text(ORDER)
    run("convert", file, "--to", "ubl:Order:2.1", "-o", tmp_path / "order.xml")
    result = run("convert", tmp_path / "order.xml", "--to", target, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert holds in (tmp_path / "out").read_text()


LONG = (
    "Please send the gate valves on pallets of the railways, wrapped, with the papers on the first of them, not inside"
)


@pytest.mark.parametrize(
    ("was", "becomes", "holds", "lost"),
    [
        ("<cbc:DocumentCurrencyCode", f"<cbc:Note>{LONG}</cbc:Note><cbc:DocumentCurrencyCode", "MSG*Please send the gate valves", ""),
        ("Ningbo</cbc:CityName>", "Ningbo</cbc:CityName><cbc:CountrySubentity>Zhejiang</cbc:CountrySubentity>", "N4*Ningbo~", "Zhejiang"),
        ('schemeID="0088"', "", "N1*BY*Haidi Trading~", "6901234000016"),
        ('unitCode="EA"', 'unitCode="ZZ"', "PO1*1*24*ZZ*12.05", ""),
        ('unitCode="EA"', 'unitCode="A48"', "PO1*1*24*ZZ*12.05", "A48"),
        (' unitCode="EA"', "", "PO1*1*24**12.05", ""),
    ],
    ids=["a long note", "a region that is no code", "a number without its giver", "any unit", "no such unit", "no unit"],
)  # fmt: skip
def test_what_does_not_fit_the_other_standard_is_left_out_and_said(
    file: Path, tmp_path: Path, was: str, becomes: str, holds: str, lost: str
) -> None:
    file.write_text(ORDER.replace("*6901234000016~\n", "*6901234000016~\nN4*Ningbo~\n").replace("SE*7", "SE*8"))
    run("convert", file, "--to", "ubl:Order:2.1", "-o", tmp_path / "order.xml")
    text = (tmp_path / "order.xml").read_text()
    assert was in text
    (tmp_path / "order.xml").write_text(text.replace(was, becomes))
    result = run("convert", tmp_path / "order.xml", "--to", "x12:850:004010", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert (holds in (tmp_path / "out").read_text(), lost in result.output) == (True, True), (
        tmp_path / "out"
    ).read_text()
    result = run("check", tmp_path / "out")
    assert result.exit_code == 0, result.output


ACKNOWLEDGED = """ISA*00*          *00*          *ZZ*NINGBOVALVES   *ZZ*HAIDITRADING   *261125*0900*U*00401*000000007*0*P*>~
GS*PR*NINGBOVALVES*HAIDITRADING*20261125*0900*7*X*004010~
ST*855*0001~
BAK*00*AC*PO-1*20261123~
PO1*1*24*EA*12.05**BP*V-22~
ACK*IA*24*EA~
CTT*1~
SE*6*0001~
GE*1*7~
IEA*1*000000007~
"""
DESPATCHED = """UNB+UNOC:3+NINGBO+HAIDI+261201:0900+7'
UNH+1+DESADV:D:96A:UN'
BGM+351+LS-9+9'
DTM+137:20261201:102'
RFF+ON:PO-1'
CPS+1'
PAC+1++CT'
PCI+33E'
GIN+BJ+340123450000000012'
LIN+1++4012345678901:EN'
QTY+12:24:PCE'
UNT+11+1'
UNZ+1+7'
"""


@pytest.mark.parametrize(
    ("text", "target", "holds"),
    [
        (ACKNOWLEDGED, "OrderResponse", ("<cbc:ID>PO-1</cbc:ID>", "<cbc:IssueDate>2026-11-25</cbc:IssueDate>")),
        (DESPATCHED, "DespatchAdvice", ("<cbc:TraceID>340123450000000012<", "<cbc:LineID>NA</cbc:LineID>")),
    ],
)
def test_what_ubl_demands_and_the_other_standard_leaves_to_its_envelope_is_there(
    file: Path, tmp_path: Path, text: str, target: str, holds: tuple[str, ...]
) -> None:
    file.write_text(text)
    result = run("convert", file, "--to", f"ubl:{target}:2.1", "-o", tmp_path / "out")
    assert (result.exit_code, "not carried: number" in result.output) == (0, False), result.output
    assert [each for each in holds if each not in (tmp_path / "out").read_text()] == []
    result = run("check", tmp_path / "out")
    assert result.exit_code == 0, result.output


def test_check_shows_the_line_of_an_xml_message_that_is_at_fault(file: Path, tmp_path: Path) -> None:
    file.write_text(ORDER)
    run("convert", file, "--to", "ubl:Order:2.1", "-o", tmp_path / "order.xml")
    text = (tmp_path / "order.xml").read_text().replace("2026-11-23", "2026-11-31")
    (tmp_path / "order.xml").write_text(text)
    lines = run("check", tmp_path / "order.xml").output.splitlines()
    at = next(number for number, line in enumerate(lines) if "2026-11-31" in line and "<" in line)
    assert lines[at].strip() == "<cbc:IssueDate>2026-11-31</cbc:IssueDate>"
    assert lines[at + 1].strip().endswith("(/Order/cbc:IssueDate)")


def test_convert_names_what_the_other_standard_cannot_carry(file: Path, tmp_path: Path) -> None:
    file.write_text(
        ORDER.replace("CTT", "PID*F*08***Gate valve~\nCTT").replace("SE*7", "SE*8").replace("N1*BY", "N1*7X")
    )
    result = run("convert", file, "--to", "edifact:ORDERS:D96A", "-o", tmp_path / "out")
    assert "not carried: parties" in result.output


CONFIRMED = """UNA:+.? '
UNB+UNOC:3+SELLER:ZZ+BUYER:ZZ+261125:1200+8'
UNH+1+ORDRSP:D:96A:UN'
BGM+231+R-7+29'
DTM+137:20261125:102'
RFF+ON:PO-1'
NAD+BY+6901234000016::9'
NAD+SU+6907654000018::9'
CUX+2:USD:9'
LIN+1+3+4012345678901:EN'
QTY+21:120:PCE'
QTY+113:100:PCE'
PRI+AAA:2.5'
UNS+S'
UNT+13+1'
UNZ+1+8'
"""


@pytest.mark.parametrize(
    ("without", "target", "holds", "lost"),
    [
        ("", "x12:855:004010", ("PO1*1*120*PC*2.5", "ACK*IC*100*PC~"), ()),
        ("+3", "x12:855:004010", ("PO1*1*120*PC*2.5", "ACK*IQ*100*PC~"), ()),
        ("", "ubl:OrderResponse:2.1", ('<cbc:Quantity unitCode="H87">100</cbc:Quantity>',), ("quantity.value = 120",)),
    ],
)
def test_what_an_answer_confirms_stands_where_the_other_standard_says_it(
    file: Path, tmp_path: Path, without: str, target: str, holds: tuple[str, ...], lost: tuple[str, ...]
) -> None:
    """Only EDIFACT states it beside what was ordered (QTY 113): who is told 120 and not 100 waits for twenty in vain."""
    file.write_text(CONFIRMED.replace(f"LIN+1{without}+", "LIN+1++" if without else "LIN+1+"))
    result = run("convert", file, "--to", target, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert [each for each in holds if each not in (tmp_path / "out").read_text()] == []
    assert "confirmed" not in result.output
    assert [each for each in lost if each not in result.output] == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--to", "edifact:ORDERS:D96A"], 1),
        (["--to", "edifact:ORDERS:D96A", "--force"], 0),
        (["--to", "edifact:NOSUCH:D96A"], 2),
        (["--to", "edifact:INVOIC:D96A", "--force"], 2),
        (["--to", "orders"], 2),
    ],
)
def test_convert_exits_by_what_became_of_it(file: Path, words: list[str], status: int) -> None:
    file.write_text(BAD_DAY)
    assert run("convert", file, *words).exit_code == status


def test_every_map_is_without_fault() -> None:
    result = run("maps", "lint")
    assert (result.exit_code, result.output.splitlines()[-1].endswith(" 0 faults")) == (0, True), result.output
    assert "x12:850:004010" in run("maps", "list").output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "--help")
    assert (result.exit_code, "Usage:" in result.output) == (0, True)


def test_a_map_is_linted_by_its_name():
    one = run("maps", "lint", "x12:850:004010")
    assert (one.exit_code, one.output) == (0, "1 maps, 0 faults\n")
    assert run("maps", "lint", "x12:899:004010").exit_code == 2
