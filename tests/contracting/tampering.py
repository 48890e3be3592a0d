"""Ways to tamper with an evidence archive, each with the record that must be named for it.

``Plain`` ones change the archive alone. The forger of ``Forged`` ones also writes the manifest anew, and signs it with a
key of his own: what names the record then is the chain, a document's hash, or a party's signature.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tradehub.contracting.jcs import canonical
from tradehub.contracting.verify_evidence import _LOCAL, pack, unpack

DIRECTORY = "the directory of the archive"
Members = list[tuple[str, bytes]]
Tampering = Callable[[bytes, random.Random], tuple[bytes, str]]


def members_of(archive: bytes) -> Members:
    found, torn = unpack(archive)
    assert torn is None
    return [(each.name, each.content) for each in found]


def bit_flip(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    at = chance.randrange(len(archive))
    changed = bytearray(archive)
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed), record_at(archive, at)


def flip_in_statements(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    start = archive.index(b'{"hash"')
    length = len(dict(members_of(archive))["statements.jsonl"])
    at = start + chance.randrange(length)
    changed = bytearray(archive)
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed), record_at(archive, at)


def truncated(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    at = chance.randrange(len(archive))
    return archive[:at], record_at(archive, at)


def swapped_contents(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    one, other = sorted(chance.sample(range(2, len(members)), 2))
    (name, content), (their_name, theirs) = members[one], members[other]
    if content == theirs:
        return bit_flip(archive, chance)
    members[one], members[other] = (name, theirs), (their_name, content)
    return pack(members), "statement 1" if name == "statements.jsonl" else name


def swapped_places(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    one, other = sorted(chance.sample(range(2, len(members)), 2))
    members[one], members[other] = members[other], members[one]
    return pack(members), members_of(archive)[one][0]


def deleted(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    name, _content = members.pop(chance.randrange(len(members)))
    return pack(members), name


def added(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    members.insert(chance.randrange(2, len(members) + 1), ("notes.txt", b"never said"))
    return pack(members), "notes.txt"


def appended(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    return archive + bytes([chance.randrange(256)]), DIRECTORY


def statements_reordered(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    lines, put = _statements(archive)
    one, other = sorted(chance.sample(range(len(lines)), 2))
    lines[one], lines[other] = lines[other], lines[one]
    return put(lines), f"statement {one + 1}"


def time_changed(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    lines, put = _statements(archive)
    at = chance.randrange(len(lines))
    lines[at] = _earlier(lines[at])
    return put(lines), f"statement {at + 1}"


def statement_removed(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    lines, put = _statements(archive)
    at = chance.randrange(len(lines))
    del lines[at]
    return put(lines), f"statement {at + 1}"


def forged_time(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Another time, and the manifest to it: the statement does not have its hash."""
    lines, put = _statements(archive)
    at = chance.randrange(len(lines))
    lines[at] = _earlier(lines[at])
    return resealed(put(lines)), f"statement {at + 1}"


def forged_chain(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Another time, and every hash after it: the head is not the one that the contract stands on."""
    lines, put = _statements(archive)
    at = chance.randrange(len(lines))
    lines[at] = _earlier(lines[at])
    previous = "0" * 64
    entries = [json.loads(line) for line in lines]
    for entry in entries:
        entry["previous"] = previous
        entry["hash"] = previous = sha256((previous + _plain(entry["statement"])).encode()).hexdigest()
    stands_on = json.loads(dict(members_of(archive))["contract.json"])["chain"]["length"]
    return resealed(put([_plain(each).encode() for each in entries])), f"statement {stands_on}"


def forged_document(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    name, content = chance.choice([each for each in members if each[0].startswith("documents/")])
    return resealed(_with(members, name, content.replace(b"12.05", b"11.05") + b" ")), name


def forged_message(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    name, content = chance.choice([each for each in members if each[0].endswith(".raw")])
    return resealed(_with(members, name, content + b"~")), name


def forged_contract(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    """Another price with the hash to it: both parties' signatures are on another text."""
    members = members_of(archive)
    contract = json.loads(dict(members)["contract.json"])
    contract["terms"]["lines.1.price.amount"] = str(chance.randrange(1, 12))
    terms = json.dumps(contract["terms"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    contract["terms_hash"] = sha256(terms.encode()).hexdigest()
    return resealed(_with(members, "contract.json", canonical(contract))), "contract.json"


def forged_pdf(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    pdf = bytearray(dict(members)["contract.pdf"])
    last = pdf.rindex(b"/Contents <")  # what the last signature holds but does not sign, the manifest alone keeps
    at = chance.choice((chance.randrange(last), chance.randrange(pdf.index(b">", last), len(pdf))))
    pdf[at] ^= 1 << chance.randrange(8)
    return resealed(_with(members, "contract.pdf", bytes(pdf))), "contract.pdf"


def forged_xml(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    xml = dict(members)["contract.xml"].replace(b"12.05", b"11.05")
    return resealed(_with(members, "contract.xml", xml)), "contract.xml"


def forged_signature(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    members = members_of(archive)
    name = f"signatures/{chance.choice(('buyer', 'seller'))}.json"
    signature = json.loads(dict(members)[name])
    signature["statement"]["at"] = "2020-01-01T00:00:00.000000+00:00"
    return resealed(_with(members, name, canonical(signature))), name


def forged_party(archive: bytes, chance: random.Random) -> tuple[bytes, str]:
    """One party's signature put in the place of the other's."""
    members = dict(members_of(archive))
    for folder, ending in (("signatures", "json"), ("certificates", "pem")):
        members[f"{folder}/buyer.{ending}"] = members[f"{folder}/seller.{ending}"]
    return resealed(pack(list(members.items()))), "signatures/buyer.json"


PLAIN: tuple[Tampering, ...] = (
    bit_flip, flip_in_statements, truncated, swapped_contents, swapped_places, deleted, added, appended,
    statements_reordered, time_changed, statement_removed,
)  # fmt: skip
FORGED: tuple[Tampering, ...] = (
    forged_time, forged_chain, forged_document, forged_message, forged_contract, forged_pdf, forged_xml,
    forged_signature, forged_party,
)  # fmt: skip


def resealed(archive: bytes) -> bytes:
    """Return the archive with a manifest that fits it, signed by somebody else."""
    members = dict(members_of(archive))
    manifest = json.loads(members["manifest.json"])
    key = Ed25519PrivateKey.generate()
    manifest["hub"]["key"] = key.public_key().public_bytes_raw().hex()
    last = members["statements.jsonl"].strip().split(b"\n")[-1]
    manifest["chain"]["head"] = json.loads(last)["hash"]
    for each in manifest["members"]:
        content = members[each["name"]]
        each |= {"length": len(content), "sha256": sha256(content).hexdigest()}
    members["manifest.json"] = canonical(manifest)
    members["manifest.sig"] = key.sign(members["manifest.json"]).hex().encode() + b"\n"
    return pack(list(members.items()))


def record_at(archive: bytes, at: int) -> str:
    """Return the record that a byte of the archive belongs to."""
    reach = 0
    for name, content in members_of(archive):
        begin = reach + _LOCAL.size + len(name)
        reach = begin + len(content)
        if at < reach:
            if name == "statements.jsonl" and at >= begin:
                return f"statement {content.count(bytes([10]), 0, at - begin) + 1}"
            return name
    return DIRECTORY


def _statements(archive: bytes) -> tuple[list[bytes], Callable[[list[bytes]], bytes]]:
    members = members_of(archive)
    lines = dict(members)["statements.jsonl"].strip().split(b"\n")
    return lines, lambda changed: _with(members, "statements.jsonl", b"".join(each + b"\n" for each in changed))


def _with(members: Members, name: str, content: bytes) -> bytes:
    return pack([(each, content if each == name else kept) for each, kept in members])


def _earlier(line: bytes) -> bytes:
    entry = json.loads(line)
    entry["statement"]["at"] = "2020-01-01T00:00:00.000000+00:00"
    return _plain(entry).encode()


def _plain(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
