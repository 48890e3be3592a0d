"""The evidence of a deal: found sound as it was written, refused with the right record after whatever is done to it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from tests.contracting import tampering
from tests.contracting.proven import DELTA, DRAWING, HAIDI, NINGBO, SHEET, SITE, STANDING, person
from tests.contracting.tampering import members_of
from tests.device import Device
from tests.exchange.test_bad_input import X12
from tradehub.contracting.verify_evidence import Pins, Refused, _presence, pack, unpack, verify

SUBPROCESSES = 4


def test_what_the_hub_wrote_is_sound(archive, proven):
    found = {each.what: each.detail for each in verify(archive)}
    assert found["statements"].startswith("2 in one chain")
    name = f"contract {proven.contract(HAIDI).number} version 1"
    assert {f"{name}, buyer", f"{name}, seller"} <= set(found)


def test_what_the_passkey_signed_stands_beside_the_signature(archive):
    members = dict(members_of(archive))
    (record,) = [json.loads(members[f"signatures/{role}.json"]) for role in ("buyer", "seller")
                 if b"presence" in members[f"signatures/{role}.json"]]  # fmt: skip
    _presence("here", record["statement"]["presence"], record["statement"]["contract_sha256"])


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("signature", lambda text: text[:-2] + ("00" if text[-2:] != "00" else "01"), "not valid"),
        ("authenticator_data", lambda text: text[:64] + "01" + text[66:], "not valid"),
        ("client_data", lambda text: text.replace("webauthn.get", "webauthn.set"), "not valid"),
        ("client_data", lambda _text: "{", "not valid"),
        ("public_key", lambda _text: "30", "not valid"),
    ],
)
def test_a_changed_answer_of_a_passkey_is_refused(archive, name, change, reason):
    members = dict(members_of(archive))
    signed = next(text for each, text in members.items() if each.startswith("signatures/") and b"presence" in text)
    said = json.loads(signed)["statement"]
    with pytest.raises(Refused, match=reason):
        _presence("here", said["presence"] | {name: change(said["presence"][name])}, said["contract_sha256"])


def test_an_answer_about_another_contract_or_of_nobody_is_refused(proven):
    digest, other = sha256(b"one").hexdigest(), sha256(b"other").hexdigest()
    presence = proven.presence(person(HAIDI), digest).as_record()
    _presence("here", presence, digest)
    with pytest.raises(Refused, match="something else"):
        _presence("here", presence, other)
    device = Device(SITE)
    options = json.dumps({"challenge": bytes_to_base64url(bytes(32) + bytes.fromhex(digest))})
    answer = json.loads(device.answer(options, flags=1))["response"]
    unverified = {
        "public_key": device.public_key.hex(), "client_data": base64url_to_bytes(answer["clientDataJSON"]).decode(),
        "authenticator_data": base64url_to_bytes(answer["authenticatorData"]).hex(),
        "signature": base64url_to_bytes(answer["signature"]).hex(),
    }  # fmt: skip
    with pytest.raises(Refused, match="did not verify"):
        _presence("here", unverified, digest)


def test_any_zip_program_reads_it_and_it_holds_what_was_said_and_sent(archive):
    with zipfile.ZipFile(BytesIO(archive)) as file:
        assert file.testzip() is None
        names = file.namelist()
        index = json.loads(file.read("messages/index.json"))["messages"]
        raw = {each["direction"]: file.read(f"messages/{each['sha256']}.raw") for each in index}
        contract = json.loads(file.read("contract.json"))
    assert raw["in"].decode() == X12
    assert b"ST*855*" in raw["out"] or b"ST*997*" in raw["out"]
    assert {"000000007"} <= {each["control_number"] for each in index}
    assert {each["sha256"] for each in contract["messages"]} <= {each["sha256"] for each in index}
    assert {"README.txt", "verify_evidence.py", "contract.pdf", "contract.xml", "certificates/buyer.pem"} <= set(names)


def test_every_offers_document_is_there_under_the_hash_its_statement_names(archive):
    members = dict(tampering.members_of(archive))
    statements = [json.loads(line)["statement"] for line in members["statements.jsonl"].splitlines()]
    offers = [each for each in statements if each["offer_id"]]
    assert offers
    for each in offers:
        text = members[f"documents/{each['document_sha256']}.json"]
        assert sha256(text).hexdigest() == each["document_sha256"]
        assert json.loads(text)["lines"]


def test_of_many_tampered_archives_each_is_refused_with_the_record_that_was_changed(archive, request):
    count = request.config.getoption("--tampered")
    kinds = (*tampering.PLAIN, *tampering.FORGED)
    for seed in range(count):
        kind = kinds[seed % len(kinds)]
        changed, record = kind(archive, random.Random(seed))
        with pytest.raises(Refused) as refused:
            verify(changed)
        assert refused.value.record == record, (seed, kind.__name__, str(refused.value))


def test_the_program_alone_says_the_same(archive, tmp_path):
    program = tmp_path / "verify_evidence.py"
    program.write_bytes(dict(tampering.members_of(archive))["verify_evidence.py"])
    sound = _run(program, archive)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    for seed in range(SUBPROCESSES):
        kind = (*tampering.PLAIN, *tampering.FORGED)[seed * 5]
        changed, record = kind(archive, random.Random(seed))
        refused = _run(program, changed)
        assert refused.returncode == 1, refused.stderr
        assert refused.stdout.startswith(f"REFUSED  {record}: ")


def _run(program: Path, archive: bytes) -> subprocess.CompletedProcess[str]:
    evidence = program.with_name("evidence.zip")
    evidence.write_bytes(archive)
    command = [sys.executable, "-I", str(program), str(evidence)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=program.parent)


def test_whom_the_reader_expects_must_have_signed(archive, proven):
    certificates = {"buyer": proven.keys[NINGBO].fingerprint, "seller": proven.keys[HAIDI].fingerprint}
    verify(archive, Pins(proven.hub.contracts.hub_key(), certificates))
    with pytest.raises(Refused, match="not with the hub's"):
        verify(archive, Pins("0" * 64))
    with pytest.raises(Refused) as refused:
        verify(archive, Pins(None, {**certificates, "buyer": certificates["seller"]}))
    assert refused.value.record == "certificates/buyer.pem"


def test_a_forger_with_a_manifest_of_his_own_is_found_by_the_hubs_key(archive, proven):
    with pytest.raises(Refused) as refused:
        verify(tampering.resealed(archive), Pins(proven.hub.contracts.hub_key()))
    assert refused.value.record == "manifest.json"


def test_evidence_is_the_same_bytes_but_for_its_time(archive, proven):
    again = dict(tampering.members_of(proven.evidence(proven.contract(HAIDI))))
    first = dict(tampering.members_of(archive))
    assert {name for name in first if first[name] != again.get(name)} <= {"manifest.json", "manifest.sig"}


def test_a_deal_whose_contract_nobody_signed_has_its_evidence_too(proven):
    found = verify(proven.evidence(proven.contract(DELTA)))
    assert not any("signed by" in each.detail for each in found)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_nothing_else(raw):
    with pytest.raises(Refused):
        verify(raw)


@given(
    st.lists(st.tuples(st.sampled_from(["manifest.json", "manifest.sig", "statements.jsonl"]), st.binary()), max_size=4)
)
def test_any_members_are_refused_and_nothing_else(members):
    again, torn = unpack(pack(members))
    assert [(each.name, each.content) for each in again] == members or torn is not None
    with pytest.raises(Refused):
        verify(pack(members))


def test_a_forgers_manifest_of_any_form_is_refused(archive):
    for name in ("contract.json", "messages/index.json", "signatures/buyer.json", "contract.xml", "contract.pdf"):
        for junk in (b"", b"[]", b"{}", b"null", b'{"statement":{}}', b"\xff", b"<a/>"):
            members = dict(tampering.members_of(archive)) | {name: junk}
            with pytest.raises(Refused):
                verify(tampering.resealed(pack(list(members.items()))))


@pytest.fixture(scope="module")
def with_files(proven) -> bytes:
    """The evidence of a deal in which an offer and a comment name a file each."""
    return proven.evidence(proven.contract(DELTA))


def test_the_files_that_statements_name_are_in_the_archive(with_files):
    found = {each.what: each.detail for each in verify(with_files)}
    assert found["attachments"].startswith("2 as ")
    members = dict(members_of(with_files))
    assert {members[f"attachments/{sha256(each).hexdigest()}"] for each in (DRAWING, SHEET)} == {DRAWING, SHEET}
    digest = sha256(DRAWING).hexdigest()
    assert json.loads(members["contract.json"])["terms"][f"attachments.{digest}"] == "V-22 rev C.pdf"


@pytest.mark.parametrize("content", [DRAWING, SHEET])
def test_a_changed_file_is_named_even_under_a_new_seal(with_files, content):
    name = f"attachments/{sha256(content).hexdigest()}"
    changed = tampering._with(members_of(with_files), name, content + b"x")
    with pytest.raises(Refused) as refused:
        verify(changed)
    assert refused.value.record == name
    with pytest.raises(Refused, match="SHA-256 that its statement names") as refused:
        verify(tampering.resealed(changed))
    assert refused.value.record == name


def test_a_file_left_out_or_added_is_named_even_under_a_new_seal(with_files):
    name, other = f"attachments/{sha256(DRAWING).hexdigest()}", f"attachments/{sha256(b'other').hexdigest()}"
    with pytest.raises(Refused, match="statement 2 names it") as refused:
        verify(_listed(with_files, {name: None}))
    assert refused.value.record == name
    with pytest.raises(Refused, match="no statement names it") as refused:
        verify(_listed(with_files, {other: b"other"}))
    assert refused.value.record == other


def test_the_standard_terms_referred_to_stand_in_the_contract_and_in_the_archive(with_files):
    found = {each.what: each.detail for each in verify(with_files)}
    assert found["standard terms"].startswith("1 of ")
    members = dict(members_of(with_files))
    (name,) = [each for each in members if each.startswith("standard-terms/")]
    digest = name.removeprefix("standard-terms/").removesuffix(".json")
    assert json.loads(members[name])["texts"] == {"en": STANDING}
    assert json.loads(members["contract.json"])["standard_terms"] == {"buyer": None, "seller": digest}
    assert f'role="seller">{digest}<'.encode() in members["contract.xml"]
    changed = tampering.resealed(tampering._with(members_of(with_files), name, b"{}"))
    with pytest.raises(Refused, match="SHA-256 that its statement names") as refused:
        verify(changed)
    assert refused.value.record == name
    other = f"standard-terms/{sha256(b'{}').hexdigest()}.json"
    with pytest.raises(Refused, match="no statement names it"):
        verify(_listed(with_files, {other: b"{}"}))


def _listed(archive: bytes, changes: dict[str, bytes | None]) -> bytes:
    """Return the archive with members added or taken out, and a manifest that lists them so."""
    members = dict(members_of(archive)) | changes
    kept = {name: content for name, content in members.items() if content is not None}
    manifest = json.loads(kept["manifest.json"])
    names = [name for name in kept if not name.startswith("manifest.")]
    manifest["members"] = [{"name": name, "length": 0, "sha256": ""} for name in names]
    return tampering.resealed(pack([*(kept | {"manifest.json": json.dumps(manifest).encode()}).items()]))
