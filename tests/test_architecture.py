"""The walls of the house stand, and every room can be entered."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tradehub

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = sorted(each.name for each in pkgutil.walk_packages(tradehub.__path__, "tradehub."))
NOT_IMPORTABLE = re.compile(r"__main__|\.migrations\.(env|versions\.)")
"""Run as a script, or by Alembic."""

CLOCKS = """\
import datetime as d
from datetime import datetime
import uuid
import random
d.datetime.now()
datetime.now()
"""


def in_folder(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)


@pytest.mark.parametrize("name", [each for each in MODULES if not NOT_IMPORTABLE.search(each)])
def test_every_module_can_be_imported(name: str) -> None:
    importlib.import_module(name)


def test_nobody_imports_against_the_contracts() -> None:
    done = in_folder(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert done.returncode == 0, done.stdout


def test_the_contracts_know_every_folder() -> None:
    """A new folder has to be given its place in the house."""
    (house,) = [each for each in PYPROJECT["tool"]["importlinter"]["contracts"] if each["id"] == "house"]
    placed = {name.strip(" ()") for layer in house["layers"] for name in layer.split("|")} | set(
        house["exhaustive_ignores"]
    )
    assert {each.split(".")[1] for each in MODULES} <= placed


def test_time_and_chance_are_asked_for_in_two_places_alone() -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    done = in_folder(
        ruff, "check", "--quiet", "--select", "TID251", "--output-format", "concise", "tradehub", "wsgi.py"
    )
    assert done.returncode == 0, done.stdout


def test_the_ban_on_time_and_chance_bites() -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    arguments = [
        "check",
        "--quiet",
        "--select",
        "TID251",
        "--output-format",
        "concise",
        "--stdin-filename",
        "tradehub/web/x.py",
        "-",
    ]
    done = subprocess.run([ruff, *arguments], input=CLOCKS, cwd=ROOT, capture_output=True, text=True, check=False)
    assert {int(line.split(":")[1]) for line in done.stdout.splitlines()} == {3, 4, 5, 6}


def test_a_catch_all_stands_in_the_job_runner_alone() -> None:
    catching = re.compile(r"^\s*except (Exception|BaseException)\b|^\s*except:", re.MULTILINE)
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tradehub").rglob("*.py")
        if catching.search(path.read_text(encoding="utf-8"))
    }
    assert found <= {"tradehub/platform/jobs.py"}


def test_no_text_names_a_path_of_somebodys_machine() -> None:
    machine = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/")
    for path in [*(ROOT / "tradehub").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]:
        if path != Path(__file__):
            assert not machine.search(path.read_text(encoding="utf-8")), path
