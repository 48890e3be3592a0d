"""Signing: each side's signatures are good to judges that are not ours, and none is made that should not be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from lxml import etree
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier
from sqlalchemy import text

from tests.contracting.proven import DELTA, HAIDI, NINGBO, Proven, person
from tests.contracting.tampering import members_of
from tests.trade_fulfilment import concluded
from tradehub.contracting import clauses, keyring, keys, pades, signing
from tradehub.contracting.evidence import Record
from tradehub.contracting.execution import Parts
from tradehub.contracting.keys import UnusableKey
from tradehub.contracting.model import Conflict, Refused
from tradehub.contracting.service import ContractService
from tradehub.contracting.verify_evidence import verify
from tradehub.documents.parts import Party
from tradehub.platform import clock
from tradehub.platform.sealing import Sealer, Tampered

DS = "{http://www.w3.org/2000/09/xmldsig#}"
AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


# --- judges that are not ours --------------------------------------------------------------------------------------


def test_pdfsig_finds_both_signatures_valid(archive, tmp_path):
    if shutil.which("pdfsig") is None:
        pytest.skip("pdfsig is not installed: apt-get install poppler-utils")
    path = tmp_path / "contract.pdf"
    path.write_bytes(dict(members_of(archive))["contract.pdf"])
    said = subprocess.run(["pdfsig", str(path)], capture_output=True, text=True, check=False).stdout
    assert sorted(re.findall(r"Signature Field Name: (\w+)", said)) == ["buyer", "seller"]
    assert said.count("Signature Validation: Signature is Valid.") == 2
    assert said.count("Signature Type: ETSI.CAdES.detached") == 2
    assert said.count("- Total document signed") == 1


def test_pyhanko_trusts_both_signatures_where_the_certificates_are_trusted(archive, proven):
    roots = [pades._asn1(proven.keys[org].certificate) for org in (HAIDI, NINGBO)]
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    reader = PdfFileReader(BytesIO(dict(members_of(archive))["contract.pdf"]))
    judged = [validate_pdf_signature(each, context) for each in reader.embedded_signatures]
    assert [(each.bottom_line, each.coverage.name) for each in judged] == [
        (True, "ENTIRE_REVISION"),
        (True, "ENTIRE_FILE"),
    ]


def test_signxml_finds_both_signatures_in_the_xml_valid(archive, proven):
    root = etree.fromstring(dict(members_of(archive))["contract.xml"])
    assert len(root.findall(f"{DS}Signature")) == 2
    for position, org in enumerate((HAIDI, NINGBO)):
        one = deepcopy(root)
        one.remove(one.findall(f"{DS}Signature")[1 - position])
        config = XAdESSignatureConfiguration(require_x509=True, expect_references=3)
        found = XAdESVerifier().verify(one, x509_cert=proven.keys[org].certificate, expect_config=config)
        assert any(each.signed_xml is not None and each.signed_xml.tag.endswith("}contract") for each in found)


def test_the_pdf_holds_the_contract_as_json_and_says_its_language(archive):
    members = dict(members_of(archive))
    reader = PdfFileReader(BytesIO(members["contract.pdf"]))
    files = reader.root["/Names"]["/EmbeddedFiles"]
    attached = [each for each in _leaves(files) if not isinstance(each, str)]
    assert members["contract.json"] in [each.get_object()["/EF"]["/F"].data for each in attached]
    assert reader.root["/Lang"] == "zh-Hans"


def _leaves(node):
    found = list(node.get("/Names", ()))
    for kid in node.get("/Kids", ()):
        found += _leaves(kid)
    return found


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.fixture
def unsigned(proven: Proven):
    return proven.contract(DELTA), proven.prepare(proven.contract(DELTA))


def _attempt(proven, contract, bundle, who=None, **more):
    asked = {"version": 1, "expected_sha256": bundle.json_sha256, "key": proven.keys[HAIDI], **more}
    proven.hub.contracts.sign(who or person(HAIDI), contract.id, **asked)


def test_who_has_not_typed_the_password_lately_signs_nothing(proven, unsigned):
    for who in (
        replace(person(HAIDI), fresh_until=None),
        replace(person(HAIDI), fresh_until=clock.now() - timedelta(seconds=1)),
        replace(person(HAIDI), session=None),
    ):
        with pytest.raises(Refused, match="NOT_FRESH"):
            _attempt(proven, *unsigned, who=who)


def test_another_text_than_the_one_shown_is_not_signed(proven, unsigned):
    with pytest.raises(Conflict):
        _attempt(proven, *unsigned, expected_sha256="0" * 64)
    with pytest.raises(Conflict):
        _attempt(proven, *unsigned, version=2)


def test_nobody_signs_twice_or_without_a_key(proven, unsigned):
    contract = proven.contract(HAIDI)
    with pytest.raises(Refused, match="SIGNED_ALREADY"):
        _attempt(proven, contract, proven.prepare(contract))
    with pytest.raises(Refused, match="NO_KEY"):
        _attempt(proven, *unsigned, key=None)


def test_to_prepare_again_changes_nothing(proven):
    contract = proven.contract(HAIDI)
    assert proven.prepare(contract).json_sha256 == proven.prepare(contract).json_sha256


# --- without a hub, on both databases ------------------------------------------------------------------------------


class PlainPages:
    """A typesetter whose one page is always the same."""

    def __init__(self) -> None:
        weasyprint = pytest.importorskip("weasyprint")
        self.page = weasyprint.HTML(string="<p>contract</p>").write_pdf()
        self.can = True

    def clauses(self, contract, texts):
        return {each.language: "text" for each in texts}

    def pdf(self, contract, canonical_text, json_sha256, *, is_draft=False):
        return self.page

    def can_typeset(self):
        return self.can


class Bench:
    def __init__(self, database, payloads) -> None:
        self.signed: list[tuple[str, str]] = []
        self.pages = PlainPages()
        self.sealer = Sealer(b"a secret of this installation")
        statement = {"number": 1, "deal_id": "deal-1", "text": "", "kind": "offer", "by_id": "x", "at": "x"}
        values = json.dumps(statement, sort_keys=True, separators=(",", ":"))
        entry = {"statement": statement, "previous": "0" * 64, "hash": sha256(("0" * 64 + values).encode()).hexdigest()}
        self.service = ContractService(
            Parts(
                database=database, payloads=payloads, sealer=lambda: self.sealer,
                record=lambda deal: Record({"id": deal}, (entry,)),
                party=lambda session, party: Party(role="", name=party.title()),
                language=lambda session, party: "en", typesetter=self.pages,
                on_signed=lambda session, contract, party, at: self.signed.append((contract.deal_id, party)),
            )
        )  # fmt: skip
        with database.write() as session:
            self.contract_id = self.service.record(session, concluded(seller=DELTA))
        self.bundle = self.service.prepare(person(HAIDI), self.contract_id)
        self.database = database
        self.keys = {org: keys.make(org.title(), org, at=clock.now()) for org in (HAIDI, DELTA)}

    def sign(self, org, key=None, **more) -> None:
        asked = {"version": 1, "expected_sha256": self.bundle.json_sha256, "key": key or self.keys[org], **more}
        self.service.sign(person(org), self.contract_id, **asked)

    def waits_for(self) -> set[str]:
        """Return whose work queue has the contract."""
        waiting = set()
        for org in (HAIDI, DELTA, NINGBO):
            with self.database.read(org) as session:
                waiting |= {org} if self.service.to_sign(session, org) else set()
        return waiting


@pytest.fixture
def bench(database, payloads) -> Bench:
    return Bench(database, payloads)


def test_both_sides_sign_and_the_hub_is_told_of_each(bench):
    assert bench.waits_for() == {HAIDI, DELTA}
    bench.sign(HAIDI)
    assert bench.signed == [("deal-1", HAIDI)]
    assert bench.waits_for() == {DELTA}
    bench.sign(DELTA)
    assert bench.waits_for() == set()
    assert bench.signed == [("deal-1", HAIDI), ("deal-1", DELTA)]
    found = verify(bench.service.evidence("deal-1"))
    assert sum("signed by" in each.detail for each in found) == 2


def test_two_who_sign_at_once_both_have_signed(bench, database, monkeypatch):
    barrier, first = threading.Barrier(2), set()
    sign_pdf = signing.sign_pdf

    def together(pdf, role, key, *, at):
        if role not in first:
            first.add(role)
            barrier.wait(10)
        return sign_pdf(pdf, role, key, at=at)

    monkeypatch.setattr(signing, "sign_pdf", together)
    threads = [threading.Thread(target=bench.sign, args=(org,)) for org in (HAIDI, DELTA)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    assert sorted(bench.signed) == [("deal-1", DELTA), ("deal-1", HAIDI)]
    verify(bench.service.evidence("deal-1"))


def test_both_sides_do_not_sign_with_one_certificate(bench):
    bench.sign(HAIDI)
    with pytest.raises(Refused, match="SAME_CERTIFICATE"):
        bench.sign(DELTA, bench.keys[HAIDI])


def test_a_contract_that_ended_is_not_signed(bench, database):
    with database.write() as session:
        bench.service.move_on(session, "deal-1", "terminated", clock.now())
    with pytest.raises(Refused, match="ENDED"):
        bench.sign(HAIDI)


def test_without_a_typesetter_the_json_and_the_xml_are_signed(database, payloads, monkeypatch):
    monkeypatch.setattr(PlainPages, "can_typeset", lambda self: False)
    bench = Bench(database, payloads)
    bench.sign(HAIDI)
    bench.sign(DELTA)
    archive = bench.service.evidence("deal-1")
    assert "contract.pdf" not in dict(members_of(archive))
    assert sum("signed by" in each.detail for each in verify(archive)) == 2


def test_an_amended_contract_is_signed_anew_and_the_earlier_version_stays_proven(bench, database):
    bench.sign(HAIDI)
    bench.sign(DELTA)
    dearer = concluded().offer.model_copy(update={"currency": "EUR"})
    with database.write() as session:
        bench.service.amend(session, "deal-1", dearer, HAIDI, clock.now())
    with pytest.raises(Conflict):
        bench.sign(HAIDI)
    bench.bundle = bench.service.prepare(person(DELTA), bench.contract_id)
    bench.sign(HAIDI, version=2)
    archive = bench.service.evidence("deal-1")
    names = dict(members_of(archive))
    assert {"earlier/1/contract.pdf", "earlier/1/signatures/seller.json", "signatures/buyer.json"} <= set(names)
    assert "signatures/seller.json" not in names
    assert sum("signed by" in each.detail for each in verify(archive)) == 3


def test_a_template_is_chosen_until_somebody_has_signed(bench, database, payloads):
    with database.write(org=HAIDI) as session:
        made = clauses.save(session, org=HAIDI, text="# Ours {{buyer}}", by="u", at=AT, name="Frame", language="en")
        contract = bench.service.contract(session, bench.contract_id)
        bench.service.unprepare(session, contract)
        clauses.choose(contract.versions[-1], made, payloads)
    bench.bundle = bench.service.prepare(person(HAIDI), bench.contract_id)
    with database.write(org=HAIDI) as session:
        clauses.save(session, org=HAIDI, text="# Other", by="u", at=AT, template_id=made.id)
    bench.sign(DELTA)
    with database.write(org=HAIDI) as session:
        contract = bench.service.contract(session, bench.contract_id)
        named = contract.versions[-1].templates["en"]
        assert (named["id"], named["version"]) == (made.id, 1)
        with pytest.raises(Refused, match="SIGNED_ALREADY"):
            bench.service.unprepare(session, contract)


def test_a_contract_is_not_taken_back_from_under_a_signature(bench, database, monkeypatch):
    """Delta chooses another template in the very moment in which the signature of Haidi is kept."""
    refused, note = [], bench.service._note

    def choose() -> None:
        try:
            with database.write(org=DELTA) as session:
                bench.service.choose_template(session, bench.contract_id, None, "en")
        except Refused as error:
            refused.append(error.rule)

    chooser = threading.Thread(target=choose)

    def noted(*what: object) -> None:
        note(*what)
        chooser.start()
        chooser.join(0.3)

    monkeypatch.setattr(bench.service, "_note", noted)
    bench.sign(HAIDI)
    chooser.join(20)
    assert refused == ["SIGNED_ALREADY"]


# --- keys ----------------------------------------------------------------------------------------------------------


def test_a_key_that_the_hub_holds_signs_and_is_sealed_in_the_database(bench, database):
    with database.write(org=HAIDI) as session:
        row = keyring.keep(session, bench.sealer, bench.keys[HAIDI], org=HAIDI, origin="made", by="u", at=AT)
    bench.service.sign(person(HAIDI), bench.contract_id, version=1, expected_sha256=bench.bundle.json_sha256)
    with database.read() as session:
        dump = str(session.execute(text("SELECT * FROM signing_keys")).all())
    for secret in (bench.keys[HAIDI].key_der, bench.keys[HAIDI].head_key.private_bytes_raw()):
        assert secret.hex() not in dump
        assert str(secret) not in dump
    with database.read(org=DELTA) as session:
        assert keyring.listed(session, DELTA) == []
        assert keyring.held(session, HAIDI, at=AT) is None
    for change in (
        {"sealed_key": row.sealed_head_key},
        {"org": DELTA},
        {"sealed_key": row.sealed_key[:-8] + "AAAAAAA="},
    ):
        kept = {name: getattr(row, name) for name in change}
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(Tampered):
            keyring.opened(row, bench.sealer)
        for name, value in kept.items():
            setattr(row, name, value)
    with pytest.raises(Tampered):
        keyring.opened(row, Sealer(b"of another installation"))


def test_a_new_key_retires_the_one_before_and_a_retired_one_does_not_sign(bench, database):
    with database.write(org=HAIDI) as session:
        first = keyring.keep(session, bench.sealer, bench.keys[HAIDI], org=HAIDI, origin="made", by="u", at=AT)
        second = keyring.keep(session, bench.sealer, bench.keys[DELTA], org=HAIDI, origin="brought", by="u", at=AT)
        assert first.retired_at == AT
        assert keyring.held(session, HAIDI, at=AT) is second
        keyring.retire(session, second.id, by="u", at=AT)
        assert keyring.held(session, HAIDI, at=AT) is None


def brought(key, password="pw", *, usage=None, days=(-1, 400), at=AT) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Haidi Trading")])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(at + timedelta(days=days[0])).not_valid_after(at + timedelta(days=days[1]))
    )  # fmt: skip
    if usage is not None:
        flags = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(**{**flags, usage: True}), critical=True)
    ed25519 = isinstance(key, Ed25519PrivateKey)
    certificate = builder.sign(key, None if ed25519 else hashes.SHA256())
    encryption = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"key", key, certificate, None, encryption)


RSA = rsa.generate_private_key(65537, 2048)


def test_an_rsa_key_brought_for_the_act_signs(bench):
    bench.sign(HAIDI, keys.from_pkcs12(brought(RSA, at=clock.now()), "pw", at=clock.now()))
    bench.sign(DELTA)
    verify(bench.service.evidence("deal-1"))


@pytest.mark.parametrize(
    ("file", "password", "rule"),
    [
        (lambda: brought(RSA), "wrong", "unreadable"),
        (lambda: b"not a key", "pw", "unreadable"),
        (lambda: b"", "pw", "unreadable"),
        (lambda: b"x" * (keys.PKCS12_MAX + 1), "pw", "size"),
        (lambda: brought(RSA, days=(-9, -1)), "pw", "expired"),
        (lambda: brought(RSA, days=(1, 9)), "pw", "not_yet_valid"),
        (lambda: brought(RSA, usage="key_encipherment"), "pw", "usage"),
        (lambda: brought(rsa.generate_private_key(65537, 1024)), "pw", "weak"),
        (lambda: brought(Ed25519PrivateKey.generate()), "pw", "kind"),
        (lambda: _encrypted(2_100_000), "pw", "rounds"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_by_its_rule(file, password, rule):
    with pytest.raises(UnusableKey) as refused:
        keys.from_pkcs12(file(), password, at=AT)
    assert refused.value.rule == rule


def _encrypted(rounds: int) -> bytes:
    """A file that would keep a server busy."""
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder().kdf_rounds(rounds)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).build(b"pw")
    )  # fmt: skip
    key = keys.make("Haidi", HAIDI, at=AT)
    return pkcs12.serialize_key_and_certificates(b"key", key.key, key.certificate, None, encryption)
