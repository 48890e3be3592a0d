"""Other people's UBL documents: each is read, no leaf is lost, and it comes out again as it came in."""

import csv
import os
from pathlib import Path

import pytest
from lxml import etree

from tradehub.documents import KINDS
from tradehub.edi.maps import MapStore
from tradehub.edi.xml import MESSAGES, leaves, read_xml, write_xml
from tradehub.platform.resources import read_text

SHARED = Path(os.environ.get("TRADEHUB_SHARED", Path(__file__).parents[2].parent / "shared"))
SAMPLES = SHARED / "samples" / "xml"
STORE = MapStore(read_text)


def _files():
    if not (SAMPLES / "manifest.tsv").is_file():
        return []
    with (SAMPLES / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    wanted = {*MESSAGES.values(), "CreditNote"}
    return [row for row in rows if row["kind"] == "instance" and row["document_type"] in wanted]


FILES = _files()
pytestmark = pytest.mark.skipif(not FILES, reason="no XML samples: set TRADEHUB_SHARED")


def _leaves(read, data):
    return [(path, text) for path, text, _ in leaves(read.rules.structure, etree.fromstring(data))]


@pytest.mark.parametrize("row", FILES, ids=lambda row: row["file"].replace(" ", "_"))
def test_a_sample_comes_out_with_the_leaves_it_came_in_with(row):
    read = read_xml((SAMPLES / row["file"]).read_bytes(), STORE)
    assert read.document is not None
    document = KINDS[read.rules.document].model_validate(read.document)
    received = [(each.tag, each.elements[0]) for each in read.segments()]
    written = _leaves(read, write_xml(read.rules, document))
    if read.accepted:
        assert written == received
    else:
        assert sorted(written) == sorted(received)
    assert _leaves(read, write_xml(read.rules, read.document)) == written


@pytest.mark.parametrize("row", [row for row in FILES if "xsd" in row["measured_here"]], ids=lambda row: row["file"])
def test_our_verdict_is_the_schemas(row):
    read = read_xml((SAMPLES / row["file"]).read_bytes(), STORE)
    assert read.accepted == ("xsd ubl2.1 ok" in row["measured_here"]), [str(issue.at) for issue in read.issues]


def test_most_leaves_have_a_field_of_the_document():
    held = present = 0
    for row in FILES:
        read = read_xml((SAMPLES / row["file"]).read_bytes(), STORE)
        held, present = held + read.coverage[0], present + read.coverage[1]
    assert held / present > 0.8
