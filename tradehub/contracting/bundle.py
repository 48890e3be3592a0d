"""The contract as one value that can be hashed, signed and read by anybody: canonical JSON, and the same as XML.

It holds the parties, the document they agreed on, its terms, the text made of them, every statement and every message
up to the head of the chain it was made at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from lxml import etree

from tradehub.contracting.evidence import Record
from tradehub.contracting.signing import NAMESPACE
from tradehub.contracting.store import ContractRow, ContractVersionRow
from tradehub.documents.parts import Party

FORMAT = "tradehub-contract/1"

Language = Literal["en", "zh_Hans"]
"""The languages that a contract is written in."""

LANGUAGES: Mapping[str, tuple[str, str]] = {"en": ("en", "en_GB"), "zh_Hans": ("zh-Hans", "zh_Hans_CN")}
"""Language -> tag of BCP 47, and the locale that its numbers and days are written in."""

STANDARD = {"id": "standard", "name": "standard", "version": 1}
"""The template that comes with the hub. Its version grows when its text is changed."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Text:
    """What a version's text is made of in one language: the template, and what is to be known of it later."""

    language: str
    template: str
    named: Mapping[str, Any]


def content(
    contract: ContractRow,
    version: ContractVersionRow,
    record: Record,
    *,
    parties: Mapping[str, Party],
    texts: Sequence[Text],
    clauses: Mapping[str, str],
    blanket: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the contract as plain values. ``parties`` by role, ``clauses`` the text by language."""
    sides = (("buyer", contract.buyer), ("seller", contract.seller))
    return {
        "format": FORMAT,
        "deal": contract.deal_id,
        "acceptance": contract.acceptance,
        "number": contract.number,
        "version": version.version,
        "concluded_at": _moment(contract.concluded_at),
        "in_force_since": _moment(version.at),
        "accepted_by": contract.accepted_by,
        "inquiry": contract.inquiry,
        "offer": contract.offer_number,
        "buyer": _party(contract.buyer, parties["buyer"]),
        "seller": _party(contract.seller, parties["seller"]),
        "kind": version.kind,
        "document": version.document,
        "terms": version.terms_by_path,
        "terms_hash": version.terms_hash,
        "standard_terms": {role: record.terms_sent(named) for role, named in sides},
        "blanket": dict(blanket) if blanket else None,
        "languages": [each.language for each in texts],
        "templates": {each.language: dict(each.named) for each in texts},
        "clauses": dict(clauses),
        "chain": {"length": record.length, "head": record.head},
        "statements": [{**each["statement"], "hash": each["hash"]} for each in record.statements],
        "messages": [
            {**each.facts, "sha256": sha256(each.raw).hexdigest(), "length": len(each.raw)} for each in record.messages
        ],
    }


def as_xml(contract: Mapping[str, Any], json_sha256: str) -> bytes:
    """Return the contract as XML, ready for signatures beside it.

    A character that XML cannot hold is written as U+FFFD; the JSON, whose SHA-256 is part of this, has it as it was.
    """
    root = etree.Element("signed-contract")
    top = etree.SubElement(root, _name("contract"), nsmap={"th": NAMESPACE}, Id="contract")
    for name in ("format", "deal", "number", "version", "concluded_at", "in_force_since", "accepted_by", "terms_hash"):
        _add(top, name.replace("_", "-"), str(contract[name]))
    _add(top, "json-sha256", json_sha256)
    chain = contract["chain"]
    _add(top, "chain", chain["head"], length=str(chain["length"]))
    for role in ("buyer", "seller"):
        party = etree.SubElement(top, _name(role), id=_legal(contract[role]["id"]))
        _add(party, "name", contract[role]["name"])
        for each in contract[role]["identifiers"]:
            _add(party, "identifier", each["value"], scheme=each["scheme"] or "")
        for line in contract[role]["address"]:
            _add(party, "address", line)
    terms = etree.SubElement(top, _name("terms"))
    for path, value in sorted(contract["terms"].items()):
        _add(terms, "term", value, path=path)
    for role, digest in sorted(contract["standard_terms"].items()):
        if digest is not None:
            _add(top, "standard-terms", digest, role=role)
    if contract["blanket"]:
        _ceilings(top, contract["blanket"])
    for language, text in sorted(contract["clauses"].items()):
        _add(top, "clauses", text, language=LANGUAGES[language][0])
    for each in contract["statements"]:
        _add(top, "statement", each["text"] or "", number=str(each["number"]), kind=each["kind"], at=each["at"],
             by=each["by_id"] or "", hash=each["hash"])  # fmt: skip
    for each in contract["messages"]:
        _add(top, "message", "", id=each["id"], direction=each["direction"], at=each["at"], sha256=each["sha256"],
             length=str(each["length"]), control=each["control_number"] or "")  # fmt: skip
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _ceilings(top: Any, blanket: Mapping[str, Any]) -> None:
    whole = {name: str(blanket[name]) for name in ("valid_from", "valid_until", "ceiling") if blanket[name] is not None}
    element = etree.SubElement(top, _name("blanket"), {name.replace("_", "-"): text for name, text in whole.items()})
    for each in blanket["lines"]:
        stated = {name: each[name] for name in ("line", "quantity_ceiling", "amount_ceiling") if each[name] is not None}
        _add(element, "line", "", **{name.replace("_", "-"): text for name, text in stated.items()})


def _party(party_id: str, party: Party) -> dict[str, Any]:
    address = party.address
    lines = []
    if address is not None:
        place = " ".join(each for each in (address.postcode, address.city, address.region) if each)
        lines = [each for each in (*address.street, place, address.country) if each]
    return {
        "id": party_id,
        "name": party.name or party_id,
        "identifiers": [{"scheme": each.scheme, "value": each.value} for each in (*party.ids, *party.tax_ids)],
        "address": lines,
    }


def _add(parent: Any, name: str, text: str, **attributes: str) -> None:
    element = etree.SubElement(parent, _name(name), {key: _legal(value) for key, value in attributes.items()})
    element.text = _legal(text)


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _legal(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
