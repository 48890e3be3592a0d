"""``tradehub partners`` as one types it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import databases
from tests.partners.test_profiles import ACME
from tradehub.cli.partners import partners
from tradehub.platform import resources
from tradehub.platform.db import Database


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRADEHUB_DATABASE_URL", f"sqlite:///{tmp_path / 'tradehub.db'}")
    monkeypatch.setenv("TRADEHUB_DATA_DIR", str(tmp_path))
    database = Database(f"sqlite:///{tmp_path / 'tradehub.db'}")
    databases.make_whole(database)
    database.dispose()
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    haidi = (resources.folder("partners") / "haidi.yaml").read_text(encoding="utf-8")
    (profiles / "haidi.yaml").write_text(haidi, encoding="utf-8")
    (profiles / "acme.yaml").write_text(ACME, encoding="utf-8")
    return profiles


def run(*words: str | Path) -> tuple[int, list[str]]:
    result = CliRunner().invoke(partners, [str(word) for word in words])
    return result.exit_code, result.output.splitlines()


def test_check_plan_apply_and_export_go_together(folder: Path) -> None:
    assert run("check", "--folder", folder) == (0, [])
    assert run("plan", "--folder", folder) == (0, ["+ acme: add", "+ haidi: add"])
    assert run("apply", "--folder", folder) == (0, ["+ acme: add", "+ haidi: add"])
    assert run("plan", "--folder", folder) == (0, ["= acme: keep", "= haidi: keep"])
    (folder / "acme.yaml").write_text(ACME.replace("name: Acme", "name: Acme Two"), encoding="utf-8")
    assert run("plan", "--folder", folder)[1][:2] == ["~ acme: change", "    name: Acme -> Acme Two"]
    (folder / "acme.yaml").unlink()
    assert run("apply", "--folder", folder)[1][0] == "- acme: suspend"
    code, lines = run("export", "acme")
    assert code == 0
    assert "status: suspended" in lines


def test_a_fault_stops_everything_and_says_where(folder: Path) -> None:
    (folder / "acme.yaml").write_text(ACME.replace("x12:850:004010", "x12:837:004010"), encoding="utf-8")
    for command in ("check", "plan", "apply"):
        code, lines = run(command, "--folder", folder)
        assert (code, lines[0]) == (
            1, "error: acme.yaml: agreements[1].message: there is no map for x12:837:004010 [unknown-map]",
        )  # fmt: skip
    assert run("export", "acme")[0] == 2  # there is no such partner: unusable
