"""The second judge: pyx12, with map files compiled from our own X12 maps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from tradehub.cli.files import load, map_store
from tradehub.edi import detect, pyx12_bridge, read
from tradehub.edi.schema import MapSpec


def judge_with_pyx12(path: Path) -> dict[str, Any]:
    """Return pyx12's verdict on a file and what it notes, as plain values."""
    payload = load(path)
    with tempfile.TemporaryDirectory(prefix="tradehub-pyx12-") as folder:
        specs = _specs(payload)
        try:
            write_maps(Path(folder), specs)
        except ValueError as wrong:
            return {"verdict": "unusable", "issues": [str(wrong)]}
        # pyx12 wants ISA to be the very first thing in the file.
        opinion = pyx12_bridge.judge(payload[detect(payload).start :].decode("latin-1"), folder)
    if opinion.accepted is None:
        return {"verdict": "unusable", "issues": [opinion.reason]}
    verdict = "accepted" if opinion.accepted else "rejected"
    return {"verdict": verdict, "issues": [_line(each) for each in opinion.issues]}


def _specs(payload: bytes) -> list[MapSpec]:
    """Return the maps of the messages in a file, each once: pyx12 can hold no two releases, nor two sets of one
    group."""
    store = map_store()
    there = {(each.type, each.release[:6]): None for each in read(payload, store)}
    return [store.spec("x12", kind, release) for kind, release in there if store.has("x12", kind, release)]


def write_maps(folder: Path, specs: Iterable[MapSpec]) -> None:
    """Write the map folder that pyx12 reads: ours for the sets, its own for the envelope. Raises ValueError."""
    theirs = files("pyx12") / "map"
    control = {name: (theirs / name).read_text(encoding="utf-8") for name in pyx12_bridge.CONTROL}
    for name, text in pyx12_bridge.files(specs, control).items():
        (folder / name).write_text(text, encoding="utf-8")


def _line(noted: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in noted.items() if value not in (None, ""))
