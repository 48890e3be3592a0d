"""P2 on other people's files: read without an exception, written again to the same text, judged as a person would."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.corpus import Row, judged, manifest, shared
from tradehub.edi.maps import MapStore
from tradehub.platform.resources import read_text

STORE = MapStore(read_text)


def samples() -> list[tuple[Path, str, str]]:
    try:
        return list(manifest(shared(), everything=False))
    except FileNotFoundError:
        return []


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    found = samples()
    if not found:
        pytest.skip("no samples: set TRADEHUB_SHARED to the folder that holds samples/edi")
    return [judged(path, "/".join(path.parts[-3:]), release, said, STORE) for path, release, said in found]


BROKEN_ENVELOPE = {
    "x12.214.edi": "ISA lacks the blanks of one element, and is written with them",
    "SC832/fail/2.edi": "ISA is two signs too long, so that no message is found",
}
"""Files of which the envelope, not a message, comes back otherwise."""


def test_every_file_whose_messages_are_accepted_is_written_back_byte_for_byte(rows: list[Row]):
    lossy = [row.file for row in rows if not row.verdicts["rejected"] and not row.lossless]
    assert [each for each in lossy if not each.endswith(tuple(BROKEN_ENVELOPE))] == []


def test_a_file_that_nobody_suspects_loses_nothing(rows: list[Row]):
    assert [row.file for row in rows if not row.said and not row.lossless] == []


def test_files_that_are_marked_invalid_are_rejected(rows: list[Row]):
    """But for one: an acknowledgment that says "rejected" is itself a good message."""
    judged_good = [row.file for row in rows if row.said == "invalid" and not row.verdicts["rejected"]]
    assert [each for each in judged_good if "po-ack-rejected" not in each] == []
