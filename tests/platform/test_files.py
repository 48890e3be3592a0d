"""A payload is either whole under its name, or not there."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehub.platform import files
from tradehub.platform.files import DamagedPayload, NoPayload, PayloadStore

PO = b"ISA*00*          ~"
DIGEST = sha256(PO).hexdigest()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The durable system calls in their order."""
    made: list[str] = []
    opened: dict[int, str] = {}
    real_open, real_fsync, real_rename = os.open, os.fsync, Path.rename

    def note_open(path: Path, *rest: int) -> int:
        handle = real_open(path, *rest)
        opened[handle] = f"folder {Path(path).name}"
        return handle

    def note_fsync(handle: int) -> None:
        made.append(f"fsync {opened.pop(handle, 'file')}")
        real_fsync(handle)

    def note_rename(path: Path, target: Path) -> Path:
        made.append(f"rename {path.suffix}")
        return real_rename(path, target)

    monkeypatch.setattr(files.os, "open", note_open)
    monkeypatch.setattr(files.os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "rename", note_rename)
    return made


@given(payload=st.binary(max_size=5000))
def test_what_is_put_can_be_got(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    store = PayloadStore(tmp_path_factory.mktemp("payloads"))
    digest = store.put(payload)
    assert digest == sha256(payload).hexdigest()
    assert store.get(digest) == payload
    assert digest in store


def test_a_payload_has_its_name_only_after_it_is_on_the_disk(payloads: PayloadStore, calls: list[str]) -> None:
    payloads.put(PO)
    assert calls == ["fsync folder payloads", "fsync file", "rename .tmp", f"fsync folder {DIGEST[:2]}"]


def test_a_second_put_writes_nothing_but_is_as_durable(payloads: PayloadStore, calls: list[str]) -> None:
    payloads.put(PO)
    calls.clear()
    assert payloads.put(PO) == DIGEST
    assert calls == [f"fsync folder {DIGEST[:2]}"]


def test_a_put_that_dies_before_the_rename_leaves_only_a_draft(
    payloads: PayloadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(handle: int) -> None:
        raise OSError("no power")

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", power_cut)
        (payloads.root / DIGEST[:2]).mkdir()
        with pytest.raises(OSError, match="no power"):
            payloads.put(PO)
    assert [each.suffix for each in payloads.root.rglob("*") if each.is_file()] == [".tmp"]
    assert DIGEST not in payloads
    payloads.put(PO)
    assert payloads.get(DIGEST) == PO


def test_a_torn_payload_is_noticed_when_it_is_got_and_mended_when_it_is_put_again(payloads: PayloadStore) -> None:
    payloads.put(PO)
    (payloads.root / DIGEST[:2] / DIGEST).write_bytes(PO[:5])
    with pytest.raises(DamagedPayload):
        payloads.get(DIGEST)
    payloads.put(PO)
    assert payloads.get(DIGEST) == PO


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "", DIGEST.upper(), DIGEST + "\n", "0" * 64, "/" + DIGEST, "\0" * 64]
)
def test_a_name_from_outside_is_never_a_path(payloads: PayloadStore, name: str) -> None:
    with pytest.raises(NoPayload):
        payloads.get(name)
