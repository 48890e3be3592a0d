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
        profile, faults = read(path.stem, path.read_bytes())
        findings += faults
        if profile is not None:
            incoming[profile.id] = Incoming(profile, sha256(path.read_bytes()).hexdigest())
    return Profiles(incoming, tuple(findings))


def read(name: str, content: bytes) -> tuple[Profile | None, tuple[Finding, ...]]:
    """Read the profile that a file named ``name`` holds. What is wrong is found, never raised."""
    if len(content) > MAX_BYTES:
        return None, (Finding(name, "", "too-large", f"more than {MAX_BYTES} bytes"),)
    try:
        given = YAML(typ="base", pure=True).load(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        return None, (Finding(name, f"byte {error.start}", "not-utf-8", "is not UTF-8 text"),)
    except MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return None, (Finding(name, place, "not-yaml", str(error.problem)),)
    except YAMLError as error:
        return None, (Finding(name, "", "not-yaml", str(error)),)
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
