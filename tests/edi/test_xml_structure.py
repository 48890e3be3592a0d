"""The structure that ships with the maps says what the OASIS schemas say."""

import os
from pathlib import Path

import pytest
from lxml import etree

from tradehub.edi.maps import MapStore
from tradehub.edi.xml import xml_maps
from tradehub.edi.xml_structure import MANY
from tradehub.platform.resources import read_text

SHARED = Path(os.environ.get("TRADEHUB_SHARED", Path(__file__).parents[2].parent / "shared"))
SCHEMAS = SHARED / "samples" / "xml" / "ubl-2.1-xsd"
XS = "{http://www.w3.org/2001/XMLSchema}"
STRUCTURE = xml_maps(MapStore(read_text)).get("Order").rules.structure

pytestmark = pytest.mark.skipif(not SCHEMAS.is_dir(), reason="no UBL 2.1 schemas: set TRADEHUB_SHARED")


def _sequence(complex_type):
    return [
        (
            each.get("ref"),
            int(each.get("minOccurs", "1")),
            MANY if each.get("maxOccurs") == "unbounded" else int(each.get("maxOccurs", "1")),
        )
        for each in complex_type.iter(f"{XS}element")
    ]


def _stated(children):
    return [(child.name, child.least, child.most) for child in children]


@pytest.mark.parametrize("message", STRUCTURE.documents)
def test_a_message_has_the_elements_of_its_schema(message):
    schema = etree.parse(SCHEMAS / "maindoc" / f"UBL-{message}-2.1.xsd").getroot()
    assert _stated(STRUCTURE.documents[message]) == _sequence(schema.find(f"{XS}complexType"))


def test_aggregates_have_the_elements_of_their_schema():
    schema = etree.parse(SCHEMAS / "common" / "UBL-CommonAggregateComponents-2.1.xsd").getroot()
    types = {each.get("name").removesuffix("Type"): each for each in schema.findall(f"{XS}complexType")}
    for name, children in STRUCTURE.types.items():
        assert _stated(children) == _sequence(types[name]), name
    named = {each.get("name"): each.get("type").removesuffix("Type") for each in schema.findall(f"{XS}element")}
    for name in (f"cac:{each}" for each in named):
        if STRUCTURE.is_aggregate(name):
            assert STRUCTURE.type_of(name) == named[name.removeprefix("cac:")]
