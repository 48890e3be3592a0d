"""The partner pages as owner, as member without rights, and as the partner itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.house import House, build
from tradehub.partners import files, web
from tradehub.partners.service import PartnerService
from tradehub.platform import clock, resources
from tradehub.platform.db import Database


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    partners = PartnerService()
    with database.write() as session:
        partners.apply(session, files.read_folder(resources.folder("partners")).incoming, by="test", at=clock.now())
    return build(database, tmp_path, extra=[web.blueprint(partners, database)])


def test_the_list_and_the_profile_show_what_was_agreed(house: House) -> None:
    client = house.signed_in("owner")
    page = client.get("/partners").text
    assert all(name in page for name in ("Ningbo Valves", "Rhein Armaturen", "Nordic Flow", "Delta Fluid"))
    profile = client.get("/partners/ningbo").text
    assert all(text in profile for text in ("x12:850:004010", "NINGBOVALVES", "exchange/ningbo/from-partner", "997"))
    assert "Managed by partners/ningbo.yaml" in profile


def test_no_page_names_a_secret(house: House) -> None:
    client = house.signed_in("owner")
    assert "keys/nordic" not in client.get("/partners/nordic").text


def test_the_partner_itself_sees_neither_rivals_nor_how_it_is_reached(house: House) -> None:
    client = house.signed_in("stranger")
    page = client.get("/partners").text
    assert "Haidi Trading" in page
    assert "Ningbo" not in page
    assert client.get("/partners/ningbo").status_code == 404
    assert client.get("/partners/ningbo.yaml").status_code == 404
    assert client.get("/partners/delta.yaml").status_code == 404
    assert "sales@delta-fluid" not in client.get("/partners/delta").text
    assert "Ningbo" not in client.get("/partners/suggest?q=ning").text


def test_typing_is_answered_with_choices(house: House) -> None:
    page = house.signed_in("owner").get("/partners/suggest?q=rhe&role=supplier").text
    assert 'data-value="rhein"' in page
    assert "ningbo" not in page


def test_an_export_reads_back(house: House) -> None:
    answer = house.signed_in("owner").get("/partners/rhein.yaml")
    profile, findings = files.read("rhein", answer.data)
    assert findings == ()
    assert profile is not None
    assert profile.name == "Rhein Armaturen"


def test_filters_and_search(house: House) -> None:
    client = house.signed_in("owner")
    assert "Nordic Flow" not in client.get("/partners?q=valves").text
    assert "No partner fits" in client.get("/partners?only=suspended").text


def test_a_member_without_the_right_may_not(house: House) -> None:
    assert house.signed_in("member").get("/partners").status_code == 403
