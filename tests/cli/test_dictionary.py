"""``dictionary import``: a folder of the user's own tables, written in our notation and compared with ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tradehub.cli import main

TABLES = {
    "elements.csv": (
        "element,type,min,max,name\n353,ID,2,2,purpose\n92,ID,2,2,type\n324,AN,1,30,number\n"
        "328,AN,1,30,release\n373,DT,8,8,date\n"
    ),
    "segments.csv": (
        "segment,position,ref,usage,repeat,name,conditions\nBEG,0,,,,beginning,\nBEG,1,353,M,,,\n"
        "BEG,2,92,M,,,\nBEG,3,324,O,,,\n"
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name, text in TABLES.items():
        (folder / name).write_text(text)
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["dictionary", "import", *(str(each) for each in words)])


def test_tables_are_written_and_compared(source: Path, tmp_path: Path):
    result = run("x12:004010", source, "--into", tmp_path / "out")
    assert result.exit_code == 1
    assert "length: 324: 1/30 in the tables, 1/22 in ours" in result.output
    assert "usage: BEG03: O in the tables, M in ours" in result.output
    assert "element: BEG04: nothing in the tables, 328 in ours" in result.output
    assert "5 elements, 0 composites, 1 segments, 0 messages, 0 code lists; 0 faults" in result.output
    assert "  BEG: 353 M, 92 M, 324 O  # beginning\n" in (tmp_path / "out/segments.yaml").read_text()


def test_the_report_in_json(source: Path, tmp_path: Path):
    result = run("x12:004010", source, "--into", tmp_path / "out", "--json")
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert {"kind": "usage", "place": "BEG03", "theirs": "O", "ours": "M"} in lines


def test_a_fault_of_the_tables_is_said(source: Path, tmp_path: Path):
    (source / "codes.csv").write_text("element,code\n353,\n")
    result = run("x12:004010", source, "--into", tmp_path / "out")
    assert (result.exit_code, "fault: codes.csv:2: 353: '' is no code" in result.output) == (1, True)


@pytest.mark.parametrize("release", ["x12", "ubl:2.1", "x12:../.."])
def test_what_is_no_release_is_refused(release: str, source: Path, tmp_path: Path):
    assert run(release, source, "--into", tmp_path / "out").exit_code == 2


def test_a_folder_without_tables_is_refused(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    result = run("edifact:D96A", tmp_path / "empty", "--into", tmp_path / "out")
    assert (result.exit_code, "holds no tables of edifact" in result.output) == (2, True)
