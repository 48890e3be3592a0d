"""A partner's guide in its profile: held to the map that it patches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.partners.test_cli import folder, run
from tests.partners.test_profiles import ACME
from tradehub.partners import files
from tradehub.partners.profile import Profile

__all__ = ["folder"]

SOUND = """\
guides:
  acme-850:
    of: x12/004010/850
    require: [PO1.05]
    close: {BEG.02: SA NE}
    rename: {party: {VX: SE}}
    add: {PO1: [ZZZ O 1]}
    segments: {ZZZ: "127 M"}
    bind: {PO1.ZZZ: 01 packaging}
"""
GUIDED = ACME.replace('"x12:850:004010", channel', '"x12:850:004010", guide: acme-850, channel') + SOUND


def test_a_guide_that_fits_its_map_has_no_fault(folder: Path) -> None:
    (folder / "acme.yaml").write_text(GUIDED, encoding="utf-8")
    assert run("check", "--folder", folder) == (0, [])
    profile, _ = files.read("acme", GUIDED.encode())
    assert profile is not None
    assert files.read("acme", files.write(profile).encode()) == (profile, ())


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("[PO1.05]", "[PO1.05, PO1.77]", "guides.acme-850.require[2]: PO1 has no element 77; it has 25 [guide-does-not-fit]"),
        ("[PO1.05]", "[ABC]", "guides.acme-850.require[1]: there is no ABC in the message [guide-does-not-fit]"),
        ("VX: SE", "VX: Q1", "guides.acme-850.rename.party.VX: table party has no code Q1 [guide-does-not-fit]"),
        ("{PO1: [ZZZ", "{PO9: [ZZZ", "guides.acme-850.add.PO9.0: there is no loop PO9 here; there are "),
        ("01 packaging", "01 no_such_field", "guides.acme-850.bind.PO1.ZZZ: "),
        ("BEG.02: SA NE", "BEG.92: SA NE", "guides.acme-850.close.BEG.92: BEG has no element 92; it has 12 [guide-does-not-fit]"),
        ("004010/850", "004010/855", "guides.acme-850.of: is for x12/004010/855, not for x12/004010/850 [guide-does-not-fit]"),
        ("guide: acme-850", "guide: acme-9", "agreements[1].guide: there is no guide acme-9 in this profile [unknown-guide]"),
        ("    require", "    charset: UNOC\n    require", "guides.acme-850.charset: "),
        ("    require: [PO1.05]", "    limit: {REF: many}", "guides.acme-850.limit.REF: must be a whole number from 1, not 'many'"),
    ],
)  # fmt: skip
def test_a_guide_that_does_not_fit_is_refused_with_its_place(folder: Path, old: str, new: str, found: str) -> None:
    assert old in GUIDED
    (folder / "acme.yaml").write_text(GUIDED.replace(old, new), encoding="utf-8")
    code, lines = run("check", "--folder", folder)
    assert code == 1
    assert lines[0].startswith(f"error: acme.yaml: {found}")


GUIDE_FILE = "of: x12/004010/850\nrequire: [PO1.05]\n"


def beside(folder: Path, text: str, profile: str) -> tuple[Profile | None, list[str]]:
    path = folder / "acme" / "guides" / "x12-850-004010.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (folder / "acme.yaml").write_text(profile)
    read = files.read_folder(folder)
    found = [f"{each.place} [{each.rule}]" for each in read.findings]
    return read.profiles.get("acme"), found


NAMED = ACME.replace('"x12:850:004010", channel', '"x12:850:004010", guide: x12-850-004010, channel')


def test_a_guide_in_a_file_beside_the_profile_stands_as_if_in_it(tmp_path: Path) -> None:
    profile, found = beside(tmp_path, GUIDE_FILE, NAMED)
    assert (profile is not None and profile.guides["x12-850-004010"].require, found) == (["PO1.05"], [])


def test_a_changed_guide_is_a_changed_profile(tmp_path: Path) -> None:
    beside(tmp_path, GUIDE_FILE, NAMED)
    before = files.read_folder(tmp_path).incoming["acme"].file_sha256
    (tmp_path / "acme/guides/x12-850-004010.yaml").write_text(GUIDE_FILE.replace("05", "06"))
    assert files.read_folder(tmp_path).incoming["acme"].file_sha256 != before


@pytest.mark.parametrize(
    ("text", "profile", "found"),
    [
        ("of: [\n", NAMED, "guides/x12-850-004010.yaml line 2 [not-yaml]"),
        ("requires: [REF]\n", NAMED, "guides.x12-850-004010.requires [schema-extra_forbidden]"),
        (GUIDE_FILE, NAMED + "guides: {x12-850-004010: {require: [REF]}}\n", "guides.x12-850-004010 [guide-twice]"),
    ],
)
def test_a_guide_in_a_file_that_cannot_be_used_is_found(tmp_path: Path, text: str, profile: str, found: str) -> None:
    assert beside(tmp_path, text, profile) == (None, [found])
