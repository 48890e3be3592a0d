"""Large files: judged by the chunk, their interchanges side by side, and told of in few lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.messages import edifact_orders, x12_850
from tradehub.cli import files, main
from tradehub.edi.interchanges import spans


def x12_file(count: int, *, twice: bool = False) -> bytes:
    one = x12_850(4000, seed=5)
    numbers = [1 if twice else each for each in range(1, count + 1)]
    return b"\n".join(one.replace(b"000000001", b"%09d" % number) for number in numbers)


def judged(path: Path, *options: str) -> tuple[int, dict]:
    result = CliRunner().invoke(main, ["check", str(path), "--json", *options])
    return result.exit_code, json.loads(result.output)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(files, "LARGE", 1000)
    monkeypatch.setattr(files, "CHUNK", 700)


def test_a_large_file_gets_the_verdict_of_a_small_one(tmp_path, small, monkeypatch):
    path = tmp_path / "a.x12"
    path.write_bytes(x12_file(3).replace(b"BEG*00*SA", b"BEG*00*S", 1))
    by_the_chunk = judged(path)
    monkeypatch.setattr(files, "LARGE", 1 << 30)
    assert by_the_chunk == judged(path)
    assert by_the_chunk[0] == 1


@pytest.mark.parametrize("twice", [False, True])
def test_side_by_side_is_like_one_after_the_other(tmp_path, twice):
    path = tmp_path / "a.x12"
    path.write_bytes(x12_file(3, twice=twice))
    assert judged(path, "--jobs", "2") == judged(path)
    assert judged(path)[0] == (1 if twice else 0)


def test_many_accepted_messages_are_told_in_a_line(tmp_path):
    path = tmp_path / "a.x12"
    path.write_bytes(x12_850(300_000))
    said = CliRunner().invoke(main, ["check", str(path)]).output.splitlines()
    assert len(said) == 2
    assert said[1].endswith(" 850 004010: accepted")


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (x12_file(3), 3),
        (x12_file(3).replace(b"\n", b""), 3),
        (x12_file(2).replace(b"~", b"~\r\n"), 2),
        (edifact_orders(2000) + b"\r\n" + edifact_orders(2000), 2),
        (edifact_orders(2000), 1),
        (b"Dear sirs", 1),
        (b"", 1),
    ],
)
def test_where_interchanges_begin(data, count):
    found = spans(data)
    assert len(found) == count
    assert b"".join(data[start:end] for start, end in found) == data
