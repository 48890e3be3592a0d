"""Profiles as files: read strictly, written so that they read back the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tradehub.partners.guides import guide_files
from tradehub.partners.model import Finding, Incoming
from tradehub.partners.profile import Profile

MAX_BYTES = 512 * 1024
"""A profile is a page or two; anything larger is a mistake, or an attack on the parser."""


@dataclass(frozen=True)
class Profiles:
    """The profiles of a folder by party, and what could not be read."""

    incoming: Mapping[str, Incoming]
    findings: tuple[Finding, ...]

    @property
    def profiles(self) -> dict[str, Profile]:
        return {party: each.profile for party, each in self.incoming.items()}


def read_folder(folder: Path) -> Profiles:
    """Read every ``<id>.yaml``; names that begin with ``_`` are no partners."""
    incoming: dict[str, Incoming] = {}
    findings: list[Finding] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name.startswith("_"):
            continue
        beside = {each.stem: each.read_bytes() for each in guide_files(folder, path.stem)}
        profile, faults = read(path.stem, path.read_bytes(), beside)
        findings += faults
        if profile is not None:
            whole = path.read_bytes() + b"".join(name.encode() + text for name, text in beside.items())
            incoming[profile.id] = Incoming(profile, sha256(whole).hexdigest())
    return Profiles(incoming, tuple(findings))


def read(
    name: str, content: bytes, guides: Mapping[str, bytes] | None = None
) -> tuple[Profile | None, tuple[Finding, ...]]:
    """Read the profile that a file named ``name`` holds. What is wrong is found, never raised.

    ``guides`` are the files beside it, by name; each stands as if it were written under ``guides`` in the profile.
    """
    given, fault = _parsed(name, "", content)
    if fault is not None:
        return None, (fault,)
    for guide, text in (guides or {}).items():
        plain, fault = _parsed(name, f"guides/{guide}.yaml", text)
        own = given.setdefault("guides", {}) if isinstance(given, dict) else None
        if fault is None and isinstance(own, dict) and guide in own:
            fault = Finding(name, f"guides.{guide}", "guide-twice", "stands in the profile and in a file beside it")
        if fault is not None:
            return None, (fault,)
        if isinstance(own, dict):
            own[guide] = plain
    try:
        profile = Profile.model_validate(given)
    except ValidationError as error:
        return None, tuple(
            Finding(name, ".".join(str(step) for step in each["loc"]), f"schema-{each['type']}", each["msg"])
            for each in error.errors(include_url=False, include_input=False)
        )
    if profile.id != name:
        return None, (Finding(name, "id", "name-differs", f"the file is named {name} and the partner {profile.id}"),)
    return profile, ()


def _parsed(party: str, file: str, content: bytes) -> tuple[Any, Finding | None]:
    """Return the plain YAML of a profile, or of a guide's ``file`` beside it; or what is wrong with it."""

    def fault(place: str, rule: str, text: str) -> tuple[None, Finding]:
        return None, Finding(party, " ".join(each for each in (file, place) if each), rule, text)

    if len(content) > MAX_BYTES:
        return fault("", "too-large", f"more than {MAX_BYTES} bytes")
    try:
        return YAML(typ="base", pure=True).load(content.decode("utf-8")), None
    except UnicodeDecodeError as error:
        return fault(f"byte {error.start}", "not-utf-8", "is not UTF-8 text")
    except MarkedYAMLError as error:
        return fault(
            f"line {error.problem_mark.line + 1}" if error.problem_mark else "", "not-yaml", str(error.problem)
        )
    except YAMLError as error:
        return fault("", "not-yaml", str(error))


def write(profile: Profile) -> str:
    """Return the text of a file that reads back as ``profile``. What is a default is left out."""
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 120
    out = StringIO()
    yaml.dump(_as_text(profile.model_dump(mode="json", by_alias=True, exclude_defaults=True)), out)
    return out.getvalue()


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_text(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
