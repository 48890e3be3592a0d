"""Secrets by reference: ``env:NAME`` or ``file:path`` inside the data folder. Resolved at use, never kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tradehub.platform import ids

_ADDRESS = re.compile(r"\$\{([A-Z0-9_]+):-([^}]*)\}(.*)", re.DOTALL)


class MissingSecret(LookupError):
    """The reference leads nowhere. Its text names the reference, not the secret."""


def resolve(reference: str, data_dir: Path, environment: Mapping[str, str] = os.environ) -> str:
    scheme, _, name = reference.partition(":")
    if scheme == "env":
        if name not in environment:
            raise MissingSecret(reference)
        return environment[name]
    try:
        return (data_dir / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise MissingSecret(reference) from None


def address(url: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a URL with ``${NAME:-default}`` at its head replaced."""
    found = _ADDRESS.fullmatch(url)
    if found is None:
        return url
    return environment.get(found[1], found[2]) + found[3]


def make_missing(references: Iterable[str], data_dir: Path) -> list[str]:
    """Draw a secret for each ``file:`` reference that has none yet and return those references; for demos and tests."""
    made = []
    for reference in references:
        scheme, _, name = reference.partition(":")
        path = data_dir / name
        if scheme != "file" or path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(ids.new_secret())
        made.append(reference)
    return made
