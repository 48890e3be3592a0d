"""Profiles: read strictly, checked together, planned as a difference, applied at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tradehub.partners import files
from tradehub.partners.model import Incoming, Known, NoAgreement, agree, check, plan_sync
from tradehub.partners.profile import Profile
from tradehub.partners.service import PartnerService
from tradehub.platform.clock import now
from tradehub.platform.db import Database
from tradehub.platform.resources import folder

TODAY = date(2026, 11, 23)

ACME = """\
schema: 1
id: acme
owner: haidi
name: Acme
status: live
identities:
- {scheme: x12-isa, qualifier: ZZ, value: ACME}
channels:
  drop: {kind: folder, in_dir: exchange/acme/in, out_dir: exchange/acme/out, every: 2s}
agreements:
- {direction: in, message: "x12:850:004010", channel: drop, ack: {send: "997"}}
- {direction: out, message: "x12:855:004010", channel: drop, valid_from: 2026-01-01, valid_until: 2026-12-31}
"""


def acme(**changes: Any) -> Profile:
    profile, findings = files.read("acme", ACME.encode())
    assert profile is not None, findings
    return profile.model_copy(update=changes)


def faults(text: str, name: str = "acme") -> list[tuple[str, str]]:
    profile, findings = files.read(name, text.encode())
    assert (profile is None) == bool(findings)
    return [(each.place, each.rule) for each in findings]


def test_the_seed_profiles_read_without_a_fault_and_export_to_the_same() -> None:
    read = files.read_folder(folder("partners"))
    assert read.findings == ()
    assert set(read.profiles) == {"haidi", "ningbo", "rhein", "nordic", "delta"}
    assert check(read.profiles, maps=None, today=TODAY) == ()
    for profile in read.profiles.values():
        assert files.read(profile.id, files.write(profile).encode()) == (profile, ())


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("name: Acme", "nmae: Acme", [("name", "schema-missing"), ("nmae", "schema-extra_forbidden")]),
        ("id: acme", "id: other", [("id", "name-differs")]),
        ("name: Acme", "name: Acme\nname: Acme", [("line 5", "not-yaml")]),
        ("name: Acme", "name: [", [("line 6", "not-yaml")]),
        ("kind: folder", "kind: as2", [("", "schema-value_error")]),
        (", every: 2s", "", [("channels.drop.folder", "schema-value_error")]),
        ("every: 2s", "every: 2s, cron: '* * * * *'", [("channels.drop.folder", "schema-value_error")]),
        ("every: 2s", "every: often", [("channels.drop.folder.every", "schema-value_error")]),
        ("exchange/acme/in", "../../etc", [("channels.drop.folder.in_dir", "schema-value_error")]),
        ("exchange/acme/in", "/etc", [("channels.drop.folder.in_dir", "schema-value_error")]),
        ("2026-12-31", "2026-02-30", [("agreements.1.valid_until", "schema-value_error")]),
        ("status: live", "status: yes", [("status", "schema-literal_error")]),
    ],
)
def test_a_profile_with_a_fault_is_refused_at_its_place(old: str, new: str, found: list[tuple[str, str]]) -> None:
    assert old in ACME
    assert faults(ACME.replace(old, new, 1)) == found


def test_a_secret_in_a_profile_is_refused() -> None:
    text = ACME.replace(
        "  drop: {kind: folder, in_dir: exchange/acme/in, out_dir: exchange/acme/out, every: 2s}",
        "  drop: {kind: http, url: 'https://acme.example/', send_token: s3cret, receive_token: 'file:keys/in'}",
    )
    assert faults(text) == [("channels.drop.http.send_token", "schema-value_error")]


def test_no_is_text_and_a_leading_zero_stays() -> None:
    text = ACME.replace("value: ACME", "value: 0042").replace("name: Acme", "name: NO")
    profile, _ = files.read("acme", text.encode())
    assert profile is not None
    assert (profile.name, profile.identities[0].value) == ("NO", "0042")


def test_bytes_that_are_no_text_are_a_finding() -> None:
    assert [each.rule for each in files.read("acme", b"\xff\xfe")[1]] == ["not-utf-8"]


def test_two_partners_with_one_name_are_found_unless_one_is_suspended() -> None:
    home = acme(id="haidi", owner="haidi", identities=(), agreements=())
    twin = acme(id="twin")
    rules = [
        (each.party, each.rule) for each in check({"haidi": home, "acme": acme(), "twin": twin}, maps=None, today=TODAY)
    ]
    assert rules == [("twin", "duplicate-identity")]
    asleep = acme(id="twin", status="suspended")
    assert check({"haidi": home, "acme": acme(), "twin": asleep}, maps=None, today=TODAY) == ()


def test_what_a_set_of_profiles_lacks_is_found() -> None:
    found = check({"acme": acme()}, maps={"x12:850:004010"}, today=date(2027, 1, 1))
    assert [(each.place, each.rule, each.severity) for each in found] == [
        ("owner", "unknown-owner", "error"),
        ("agreements[2].message", "unknown-map", "error"),
        ("agreements[2].valid_until", "agreement-ended", "warning"),
    ]


def test_a_sync_adds_changes_suspends_keeps_and_leaves_the_webs_own_alone() -> None:
    known = {
        "gone": Known(acme(id="gone"), "file", "1", 3),
        "long-gone": Known(acme(id="long-gone", status="suspended"), "file", "1", 4),
        "same": Known(acme(id="same"), "file", "1", 1),
        "web": Known(acme(id="web"), "web", None, 1),
        "claimed": Known(acme(id="claimed"), "web", None, 1),
        "renamed": Known(acme(id="renamed"), "file", "1", 1),
    }
    incoming = {
        "same": Incoming(acme(id="same"), "2"),
        "new": Incoming(acme(id="new"), "2"),
        "claimed": Incoming(acme(id="claimed"), "2"),
        "renamed": Incoming(acme(id="renamed", name="Acme Two"), "2"),
    }
    plan = plan_sync(known, incoming)
    assert {step.party: step.action for step in plan.steps} == {
        "gone": "suspend", "long-gone": "keep", "same": "keep", "new": "add", "claimed": "conflict",
        "renamed": "change",
    }  # fmt: skip
    renamed = next(step for step in plan.steps if step.party == "renamed")
    assert [(each.path, each.before, each.after) for each in renamed.differences] == [("name", "Acme", "Acme Two")]


@pytest.fixture
def partners(database: Database) -> PartnerService:
    service = PartnerService()
    with database.write() as session:
        service.apply(session, files.read_folder(folder("partners")).incoming, by="test", at=now())
    return service


def test_an_agreement_is_found_by_message_or_kind(database: Database, partners: PartnerService) -> None:
    with database.read() as session:
        known = partners.agreements(session, "ningbo")
    haidi, ningbo = known[0].owner, known[0].partner
    found = agree(known, sender=ningbo, receiver=haidi, document="x12:850:004010", on=TODAY)
    assert (found.direction, found.channel, found.ack.send, found.revision) == ("in", "drop", "997", 1)
    assert agree(known, sender=haidi, receiver=ningbo, document="order", on=TODAY).message == "x12:850:004010"
    assert agree(known, sender=ningbo, receiver=haidi, document="x12:850:004010VICS", on=TODAY) == found
    for stranger in ("x12:862:004010", "x12:850:005010", "edifact:ORDERS:D96A", "receipt"):
        with pytest.raises(NoAgreement) as caught:
            agree(known, sender=ningbo, receiver=haidi, document=stranger, on=TODAY)
        assert caught.value.rule == "no-agreement"


def test_an_agreement_outside_its_days_or_of_a_suspended_partner_is_named_as_such(database: Database) -> None:
    service = PartnerService()
    incoming = {"acme": Incoming(acme(), "1")}
    with database.write() as session:
        service.apply(session, incoming, by="test", at=now())
        known = service.agreements(session, "acme")
        service.apply(session, {}, by="test", at=now())
        asleep = service.agreements(session, "acme")
    ask: dict[str, Any] = {"sender": known[0].owner, "receiver": known[0].partner, "document": "x12:855:004010"}
    assert agree(known, **ask, on=TODAY).message == "x12:855:004010"
    with pytest.raises(NoAgreement, match="agreement-not-valid"):
        agree(known, **ask, on=date(2027, 1, 1))
    with pytest.raises(NoAgreement, match="partner-suspended"):
        agree(asleep, **ask, on=TODAY)


def test_each_apply_leaves_an_immutable_revision_and_none_without_a_change(
    database: Database, partners: PartnerService
) -> None:
    incoming = dict(files.read_folder(folder("partners")).incoming)
    ningbo = incoming["ningbo"].profile
    with database.write() as session:
        assert partners.apply(session, incoming, by="test", at=now()).changes == ()
        incoming["ningbo"] = Incoming(ningbo.model_copy(update={"name": "Ningbo Valves Ltd"}), "2")
        plan = partners.apply(session, incoming, by="test", at=now())
    assert [(step.party, step.action) for step in plan.changes] == [("ningbo", "change")]
    with database.read() as session:
        assert partners.name_of(session, "ningbo") == "Ningbo Valves Ltd"
        revisions = partners.revisions(session, "ningbo")
        assert [(each.revision, each.profile["name"]) for each in revisions] == [
            (2, "Ningbo Valves Ltd"), (1, "Ningbo Valves"),
        ]  # fmt: skip
        assert {each.revision for each in partners.agreements(session, "ningbo")} == {2}


def test_a_partner_whose_file_is_deleted_is_suspended_and_comes_back_with_it(
    database: Database, partners: PartnerService
) -> None:
    incoming = dict(files.read_folder(folder("partners")).incoming)
    rhein = incoming.pop("rhein")
    with database.write() as session:
        partners.apply(session, incoming, by="test", at=now())
        row = partners.party(session, "rhein")
        assert row is not None
        assert row.status == "suspended"
        assert partners.who(session, "haidi", "edifact-unb", "4012345000009") is None
        partners.apply(session, {**incoming, "rhein": rhein}, by="test", at=now())
        assert partners.who(session, "haidi", "edifact-unb", "4012345000009") == "rhein"


def test_typing_finds_suppliers_by_name_id_and_identity(database: Database, partners: PartnerService) -> None:
    with database.read("haidi") as session:
        assert [each.id for each in partners.suggest(session, "", "supplier")] == ["delta", "ningbo", "nordic", "rhein"]
        assert [each.id for each in partners.suggest(session, "n")][:2] == ["ningbo", "nordic"]
        assert [each.id for each in partners.suggest(session, "armat", "supplier")] == ["rhein"]
        assert [each.id for each in partners.suggest(session, "73012340")] == ["nordic"]
        assert partners.suggest(session, "%") == []
        assert [each.id for each in partners.suggest(session, "", of="haidi")] == ["delta", "ningbo", "nordic", "rhein"]


def test_a_partner_sees_the_shared_party_and_itself_and_nobody_else(
    database: Database, partners: PartnerService
) -> None:
    with database.read("delta") as session:
        assert [row.id for row in partners.parties(session)] == ["delta", "haidi"]
        assert partners.name_of(session, "haidi") == "Haidi Trading"
        assert partners.name_of(session, "ningbo") == "ningbo"
        assert partners.agreements(session, "ningbo") == ()
        assert partners.profile(session, "ningbo") is None
        assert partners.channels(session) == []
        assert partners.is_web(session, "delta")


def test_a_folder_without_profiles_holds_none(tmp_path: Path) -> None:
    assert files.read_folder(tmp_path).incoming == {}
