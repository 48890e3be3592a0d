"""Check an evidence file of a deal, without the hub that wrote it.

    python -I verify_evidence.py EVIDENCE.zip [--hub KEY] [--buyer CERTIFICATE] [--seller CERTIFICATE]

Needs Python 3.9 or later and the package ``cryptography`` (42 or later), nothing else. Exit status 0: everything is as it was
written; 1: something is not, and the first record that is not is named; 2: it could not be looked at.

The options say whom you expect: the hub's Ed25519 key, and the SHA-256 of each party's certificate, in hexadecimal, as
you learnt them by another way than from this file. Without them the file is held to the keys that it names itself:
then nobody can have changed it without those keys, but compare the fingerprints that are printed.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import struct
import sys
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

FORMAT = "tradehub-evidence/1"
FIRST = "0" * 64
"""What stands before the first statement of a deal."""
ROLES = ("buyer", "seller")

MEMBERS_MAX = 65_000
_DIRECTORY = "the directory of the archive"
SIZE_MAX = 2**32 - 2**24
"""Bytes of an evidence file: the directory of a zip without extensions counts to 4 GiB."""


class Refused(Exception):
    """The first record that is not as it was written, and what is wrong with it."""

    def __init__(self, record: str, reason: str) -> None:
        super().__init__(f"{record}: {reason}")
        self.record, self.reason = record, reason


@dataclass(frozen=True)
class Pins:
    """Whom the reader expects: the hub's key and the parties' certificates (SHA-256), in hexadecimal."""

    hub: str | None = None
    certificates: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def _reading(record: str) -> Iterator[None]:
    """Refuse ``record`` where it does not have the form that a reader relies on."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        raise Refused(record, "not of the form that it should have") from None


class Found(NamedTuple):
    """What was looked at and found sound."""

    what: str
    detail: str


def verify(archive: bytes, pins: Pins = Pins()) -> list[Found]:
    """Return what was checked. Raises Refused with the first bad record."""
    members, torn = unpack(archive)
    names = [each.name for each in members]
    parts = {each.name: each.content for each in members}
    if torn is not None and torn.position < 2:
        raise Refused(("manifest.json", "manifest.sig")[torn.position], torn.reason)
    manifest = _manifest(members, pins)
    expected = ["manifest.json", "manifest.sig", *(each["name"] for each in manifest["members"])]
    _same_contents(manifest["members"], parts, manifest)
    if torn is not None:
        raise Refused((*expected, _DIRECTORY)[min(torn.position, len(expected))], torn.reason)
    _same_names(expected, names)
    found = [Found("archive", f"{len(names)} members, each as listed in the signed manifest")]
    statements = _statements(parts["statements.jsonl"], manifest)
    found.append(Found("statements", f"{len(statements)} in one chain, head {manifest['chain']['head']}"))
    if "histories.json" in parts:
        with _reading("histories.json"):
            found.append(Found("histories", _histories(statements, parts["histories.json"])))
    with _reading("documents"):
        found.append(Found("documents", f"{_documents(statements, parts)} bound by their statements"))
    with _reading("attachments"):
        found.append(Found("attachments", f"{_attachments(statements, parts)} as their offers and comments name them"))
    with _reading("standard-terms"):
        found.append(Found("standard terms", f"{_standard_terms(statements, parts)} of those that were referred to"))
    with _reading("messages/index.json"):
        found.append(Found("messages", f"{_messages(statements, parts)} as received or sent"))
    for each in manifest["contracts"]:
        with _reading("the contract"):
            found += _contract(each, manifest, statements, parts, pins)
    found.append(Found("hub key", manifest["hub"]["key"] + ("" if pins.hub else " (compare it)")))
    _same_archive(members, archive)
    return found


# --- the archive ---------------------------------------------------------------------------------------------------


class Member(NamedTuple):
    """``is_whole``: the content has the checksum that stands before it."""

    name: str
    content: bytes
    is_whole: bool = True


_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_MODE = 0o100644 << 16
_DAY = 0x21
"""1 January 1980: an archive of the same members is the same bytes whenever it is written."""


def pack(members: Iterable[tuple[str, bytes] | Member]) -> bytes:
    """Return the one archive that holds these members in this order: stored, with no date of its own."""
    local, central = bytearray(), bytearray()
    count = 0
    for count, (name, content, *_) in enumerate(members, 1):
        raw = name.encode("ascii")
        size, crc, at = len(content), zlib.crc32(content), len(local)
        local += _LOCAL.pack(b"PK\3\4", 10, 0, 0, 0, _DAY, crc, size, size, len(raw), 0) + raw + content
        central += _CENTRAL.pack(
            b"PK\1\2", 3 << 8 | 20, 10, 0, 0, 0, _DAY, crc, size, size, len(raw), 0, 0, 0, 0, _MODE, at
        )
        central += raw
        if len(local) > SIZE_MAX or count > MEMBERS_MAX:
            raise ValueError("too much for one archive")
    end = _END.pack(b"PK\5\6", 0, 0, count, count, len(central), len(local), 0)
    return bytes(local + central + end)


class Torn(NamedTuple):
    """Where the archive cannot be read on: at its member of that position, counted from 0."""

    position: int
    reason: str


def unpack(archive: bytes) -> tuple[list[Member], Torn | None]:
    """Return the members from the front on, and what keeps the rest from being read, if something does.

    A member that is cut off comes last, as far as it goes.
    """
    members: list[Member] = []
    at = 0
    while True:
        start, position = archive[at : at + 4], len(members)
        if start == b"PK\1\2" and members:
            return members, None
        if start != b"PK\3\4" or len(archive) < at + _LOCAL.size:
            return members, Torn(position, "does not begin where it should: cut off, or a length was changed")
        header = _LOCAL.unpack_from(archive, at)
        size, name_length = header[8], header[9]
        begin = at + _LOCAL.size + name_length + header[10]
        raw = archive[at + _LOCAL.size : at + _LOCAL.size + name_length]
        name = raw.decode("ascii", "backslashreplace")
        if begin + size > len(archive):
            return [*members, Member(name, archive[begin:], False)], Torn(
                position, "cut off, or its length was changed"
            )
        content = archive[begin : begin + size]
        is_whole = zlib.crc32(content) == header[6]
        if not is_whole and archive[begin + size : begin + size + 4] not in (b"PK\3\4", b"PK\1\2"):
            return members, Torn(position, "its length was changed")
        members.append(Member(name, content, is_whole))
        if len(members) > MEMBERS_MAX:
            return members, Torn(position, "one member more than an archive of evidence has")
        at = begin + size


def _same_names(expected: Sequence[str], names: Sequence[str]) -> None:
    for position, name in enumerate(expected):
        there = names[position] if position < len(names) else None
        if there == name:
            continue
        if name not in names:
            raise Refused(name, "missing")
        if there not in expected:
            raise Refused(str(there), "added: the manifest does not list it")
        raise Refused(name, f"not in its place: {there} is there")
    for there in names[len(expected) :]:
        raise Refused(there, "added: the manifest does not list it")


def _same_contents(
    listed: Sequence[Mapping[str, Any]], parts: Mapping[str, bytes], manifest: Mapping[str, Any]
) -> None:
    for each in listed:
        name, content = each["name"], parts.get(each["name"])
        if content is None:
            continue  # _same_names says so, in the order of the archive
        if (len(content), _sha256(content)) == (each["length"], each["sha256"]):
            continue
        if name == "statements.jsonl":
            _statements(content, manifest)
        raise Refused(name, f"changed: SHA-256 {_sha256(content)}, listed {each['sha256']}")


def _same_archive(members: Sequence[Member], archive: bytes) -> None:
    """Hold every byte that is no member's content to the one way of writing the archive."""
    again = pack(members)
    if again == archive:
        return
    at = next((i for i, (a, b) in enumerate(zip(again, archive)) if a != b), min(len(again), len(archive)))  # noqa: B905
    reach = 0
    for each in members:
        reach += _LOCAL.size + len(each.name) + len(each.content)
        if at < reach:
            raise Refused(each.name, f"its header was changed, at byte {at} of the archive")
    raise Refused(_DIRECTORY, f"changed at byte {at}")


# --- the manifest --------------------------------------------------------------------------------------------------


def _manifest(members: Sequence[Member], pins: Pins) -> dict[str, Any]:
    for position, name in enumerate(("manifest.json", "manifest.sig")):
        if len(members) <= position or members[position].name != name:
            raise Refused(name, "missing, or not in its place")
    raw, signature = members[0].content, members[1].content
    manifest: dict[str, Any] = _json(raw, "manifest.json")
    try:
        key = manifest["hub"]["key"]
        chain, listed = manifest["chain"], manifest["members"]
        shape = (manifest["format"], isinstance(chain["length"], int), isinstance(chain["head"], str))
        sound = shape == (FORMAT, True, True) and all({"name", "sha256", "length"} <= set(each) for each in listed)
        sound = sound and isinstance(manifest["contracts"], list) and isinstance(manifest["deal"]["id"], str)
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise Refused("manifest.json", f"not a manifest of {FORMAT}")
    if not re.fullmatch(rb"[0-9a-f]{128}\n", signature):
        raise Refused("manifest.sig", "not a signature")
    try:
        _ed25519(str(key), bytes.fromhex(signature[:-1].decode()), raw)
    except InvalidSignature:
        changed = "manifest.json" if members[1].is_whole else "manifest.sig"
        raise Refused(changed, "the hub's signature (manifest.sig) is not of this manifest") from None
    if pins.hub is not None and key != pins.hub.lower():
        raise Refused("manifest.json", f"signed with the key {key}, not with the hub's")
    if not any(each["name"] == "statements.jsonl" for each in listed):
        raise Refused("statements.jsonl", "missing")
    return manifest


# --- statements, documents, messages -------------------------------------------------------------------------------


def _statements(raw: bytes, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each statement with its hash, the chain followed from the first to the head that the manifest names."""
    chain = manifest["chain"]
    *lines, rest = raw.split(b"\n")
    previous, found = FIRST, []
    for number, line in enumerate(lines, 1):
        record = f"statement {number}"
        if number > chain["length"]:
            raise Refused(record, "added after the end of the chain")
        entry = _json(line, record)
        statement = entry.get("statement") if isinstance(entry, dict) else None
        if not isinstance(statement, dict) or set(entry) != {"statement", "previous", "hash"}:
            raise Refused(record, "not a statement")
        if statement.get("number") != number:
            raise Refused(record, f"missing or not in its place: number {statement.get('number')} is there")
        if statement.get("deal_id") != manifest["deal"]["id"]:
            raise Refused(record, "of another deal")
        if entry["previous"] != previous:
            raise Refused(record, "not bound to the statement before it")
        if _sha256((previous + _plain(statement)).encode()) != entry["hash"]:
            raise Refused(record, "changed: its values do not have its hash")
        if line != _plain(entry).encode():
            raise Refused(record, "not written as a statement is")
        previous = entry["hash"]
        found.append({**statement, "hash": previous})
    if rest:
        raise Refused(f"statement {len(found) + 1}", "cut off")
    if len(found) < chain["length"]:
        raise Refused(f"statement {len(found) + 1}", "missing at the end of the chain")
    if previous != chain["head"]:
        raise Refused(f"statement {len(found)}", "not the head of the chain that the manifest names")
    return found


def _histories(statements: Sequence[Mapping[str, Any]], content: bytes) -> str:
    """Hold what messages said of this history to it: each claim names a statement of it, or is told not to."""
    claims = _json(content, "histories.json")["claims"]
    differing = 0
    for number, each in enumerate(claims, 1):
        seen, record = each["seen_length"], f"histories.json, claim {number}"
        if f".{seen}.{each['seen_head']}.".upper() not in each["claim"]:
            raise Refused(record, "not as the message said it")
        is_ours = seen == 0 or (seen <= len(statements) and statements[seen - 1]["hash"] == each["seen_head"])
        if is_ours != (each["verdict"] != "unknown"):
            raise Refused(record, "said to be known and is not" if not is_ours else "said to be unknown and is known")
        differing += each["verdict"] != "known"
    return f"{len(claims)} named by messages, {differing} not like this one"


def _documents(statements: Sequence[Mapping[str, Any]], parts: Mapping[str, bytes]) -> int:
    stated = {each.get(name) for each in statements for name in ("document_sha256", "source_sha256")}
    for each in statements:
        if each.get("offer_id") and f"documents/{each['document_sha256']}.json" not in parts:
            raise Refused(f"statement {each['number']}", f"its document {each['document_sha256']} is missing")
    return _held("documents/", ".json", stated, parts)


def _attachments(statements: Sequence[Mapping[str, Any]], parts: Mapping[str, bytes]) -> int:
    """Hold each file to the SHA-256 that a statement, or the document of one, names it by; none may be missing.

    What a partner's message names came another way, if at all: that one may be missing.
    """
    named: dict[str, str] = {}
    by_message: set[str] = set()
    for each in statements:
        record = f"statement {each['number']}"
        found = [digest for digest, _ in each.get("particulars", {}).get("attachments", [])]
        if each.get("offer_id"):
            document = f"documents/{each['document_sha256']}.json"
            stated = _json(parts[document], document).get("attachments", [])
            found += [file["sha256"] for file in stated if file.get("sha256")]
        named.update(dict.fromkeys(found, record))
        by_message.update(found if each.get("channel") == "message" else ())
    _held("attachments/", "", named, parts)
    for digest, record in named.items():
        if f"attachments/{digest}" not in parts and digest not in by_message:
            raise Refused(f"attachments/{digest}", f"missing: {record} names it")
    return len(named)


def _standard_terms(statements: Sequence[Mapping[str, Any]], parts: Mapping[str, bytes]) -> int:
    """Hold each text of standard terms to the SHA-256 that a statement refers to it by; one published elsewhere is not
    here."""
    stated = [each.get("particulars", {}) for each in statements]
    named = {each.get("standard_terms") for one in stated for each in (one, one.get("offer", {}))}
    return _held("standard-terms/", ".json", named, parts)


def _held(folder: str, suffix: str, named: Container[str | None], parts: Mapping[str, bytes]) -> int:
    """Hold everything in a folder to the SHA-256 that it is called by and that a statement names; return how many."""
    count = 0
    for name, content in _under(folder, parts):
        digest = name.removeprefix(folder).removesuffix(suffix)
        if _sha256(content) != digest:
            raise Refused(name, "changed: it does not have the SHA-256 that its statement names")
        if digest not in named:
            raise Refused(name, "no statement names it")
        count += 1
    return count


def _messages(statements: Sequence[Mapping[str, Any]], parts: Mapping[str, bytes]) -> int:
    index = _json(parts.get("messages/index.json", b""), "messages/index.json")
    listed = {each["sha256"] for each in index["messages"]}
    for name, content in _under("messages/", parts):
        if name == "messages/index.json":
            continue
        digest = name.removeprefix("messages/").removesuffix(".raw")
        if _sha256(content) != digest:
            raise Refused(name, "changed: it does not have its SHA-256")
        if digest not in listed:
            raise Refused(name, "the index of messages does not list it")
    for each in index["messages"]:
        name = f"messages/{each['sha256']}.raw"
        if name not in parts or len(parts[name]) != each["length"]:
            raise Refused(name, "missing or of another length")
    known = {each["id"] for each in index["messages"]} | set(index["not_kept"])
    for statement in statements:
        if statement.get("message_id") and statement["message_id"] not in known:
            raise Refused(f"statement {statement['number']}", f"its message {statement['message_id']} is missing")
    return len(index["messages"])


# --- the contract and its signatures -------------------------------------------------------------------------------


def _contract(
    named: Mapping[str, Any],
    manifest: Mapping[str, Any],
    statements: Sequence[Mapping[str, Any]],
    parts: Mapping[str, bytes],
    pins: Pins,
) -> list[Found]:
    folder = named["folder"]
    record = f"{folder}contract.json"
    raw = parts.get(record)
    if raw is None:
        raise Refused(record, "missing")
    contract = _json(raw, record)
    chain, terms = contract["chain"], contract["terms"]
    if (contract["deal"], contract["number"], contract["version"]) != (
        manifest["deal"]["id"], named["number"], named["version"],
    ):  # fmt: skip
        raise Refused(record, "another contract than the manifest names")
    if _sha256(_compact(terms).encode()) != contract["terms_hash"]:
        raise Refused(record, "its terms do not have the hash agreed on")
    _at_head(chain, statements, record)
    _accepted(record, contract, manifest, statements)
    kept = {each["sha256"] for each in _json(parts["messages/index.json"], "messages/index.json")["messages"]}
    for each in contract["messages"]:
        if each["sha256"] not in kept:
            raise Refused(f"messages/{each['sha256']}.raw", f"missing, though {record} names it")
    name = f"contract {contract['number']} version {contract['version']}"
    found = [Found(name, f"terms {contract['terms_hash']}")]
    signed = {}
    for role in ROLES:
        if role in named["signed"]:
            signed[role] = _signature(role, folder, raw, contract, statements, parts, pins)
            subject = signed[role].subject.rfc4514_string()
            note = "" if role in pins.certificates else " (compare the fingerprint)"
            found.append(
                Found(f"{name}, {role}", f"signed by {subject}, certificate {_fingerprint(signed[role])}{note}")
            )
    stated = {role: _json(parts[f"{folder}signatures/{role}.json"], role)["statement"] for role in signed}
    _pdf(f"{folder}contract.pdf", parts.get(f"{folder}contract.pdf"), signed, stated)
    _xml(f"{folder}contract.xml", parts.get(f"{folder}contract.xml"), signed, stated)
    return found


def _accepted(
    record: str,
    contract: Mapping[str, Any],
    manifest: Mapping[str, Any],
    statements: Sequence[Mapping[str, Any]],
) -> None:
    """Hold a contract to the statement that made it. Silence makes one that is called by the offer (R19); a contract
    from before each named its acceptance says nothing, or its deal."""
    named = contract.get("acceptance", manifest["deal"]["id"]).split(":")[0]
    if named not in {manifest["deal"]["id"], *(each.get("id") for each in statements[: contract["chain"]["length"]])}:
        raise Refused(record, f"no statement {named} accepted anything")


def _signature(
    role: str,
    folder: str,
    raw: bytes,
    contract: Mapping[str, Any],
    statements: Sequence[Mapping[str, Any]],
    parts: Mapping[str, bytes],
    pins: Pins,
) -> x509.Certificate:
    """Check a party's signature on the chain's head, by its Ed25519 key and by the key of its certificate."""
    record = f"{folder}signatures/{role}.json"
    if record not in parts:
        raise Refused(record, "missing")
    signature = _json(parts[record], record)
    certificate = _certificate(f"{folder}certificates/{role}.pem", parts)
    statement = signature["statement"]
    said = _compact(statement).encode()
    try:
        _ed25519(statement["key"], bytes.fromhex(signature["signature"]), said)
        _by_certificate(certificate, bytes.fromhex(signature["certified"]), said)
    except (InvalidSignature, ValueError, KeyError):
        raise Refused(record, "the signature on the head of the chain is not valid") from None
    if pins.certificates.get(role, _fingerprint(certificate)).lower() != _fingerprint(certificate):
        raise Refused(f"{folder}certificates/{role}.pem", "not the certificate of that party")
    claimed = (statement["role"], statement["party"], statement["deal"], statement["contract"], statement["version"])
    if claimed != (role, contract[role]["id"], contract["deal"], contract["number"], contract["version"]):
        raise Refused(record, "made for another contract or party")
    if statement["contract_sha256"] != _sha256(raw):
        raise Refused(f"{folder}contract.json", f"not the one that the {role} signed")
    if statement["certificate"] != _fingerprint(certificate):
        raise Refused(record, "made with another certificate")
    if "presence" in statement:
        _presence(record, statement["presence"], _sha256(raw))
    at = datetime.fromisoformat(statement["at"])
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise Refused(f"{folder}certificates/{role}.pem", f"not valid on {statement['at']}, when it was signed with")
    _at_head(statement, statements, record)
    return certificate


def _presence(record: str, presence: Mapping[str, str], contract_sha256: str) -> None:
    """Check that a passkey signed for this contract, its owner verified (WebAuthn level 2, section 7.2)."""
    try:
        client, data = presence["client_data"].encode(), bytes.fromhex(presence["authenticator_data"])
        said = json.loads(client)
        challenge = base64.urlsafe_b64decode(said["challenge"] + "=" * (-len(said["challenge"]) % 4))
        key = serialization.load_der_public_key(bytes.fromhex(presence["public_key"]))
        signature = bytes.fromhex(presence["signature"])
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data + hashlib.sha256(client).digest())
        else:
            _verify(key, signature, data + hashlib.sha256(client).digest())
    except (InvalidSignature, ValueError, KeyError, TypeError):
        raise Refused(record, "what the passkey signed is not valid") from None
    if said.get("type") != "webauthn.get" or len(challenge) != 64 or challenge[32:].hex() != contract_sha256:
        raise Refused(record, "the passkey signed for something else")
    if len(data) < 37 or data[32] & 5 != 5:
        raise Refused(record, "the passkey did not verify who was there")


def _at_head(named: Mapping[str, Any], statements: Sequence[Mapping[str, Any]], record: str) -> None:
    length, head = named["length"], named["head"]
    if not 0 < length <= len(statements):
        raise Refused(f"statement {len(statements) + 1}", f"missing: {record} stands on {length} statements")
    if statements[length - 1]["hash"] != head:
        raise Refused(f"statement {length}", f"not the one that {record} stands on")


def _pdf(
    record: str, pdf: bytes | None, signed: Mapping[str, x509.Certificate], stated: Mapping[str, Mapping[str, Any]]
) -> None:
    """Check every signature in the PDF: whose it is, and that the file ends where the last one does."""
    wanted = {role: stated[role]["pdf"] for role in signed if stated[role]["pdf"] is not None}
    if not wanted:
        return
    if pdf is None:
        raise Refused(record, "missing")
    for role, of in wanted.items():
        if _sha256(pdf[: of["length"]]) != of["sha256"]:
            raise Refused(record, f"not the text that the {role} signed")
    reach, signers = 0, set()
    for found in re.finditer(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", pdf):
        start, length, after, rest = (int(each) for each in found.groups())
        gap = pdf[length:after]
        if start != 0 or not length < after <= len(pdf) or not re.fullmatch(rb"<(?:[0-9a-f]+|[0-9A-F]+)>", gap):
            raise Refused(record, "a signature that does not cover what is around it")
        cms = binascii.unhexlify(gap[1:-1])
        covered = pdf[:length] + pdf[after : after + rest]
        signers.add(_cms(record, cms, covered, signed))
        reach = max(reach, after + rest)
    if signers != set(wanted):
        raise Refused(record, f"signed by {', '.join(sorted(signers)) or 'nobody'}, not by {', '.join(sorted(wanted))}")
    if reach != len(pdf):
        raise Refused(record, "something was added after the last signature")


def _cms(record: str, cms: bytes, covered: bytes, signed: Mapping[str, x509.Certificate]) -> str:
    """Return whose signature (CMS SignedData, RFC 5652, as in PAdES) it is."""
    try:
        whole = _children(cms)[0]
        (_oid, content) = _children(whole.content)
        info = _children(_children(content.content)[0].content)[-1]
        signer = _children(_children(info.content)[0].content)
        attributes = next(each for each in signer if each.tag == 0xA0)
        value = signer[signer.index(attributes) + 2].content
        stated = {
            kind.content: _children(values.content)[0]
            for kind, values in (_children(each.content) for each in _children(attributes.content))
        }
        digest = stated[_MESSAGE_DIGEST].content
        named = _children(_children(stated[_SIGNING_CERTIFICATE].content)[0].content)[0]
        thumb = next(each.content for each in _children(named.content) if each.tag == 0x04)
    except (IndexError, ValueError, StopIteration, KeyError):
        raise Refused(record, "a signature that cannot be read") from None
    if cms[len(whole.raw) :].strip(b"\0"):
        raise Refused(record, "something stands behind a signature")
    if digest != hashlib.sha256(covered).digest():
        raise Refused(record, "changed: a signature was made of other bytes")
    said = b"\x31" + attributes.raw[1:]
    for role, certificate in signed.items():
        if thumb.hex() != _fingerprint(certificate):
            continue
        try:
            _by_certificate(certificate, value, said)
        except InvalidSignature:
            continue
        return role
    raise Refused(record, "a signature with a key that neither party's certificate has")


_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
_SIGNING_CERTIFICATE = bytes.fromhex("2a864886f70d010910022f")


class _Der(NamedTuple):
    tag: int
    content: bytes
    raw: bytes


def _children(data: bytes) -> list[_Der]:
    """Return the DER values that stand one after the other; what follows a first value of zeros is padding."""
    found, at = [], 0
    while at < len(data):
        tag, size, begin = data[at], data[at + 1], at + 2
        if tag == 0 and size == 0:
            break
        if size & 0x80:
            count = size & 0x7F
            size, begin = int.from_bytes(data[begin : begin + count], "big"), begin + count
        if begin + size > len(data):
            raise ValueError("cut off")
        found.append(_Der(tag, data[begin : begin + size], data[at : begin + size]))
        at = begin + size
    return found


_NAMESPACES = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xades": "http://uri.etsi.org/01903/v1.3.2#",
    "th": "urn:tradehub:contract:1",
}
_CANONICAL = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"


def _xml(
    record: str, raw: bytes | None, signed: Mapping[str, x509.Certificate], stated: Mapping[str, Mapping[str, Any]]
) -> None:
    """Check the XAdES signatures: each over the contract element and over its own signed properties."""
    if not signed:
        return
    if raw is None:
        raise Refused(record, "missing")
    if b"<!" in raw or raw.count(b"<?") != 1:
        raise Refused(record, "has a document type, comments or instructions: nothing that is signed")
    try:
        root = ET.fromstring(raw)  # noqa: S314 - without a document type
    except ET.ParseError as error:
        raise Refused(record, f"not XML: {error}") from None
    contracts = [each for each in root.iter() if each.get("Id") == "contract"]
    if len(contracts) != 1 or contracts[0] not in list(root):
        raise Refused(record, "not one contract, in its place")
    body = hashlib.sha256(_canonical(contracts[0], "th")).digest()
    for role in signed:
        if stated[role]["xml_sha256"] != body.hex():
            raise Refused(record, f"not the contract that the {role} signed")
    signers = [_xades(record, each, body, signed) for each in root.findall("ds:Signature", _NAMESPACES)]
    if sorted(signers) != sorted(signed):
        raise Refused(record, f"signed by {', '.join(sorted(signers)) or 'nobody'}")


def _xades(record: str, signature: ET.Element, body: bytes, signed: Mapping[str, x509.Certificate]) -> str:
    info = signature.find("ds:SignedInfo", _NAMESPACES)
    value = signature.findtext("ds:SignatureValue", "", _NAMESPACES)
    properties = signature.find("ds:Object/xades:QualifyingProperties/xades:SignedProperties", _NAMESPACES)
    keys = signature.find("ds:KeyInfo", _NAMESPACES)
    if info is None or properties is None or keys is None:
        raise Refused(record, "a signature that is no XAdES")
    expected = {f"#{each.get('Id')}": hashlib.sha256(_canonical(each)).digest() for each in (properties, keys)}
    expected["#contract"] = body
    references = info.findall("ds:Reference", _NAMESPACES)
    if not {"#contract", f"#{properties.get('Id')}"} <= {str(each.get("URI")) for each in references} <= set(expected):
        raise Refused(record, "a signature of something else")
    for each in references:
        transforms = [step.get("Algorithm") for step in each.findall("ds:Transforms/ds:Transform", _NAMESPACES)]
        digest = base64.b64decode(each.findtext("ds:DigestValue", "", _NAMESPACES))
        if not set(transforms) <= {_CANONICAL, _ENVELOPED} or digest != expected[str(each.get("URI"))]:
            raise Refused(record, f"changed: the signature of {each.get('URI')} was made of another text")
    said = _canonical(info)
    for role, certificate in signed.items():
        try:
            _by_certificate(certificate, _as_der(certificate, base64.b64decode(value)), said)
        except InvalidSignature:
            continue
        return role
    raise Refused(record, "a signature with a key that neither party's certificate has")


def _canonical(element: ET.Element, *prefixes: str) -> bytes:
    """Return the element in Canonical XML 1.0: the namespaces in scope, ``prefixes``, are declared at its head."""
    declared = "".join(f' xmlns:{each}="{_NAMESPACES[each]}"' for each in prefixes or ("ds", "xades"))
    return "".join(_canonical_parts(element, declared)).encode()


def _canonical_parts(element: ET.Element, declared: str = "") -> Iterator[str]:
    name = _qualified(element.tag)
    attributes = "".join(f' {_qualified(key)}="{_escaped(text, _IN_VALUES)}"' for key, text in sorted(element.items()))
    yield f"<{name}{declared}{attributes}>{_escaped(element.text, _IN_TEXT)}"
    for child in element:
        yield from _canonical_parts(child)
        yield _escaped(child.tail, _IN_TEXT)
    yield f"</{name}>"


_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_IN_VALUES = {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}


def _escaped(text: str | None, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(each, each) for each in text or "")


def _qualified(name: str) -> str:
    """Return a name with its prefix. Raises ValueError for a namespace that has no place here."""
    uri, _, local = name.rpartition("}")
    if not uri:
        return local
    for prefix, known in _NAMESPACES.items():
        if known == uri[1:]:
            return f"{prefix}:{local}"
    raise ValueError(name)


def _as_der(certificate: x509.Certificate, value: bytes) -> bytes:
    """XML signatures write an ECDSA signature as two numbers of equal length (RFC 4050), others write it as DER."""
    if not isinstance(certificate.public_key(), ec.EllipticCurvePublicKey):
        return value
    half = len(value) // 2
    return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))


# --- keys ----------------------------------------------------------------------------------------------------------


def _ed25519(key: str, signature: bytes, said: bytes) -> None:
    if not re.fullmatch("[0-9a-f]{64}", key):
        raise InvalidSignature
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, said)


def _by_certificate(certificate: x509.Certificate, signature: bytes, said: bytes) -> None:
    _verify(certificate.public_key(), signature, said)


def _verify(key: object, signature: bytes, said: bytes) -> None:
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, said, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, said, ec.ECDSA(hashes.SHA256()))
    else:
        raise InvalidSignature


def _certificate(record: str, parts: Mapping[str, bytes]) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(parts[record])
    except KeyError:
        raise Refused(record, "missing") from None
    except ValueError:
        raise Refused(record, "not a certificate") from None


def _fingerprint(certificate: x509.Certificate) -> str:
    return _sha256(certificate.public_bytes(serialization.Encoding.DER))


# --- texts ---------------------------------------------------------------------------------------------------------


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _plain(value: object) -> str:
    """Statements and documents are hashed as ASCII, keys sorted, without spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _compact(value: object) -> str:
    """Return canonical JSON (RFC 8785) of a value whose keys are ASCII and whose numbers are integers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _json(raw: bytes, record: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError):
        raise Refused(record, "cannot be read") from None


def _no_float(text: str) -> float:
    raise ValueError(text)


def _under(folder: str, parts: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    return ((name, content) for name, content in parts.items() if name.startswith(folder))


# --- the command ---------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path)
    parser.add_argument("--hub", help="the hub's Ed25519 key")
    for role in ROLES:
        parser.add_argument(f"--{role}", help=f"SHA-256 of the {role}'s certificate")
    given = parser.parse_args(arguments)
    pins = Pins(given.hub, {role: getattr(given, role) for role in ROLES if getattr(given, role)})
    try:
        found = verify(given.evidence.read_bytes(), pins)
    except OSError as error:
        sys.stderr.write(f"{given.evidence}: {error.strerror}\n")
        return 2
    except Refused as refused:
        sys.stdout.write(f"REFUSED  {refused.record}: {refused.reason}\n")
        return 1
    for each in found:
        sys.stdout.write(f"sound    {each.what}: {each.detail}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
