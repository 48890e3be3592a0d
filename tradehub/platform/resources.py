"""The data that ships with the code: maps of messages, presets of partners.

In a wheel it lies in ``tradehub/_data``, in a working copy beside the package.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath

from tradehub.edi.maps import MapStore
from tradehub.platform import ids

_PACKAGE = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """Return the folder ``name`` of the shipped data, for instance ``edi_mappings`` or ``partners``."""
    packed = _PACKAGE / "_data" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


@lru_cache
def map_store(cache: Path | None = None) -> MapStore:
    """Return the maps that ship with the code. ``cache`` is a folder that spares later processes the YAML."""
    return MapStore(read_text, None if cache is None else TextCache(cache))


class TextCache(MutableMapping[str, str]):
    """Texts by key in a folder. Several processes may use it; one that is deleted is made again."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, key: str) -> str:
        try:
            return self._path(key).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key: str, text: str) -> None:
        draft = self.root / f"{ids.new_id()}.tmp"
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._path(key))

    def __delitem__(self, key: str) -> None:
        try:
            self._path(key).unlink()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __iter__(self) -> Iterator[str]:
        raise TypeError("the keys are not kept, only their hashes")

    def __len__(self) -> int:
        return sum(1 for _ in self.root.glob("*.txt"))

    def _path(self, key: str) -> Path:
        return self.root / f"{sha256(key.encode()).hexdigest()}.txt"


def read_text(relative: str) -> str | None:
    """Return a file under ``edi_mappings`` by its path there, or None. The path cannot leave the folder."""
    path = PurePosixPath(relative)
    if path.is_absolute() or ".." in path.parts or "\0" in relative:
        return None
    file = folder("edi_mappings").joinpath(*path.parts)
    return file.read_text(encoding="utf-8") if file.is_file() else None
