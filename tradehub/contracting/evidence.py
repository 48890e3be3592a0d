"""The evidence of a deal: one archive with every statement, document, message and signature, and the program to check it.

What stands where, and what is checked, is told in docs/contracts.md. The archive is written by the very function that
the verifier writes it again with, so that not one byte of it is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any

from tradehub.contracting.jcs import canonical
from tradehub.contracting.verify_evidence import FIRST, FORMAT, pack
from tradehub.platform.db import to_json

README = """\
Evidence of a trade, written by tradehub.

    python -I verify_evidence.py EVIDENCE.zip

checks this file without the hub (it needs Python 3.9 or later and the package "cryptography") and names the first
record that is not as it was written. Take the program from a copy of tradehub that you trust rather than from the file
that it is to judge, and give it the keys that you expect:

    python -I verify_evidence.py EVIDENCE.zip --hub KEY --buyer CERTIFICATE --seller CERTIFICATE

manifest.json      name, length and SHA-256 of everything else; manifest.sig is the hub's Ed25519 signature of it
statements.jsonl   what was said, by whom and when, a statement a line, each bound to the one before it by SHA-256
documents/         the document of each statement (inquiry, offer, counter, order), named by its SHA-256
attachments/       the files that offers and comments name, each by its SHA-256, without an ending
standard-terms/    the standard terms that offers and acceptances refer to, where they were published on the hub
histories.json     what messages said of the history that their sender has, and whether it was this one
messages/          each message as it was received or sent, byte for byte; index.json says when, by whom, which numbers
contract.json      the contract in canonical form (RFC 8785)
contract.pdf       the same for people, with the signatures of the parties (PAdES)
contract.xml       the same for programs, with the signatures of the parties (XAdES)
signatures/        each party's signature on the head of the chain of statements, and on the contract
certificates/      with which certificate each party signed
earlier/N/         contract, signatures and certificates of version N, where the contract was amended since
contracts/NUMBER/  the same for each further contract, where an offer was accepted in parts
"""


@dataclass(frozen=True)
class Message:
    """A message as it travelled. ``facts`` are plain values: id, direction, time, control numbers."""

    facts: Mapping[str, Any]
    raw: bytes


@dataclass(frozen=True)
class Record:
    """What was said in a deal. A statement is its hashed values, the hash before it, and its own.

    ``documents`` are canonical texts by their SHA-256. ``not_kept`` are messages that statements name and the archive
    of payloads does not have. ``claims`` are what messages said of the history that their sender has. ``attachments``
    are the files that statements and their documents name, by their SHA-256, ``standard_terms`` the canonical texts of
    the parties' standard terms that statements name, as far as the hub has them.
    """

    deal: Mapping[str, Any]
    statements: tuple[Mapping[str, Any], ...]
    documents: Mapping[str, bytes] = field(default_factory=dict)
    messages: tuple[Message, ...] = ()
    not_kept: tuple[str, ...] = ()
    claims: tuple[Mapping[str, Any], ...] = ()
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    standard_terms: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return len(self.statements)

    @property
    def head(self) -> str:
        return str(self.statements[-1]["hash"]) if self.statements else FIRST

    def terms_sent(self, party: str) -> str | None:
        """Return the SHA-256 of the standard terms that a party referred to last."""
        for each in reversed(self.statements):
            said = each["statement"]
            stated = said.get("particulars", {})
            found = stated.get("standard_terms") or stated.get("offer", {}).get("standard_terms")
            if said["by_id"] == party and found:
                return str(found)
        return None

    def up_to(self, length: int) -> tuple[Mapping[str, Any], ...]:
        return self.statements[:length]


@dataclass(frozen=True)
class SignedContract:
    """One version of the contract as it was signed; signatures and certificates (PEM) by role."""

    number: str
    version: int
    json: bytes
    xml: bytes | None = None
    pdf: bytes | None = None
    signatures: Mapping[str, bytes] = field(default_factory=dict)
    certificates: Mapping[str, bytes] = field(default_factory=dict)


def write(
    record: Record,
    contracts: Iterable[SignedContract],
    *,
    at: datetime,
    hub_key: str,
    sign: Callable[[bytes], bytes],
) -> bytes:
    """Return the archive. ``contracts`` are the versions of each contract, the latest of the first contract first;
    ``sign`` is the hub's Ed25519 key at work.

    Raises ValueError where there is more than an archive holds (4 GiB, 65,000 members).
    """
    versions = list(contracts)
    members = [*_said(record), *_versions(versions), ("README.txt", README.encode()), _verifier()]
    manifest = canonical(
        {
            "format": FORMAT,
            "made_at": at.isoformat(timespec="microseconds"),
            "hub": {"key": hub_key},
            "deal": dict(record.deal),
            "chain": {"length": record.length, "head": record.head},
            "contracts": [
                {"folder": folder, "number": each.number, "version": each.version, "signed": sorted(each.signatures)}
                for folder, each in _placed(versions)
            ],
            "members": [
                {"name": name, "length": len(content), "sha256": sha256(content).hexdigest()}
                for name, content in members
            ],
        }
    )  # fmt: skip
    signature = sign(manifest).hex().encode() + b"\n"
    return pack([("manifest.json", manifest), ("manifest.sig", signature), *members])


def _said(record: Record) -> Iterator[tuple[str, bytes]]:
    yield "statements.jsonl", b"".join(to_json(dict(each)).encode() + b"\n" for each in record.statements)
    yield "histories.json", canonical({"claims": [dict(each) for each in record.claims]})
    for digest, text in sorted(record.documents.items()):
        yield f"documents/{digest}.json", text
    for digest, content in sorted(record.attachments.items()):
        yield f"attachments/{digest}", content
    for digest, text in sorted(record.standard_terms.items()):
        yield f"standard-terms/{digest}.json", text
    index = [{**each.facts, "sha256": _digest(each), "length": len(each.raw)} for each in record.messages]
    yield "messages/index.json", canonical({"messages": index, "not_kept": list(record.not_kept)})
    for digest, raw in sorted({_digest(each): each.raw for each in record.messages}.items()):
        yield f"messages/{digest}.raw", raw


def _versions(versions: Iterable[SignedContract]) -> Iterator[tuple[str, bytes]]:
    for folder, each in _placed(versions):
        yield f"{folder}contract.json", each.json
        if each.pdf is not None:
            yield f"{folder}contract.pdf", each.pdf
        if each.xml is not None:
            yield f"{folder}contract.xml", each.xml
        for role, signature in sorted(each.signatures.items()):
            yield f"{folder}signatures/{role}.json", signature
        for role, certificate in sorted(each.certificates.items()):
            yield f"{folder}certificates/{role}.pem", certificate


def _placed(versions: Iterable[SignedContract]) -> Iterator[tuple[str, SignedContract]]:
    """Give each version with its folder: the first contract stands at the top, an earlier version under the latest."""
    tops: dict[str, str] = {}
    for each in versions:
        is_earlier = each.number in tops
        top = tops.setdefault(each.number, f"contracts/{each.number}/" if tops else "")
        yield (f"{top}earlier/{each.version}/" if is_earlier else top), each


def _digest(message: Message) -> str:
    return sha256(message.raw).hexdigest()


def _verifier() -> tuple[str, bytes]:
    return "verify_evidence.py", files("tradehub.contracting").joinpath("verify_evidence.py").read_bytes()
