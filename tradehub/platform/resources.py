"""The data that ships with the code: maps of messages, presets of partners.

In a wheel it lies in ``tradehub/_data``, in a working copy beside the package.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

_PACKAGE = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """Return the folder ``name`` of the shipped data, for instance ``edi_mappings`` or ``partners``."""
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def read_text(relative: str) -> str | None:
    """Return a file under ``edi_mappings`` by its path there, or None. The path cannot leave the folder."""
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or "\0" in relative:
        return None
    file = folder("edi_mappings").joinpath(*path.parts)
    return file.read_text(encoding="utf-8") if file.is_file() else None
