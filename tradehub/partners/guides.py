"""Where a partner's guides and samples stand as files, beside the profile ``<id>.yaml``.

``<id>/guides/x12-850-004010.yaml`` is the guide of ``x12:850:004010``; it stands as if it were written in the profile,
and an agreement names it by its stem. Samples are
any files in ``<id>/samples``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tradehub.edi.guides import GuideFile, SpecOf, read

MAX_BYTES = 512 * 1024
"""A guide is a page or two; anything larger is a mistake, or an attack on the parser."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


def is_name(partner: str) -> bool:
    """Return whether the text can be a partner's id: it names a folder, and none above it."""
    return bool(_NAME.fullmatch(partner))


def path_of(folder: Path, partner: str, message: str) -> Path:
    """Return where the guide of a message (``x12:850:004010``) stands, or would stand."""
    return folder / partner / "guides" / f"{message.replace(':', '-').lower()}.yaml"


def samples_of(folder: Path, partner: str) -> tuple[Path, ...]:
    """Return the partner's sample files by name; none where there is no folder of them."""
    return sample_files(folder / partner / "samples")


def sample_files(folder: Path) -> tuple[Path, ...]:
    """Return the files below a folder but hidden ones."""
    found = (each for each in folder.rglob("*") if each.is_file())
    return tuple(sorted(each for each in found if not each.name.startswith(".")))


def guide_files(folder: Path, partner: str = "*") -> Iterator[Path]:
    """Yield every guide of a partner, or of all."""
    yield from sorted(folder.glob(f"{partner}/guides/*.yaml"))


def load(path: Path, spec_of: SpecOf) -> GuideFile:
    """Return the guide of a file. Raises OSError where it cannot be read, ValueError where it is no text or too large."""
    content = path.read_bytes()
    if len(content) > MAX_BYTES:
        raise ValueError(f"{path} has more than {MAX_BYTES} bytes")
    return read(content.decode("utf-8"), str(path), spec_of)


def by_map(files: Iterable[GuideFile]) -> dict[str, GuideFile]:
    """Return guides by the map that they patch (``x12/004010/850``)."""
    return {each.guide.of: each for each in files if each.guide is not None}
