"""``split``: many messages in a file, each in an interchange of its own; ``convert --most``: the other way about."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.edi.engine import maps
from tradehub.cli import main
from tradehub.edi import ReadMessage, read

ISA = "ISA*00*          *00*          *ZZ*HAIDITRADING   *ZZ*NINGBOVALVES   *261123*0900*U*00401*{0:09}*0*P*>~"
BODY = "BEG*00*SA*PO-{0}**20261123~N1*BY*Haidi Trading*UL*6901234000016~PO1*1*24*EA*12.05**BP*V-22~CTT*1~"


def order(number: int) -> str:
    return f"ST*850*{number:04}~{BODY.format(number)}SE*6*{number:04}~"


X12 = (
    ISA.format(1) + "GS*PO*HAIDI*NINGBO*20261123*0900*7*X*004010~" + order(1) + order(2) + "GE*2*7~"
    "GS*PO*HAIDI*NINGBO*20261123*0900*8*X*004010~" + order(3) + "GE*1*8~IEA*2*000000001~"
    + ISA.format(2) + "GS*PO*HAIDI*NINGBO*20261123*0900*9*X*004010~" + order(4) + "GE*1*9~IEA*1*000000002~"
)  # fmt: skip
LINES = (
    "BGM+220+PO-{0}+9'DTM+137:20261123:102'FTX+AAI+++It?'s Ningbo?+Rhein, n°{0}'NAD+BY+6901234000016::9'LIN+1++4711:EN'"
    "QTY+21:24'UNS+S'"
)
EDIFACT = (
    "UNA:+.? 'UNB+UNOC:3+HAIDI+RHEIN+261123:0900+REF1'"
    + "".join(f"UNH+{number}+ORDERS:D:96A:UN'{LINES.format(number)}UNT+9+{number}'" for number in (1, 2))
    + "UNZ+2+REF1'"
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in words])


def messages(payload: bytes) -> list[ReadMessage]:
    reading = read(payload, maps())
    found = list(reading)
    assert reading.accepted, [issue for each in reading.interchanges for issue in each.issues]
    return found


@pytest.mark.parametrize(("text", "count"), [(X12, 4), (EDIFACT, 2)], ids=["x12", "edifact"])
def test_each_message_becomes_a_valid_interchange_with_its_own_references(tmp_path: Path, text: str, count: int):
    payload = text.encode("iso8859-1")
    (tmp_path / "whole.edi").write_bytes(payload)
    result = run("split", tmp_path / "whole.edi", "--into", tmp_path / "parts")
    assert result.exit_code == 0, result.output
    parts = [messages(path.read_bytes()) for path in sorted((tmp_path / "parts").iterdir())]
    assert [len(each) for each in parts] == [1] * count
    whole = messages(payload)
    told = [
        (each.raw, each.control_number, each.group.control_number, each.interchange.control_number, each.issues)
        for each in whole
    ]
    assert told == [
        (each.raw, each.control_number, each.group.control_number, each.interchange.control_number, each.issues)
        for (each,) in parts
    ]
    assert all(not issue.is_error for (each,) in parts for issue in each.issues)


def test_a_missing_trailer_is_made(tmp_path: Path):
    (tmp_path / "whole.edi").write_text(X12[: X12.index("GE*2*7")])
    run("split", tmp_path / "whole.edi", "--into", tmp_path / "parts")
    parts = sorted((tmp_path / "parts").iterdir())
    assert [path.name for path in parts] == ["whole-00001-850-0001.edi", "whole-00002-850-0002.edi"]
    assert parts[1].read_text().endswith("SE*6*0002~GE*1*7~IEA*1*000000001~")


@pytest.mark.parametrize(
    ("text", "said"), [("Dear supplier", "neither X12 nor EDIFACT"), (ISA.format(1), "holds no message")]
)
def test_a_file_without_messages_is_unusable(tmp_path: Path, text: str, said: str):
    (tmp_path / "whole.edi").write_text(text)
    result = run("split", tmp_path / "whole.edi", "--into", tmp_path / "parts")
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_files_that_are_there_are_not_written_over(tmp_path: Path):
    (tmp_path / "whole.edi").write_text(X12)
    words = ("split", tmp_path / "whole.edi", "--into", tmp_path / "parts")
    assert [run(*words).exit_code, run(*words).exit_code, run(*words, "--force").exit_code] == [0, 2, 0]


@pytest.mark.parametrize(
    ("most", "sizes"), [(1, [1, 1, 1, 1]), (3, [3, 1]), (4, [4])], ids=["one each", "three at most", "all in one"]
)
@pytest.mark.parametrize("target", ["x12:850:004010", "edifact:ORDERS:D96A"])
def test_many_messages_are_written_in_interchanges_of_a_limited_size(
    tmp_path: Path, target: str, most: int, sizes: list[int]
):
    (tmp_path / "whole.edi").write_text(X12)
    out = tmp_path / "out.edi"
    result = run("convert", tmp_path / "whole.edi", "--to", target, "--most", most, "-o", out)
    assert result.exit_code == 0, result.output
    found = messages(out.read_bytes())
    assert [(each.document or {})["number"] for each in found] == ["PO-1", "PO-2", "PO-3", "PO-4"]
    held = [each.interchange.control_number.lstrip("0") for each in found]
    assert [held.count(str(number)) for number in range(1, len(sizes) + 1)] == sizes
    assert len({each.control_number for each in found}) == 4


def test_without_a_limit_all_messages_are_in_one_interchange(tmp_path: Path):
    (tmp_path / "whole.edi").write_text(X12)
    result = run("convert", tmp_path / "whole.edi", "--to", "x12:850:004010", "-o", tmp_path / "out.edi")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out.edi").read_bytes().count(b"ISA*") == 1


def test_a_limit_is_at_least_one(tmp_path: Path):
    (tmp_path / "whole.edi").write_text(X12)
    assert run("convert", tmp_path / "whole.edi", "--to", "x12:850:004010", "--most", 0).exit_code == 2
