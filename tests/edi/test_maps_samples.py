"""P2 on other people's files: read without an exception, written again to the same text, judged as a person would.

The figures are those of docs/corpus.md.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import corpus
from benchmarks.corpus import LEAST, Row, is_same, percent, rows_of, shared, sums, values
from tradehub import edi
from tradehub.edi.maps import MapStore
from tradehub.platform.resources import read_text

PAGE = Path(__file__).parents[2] / "docs" / "corpus.md"
NOT_BYTE_FOR_BYTE: dict[str, str] = {}
"""Files that do not come back as they came, each with the reason: at present there is none."""
GOOD_THOUGH_MARKED = {
    "po-ack-rejected": "an acknowledgment that says \"rejected\" is itself a good message",
    "DIS20_ERROR_ENC0": "the name of its character set is wrong, which is passed over; MEDDIS has no map",
    "DIS20_ERROR_XSL": "wrong by MedCom's rules for MEDDIS, which has no map",
    "DIS91_ERROR_XSL": "the same",
    "Example_ErrorWithoutBenefitInfo": "271 has no map; the file is right as far as syntax goes",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    try:
        folder = shared()
    except FileNotFoundError:
        pytest.skip("no samples: set TRADEHUB_SHARED to the folder that holds samples/edi")
    return list(rows_of(folder, MapStore(read_text)))


def test_nearly_every_file_keeps_every_value(rows: list[Row]):
    assert len(rows) == 313
    assert {row.file: row.lost for row in rows if row.is_ours and row.lost} == {}
    assert percent(rows) >= LEAST == 98


def test_every_file_is_written_back_byte_for_byte_but_for_those_with_a_reason(rows: list[Row]):
    assert {row.file for row in rows if not row.lossless} == set(NOT_BYTE_FOR_BYTE)


def test_every_file_of_a_message_with_a_map_has_a_verdict_with_its_reasons(rows: list[Row]):
    for row in rows:
        assert row.verdict in {"accepted", "accepted with warnings", "syntax only", "rejected"}, row.file
        assert (row.verdict in {"accepted", "syntax only"}) or re.match("(envelope )?(error|warning) at ", row.first)


def test_files_that_are_marked_invalid_are_rejected(rows: list[Row]):
    good = [row.file for row in rows if row.said == "invalid" and row.verdict != "rejected"]
    assert [each for each in good if not any(name in each for name in GOOD_THOUGH_MARKED)] == []


def test_the_page_of_the_corpus_says_what_is_measured(rows: list[Row]):
    """The sums, and a line for each file of a message with a map that is rejected or warned, with its first issue."""
    page = PAGE.read_text(encoding="utf-8")
    assert "\n".join(sums(rows)) in page
    listed = dict(re.findall(r"^\| `([^`]+)` \| [^|]* \| ([^|]*) \|", page, re.MULTILINE))
    wanted = {row.file: row.first.replace("|", "/") for row in rows if row.is_ours and row.first}
    assert listed == wanted


# the measure itself

EDIFACT = edi.Interchange("edifact", delimiters=edi.Delimiters("+", ":", "'", "?"))


@pytest.mark.parametrize(
    ("data", "written", "same"),
    [
        (b"UNB+A'UNZ+1'", b"UNB+A'UNZ+1'", True),
        (b"\xef\xbb\xbf  UNB+A'\r\n  UNZ+1'\n", b"UNB+A'UNZ+1'", True),
        (b"UNB+A'UNZ+1", b"UNB+A'UNZ+1'", True),
        (b"UNB+A B'", b"UNB+A B'", True),
        (b"UNB+A\n  B'", b"UNB+A  B'", True),
        (b"UNB+A B'", b"UNB+AB'", False),
        (b"UNB+AB'", b"UNB+A B'", False),
        (b"UNB+A'", b"UNB+A'UNZ+1'", False),
        (b"UNB+A'UNZ+1'", b"UNB+A'", False),
        (b"UNB+A'", b"UNB+B'", False),
        (b"UNB+A''", b"UNB+A'", False),
    ],
)
def test_a_file_is_the_same_but_for_its_lines(data, written, same):
    assert is_same(data, written, EDIFACT) is same


def test_values_stand_between_separators():
    assert values(b"\xef\xbb\xbfUNB+A:5?+6++A'\n UNZ+1\n2'", EDIFACT) == Counter(
        {b"UNB": 1, b"A": 2, b"5?+6": 1, b"UNZ": 1, b"12": 1}
    )


def test_a_value_that_is_not_written_again_is_lost(monkeypatch, tmp_path, capsys):
    """... and the command fails, for fewer than 98 of 100 files keep theirs."""
    folder = tmp_path / "samples" / "edi"
    folder.mkdir(parents=True)
    (folder / "manifest.tsv").write_text("file\tstandard\nx.edi\tEDIFACT\tD.96A\tORDERS\t\t\tno\n")
    (folder / "x.edi").write_bytes(b"UNA:+.? 'UNB+UNOA:1+A+B+240301:1200+1'UNZ+0+1'")
    monkeypatch.setenv("TRADEHUB_SHARED", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["corpus.py"])
    assert corpus.main() == 0
    monkeypatch.setattr(edi, "write_back", lambda *_, **__: b"UNA:+.? 'UNB+UNOA:1+A+B+240301:1200'UNZ+1'")
    assert corpus.main() == 1
    assert "2 LOST" in capsys.readouterr().out
