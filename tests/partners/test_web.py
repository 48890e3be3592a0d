"""The partner pages as owner, as member without rights, and as the partner itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.web.house import House, build, post
from tradehub.partners import files, web
from tradehub.partners.service import PartnerService
from tradehub.platform import audit, clock, resources
from tradehub.platform.db import Database


@pytest.fixture
def house(database: Database, tmp_path: Path, told: list[Session]) -> House:
    partners = PartnerService()
    with database.write() as session:
        partners.apply(session, files.read_folder(resources.folder("partners")).incoming, by="test", at=clock.now())
    return build(database, tmp_path, extra=[web.blueprint(partners, database, on_changed=told.append)])


@pytest.fixture
def told() -> list[Session]:
    """Whom the pages told of a change."""
    return []


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


FORM = {
    "revision": "2", "name": "Ningbo Valves Ltd", "status": "live", "schedule-drop": "15m",
    "name_scheme": ["x12-isa", "gln", "duns"], "name_qualifier": ["ZZ", "", ""],
    "name_value": ["NINGBOVALVES", "6907654000018", "123456789"],
    "agreed": ["out x12:840:004010", "in x12:843:004010"],
}  # fmt: skip
"""What stands in the form for Ningbo Valves after some changes."""


def changed(house: House, **changes: object) -> tuple[int, str]:
    """Take Ningbo Valves over and change it as the form says; return the answer's status and text."""
    client = house.signed_in("owner")
    post(client, "/partners/ningbo/source", to="web")
    answer = post(client, "/partners/ningbo/edit", **{**FORM, **changes})
    return answer.status_code, answer.text


def test_a_partner_is_taken_over_and_changed_in_all_that_the_form_has(house: House, told: list[Session]) -> None:
    assert changed(house)[0] == 303
    partners = PartnerService()
    with house.hub.database.read() as session:
        profile = partners.profile(session, "ningbo")
        agreed = {f"{each.direction} {each.message}" for each in partners.agreements(session, "ningbo")}
        (plan,) = [
            each
            for each in partners.plan(session, files.read_folder(resources.folder("partners")).incoming).steps
            if each.party == "ningbo"
        ]
        chain = audit.AuditEntry.chain == "partner:ningbo"
        by = session.scalars(select(audit.AuditEntry.actor).where(chain).order_by(audit.AuditEntry.number)).all()
    assert profile is not None
    assert (profile.name, profile.channels["drop"].model_dump(mode="json")["every"]) == ("Ningbo Valves Ltd", "15m")
    assert [each.value for each in profile.identities] == ["NINGBOVALVES", "6907654000018", "123456789"]
    assert agreed == {"out x12:840:004010", "in x12:843:004010"}
    assert len(profile.agreements) == 16
    assert (len(told), plan.action) == (1, "conflict")
    assert by[0] == "test"
    assert len(set(by[1:])) == 1
    assert len(by) == 3
    page = house.signed_in("owner").get("/partners/ningbo").text
    assert page.count("Off") == 14


def test_a_partner_given_back_is_its_files_again(house: House) -> None:
    changed(house)
    post(house.signed_in("owner"), "/partners/ningbo/source", to="file")
    partners = PartnerService()
    with house.hub.database.write() as session:
        partners.apply(session, files.read_folder(resources.folder("partners")).incoming, by="test", at=clock.now())
        assert partners.name_of(session, "ningbo") == "Ningbo Valves"
        assert len(partners.agreements(session, "ningbo")) == 16


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"name": ""}, 422, "This cannot be taken as it stands."),
        ({"schedule-drop": "now and then"}, 422, "Neither a duration"),
        ({"schedule-drop": "soon"}, 422, "Neither a duration"),
        ({"name_value": ["NINGBOVALVES", "4012345000009", ""]}, 422, "One of these names is taken already"),
        ({"name_value": ["", "", ""], "name_qualifier": ["ZZ", "", ""]}, 422, "This name is not complete"),
        ({"status": "asleep"}, 422, "This cannot be taken as it stands."),
        ({"revision": "1"}, 409, "Somebody was faster"),
    ],
)
def test_what_cannot_be_is_told_at_its_field_and_changes_nothing(
    house: House, told: list[Session], changes: dict[str, object], status: int, text: str
) -> None:
    answer, page = changed(house, **changes)
    assert (answer, text in page) == (status, True)
    assert told == []
    with house.hub.database.read() as session:
        assert PartnerService().name_of(session, "ningbo") == "Ningbo Valves"


def test_a_partner_of_a_file_is_not_changed_on_the_pages(house: House) -> None:
    client = house.signed_in("owner")
    assert client.get("/partners/ningbo/edit").status_code == 303
    assert post(client, "/partners/ningbo/edit", **{**FORM, "revision": "1"}).status_code == 409


def test_a_stranger_can_neither_take_over_nor_change(house: House) -> None:
    client = house.signed_in("stranger")
    for url in ("/partners/ningbo/source", "/partners/ningbo/edit", "/partners/delta/edit"):
        assert post(client, url, **FORM).status_code in (403, 404)
