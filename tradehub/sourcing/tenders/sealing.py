"""Envelopes that open with the right key alone, and keys that open with two people alone.

A bid is sealed to the public key of its tender's stage: ephemeral X25519, HKDF-SHA256, AES-256-GCM, with what the
envelope is (tender, stage, bidder, number) as associated data. The stage's private key is split into two halves that
each say nothing alone; a half is sealed in the same way to the key of the person who holds it, and that key comes from
the person's passphrase by Argon2id and is never kept. Randomness arrives as an argument.

What this does and does not protect against stands in docs/tenders.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Entropy = Callable[[int], bytes]
"""Gives so many random bytes."""

KEY_SIZE = 32
SALT_SIZE = 32
BLOCK = 4096
"""Bytes to a multiple of which the contents are filled up: the length of an envelope tells neither the number of
lines nor of digits, short of some dozens of lines."""

_VERSION = b"\x01"
_INFO = b"tradehub sealed envelope v1"


class NotOpened(Exception):
    """The key is not the one it was sealed to, or what is kept is not what was sealed."""


@dataclass(frozen=True)
class Work:
    """What a guess at a passphrase costs (Argon2id; RFC 9106, second recommended option)."""

    passes: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


def public_of(private: bytes) -> bytes:
    """Return the public key (X25519, 32 bytes) of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def key_from(passphrase: str, salt: bytes, work: Work) -> bytes:
    """Return the private key that a passphrase stands for. It takes long on purpose."""
    return hash_secret_raw(
        passphrase.encode(), salt, time_cost=work.passes, memory_cost=work.memory_kib, parallelism=work.lanes,
        hash_len=KEY_SIZE, type=Type.ID,
    )  # fmt: skip


def seal(contents: bytes, public: bytes, about: Sequence[str], entropy: Entropy) -> bytes:
    """Return the envelope. It opens only with the private key of ``public`` and for the same ``about``."""
    ephemeral = X25519PrivateKey.from_private_bytes(entropy(KEY_SIZE))
    sender = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    key, nonce = _key_and_nonce(shared, sender, public)
    return _VERSION + sender + AESGCM(key).encrypt(nonce, _filled(contents), _bound(about))


def unseal(envelope: bytes, private: bytes, about: Sequence[str]) -> bytes:
    """Return what was sealed. Raises NotOpened for another key, other words about it, or a changed envelope."""
    if envelope[:1] != _VERSION or len(envelope) < 1 + KEY_SIZE:
        raise NotOpened
    sender, sealed = envelope[1 : 1 + KEY_SIZE], envelope[1 + KEY_SIZE :]
    own = X25519PrivateKey.from_private_bytes(private)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(sender))
        key, nonce = _key_and_nonce(shared, sender, own.public_key().public_bytes_raw())
        return _emptied(AESGCM(key).decrypt(nonce, sealed, _bound(about)))
    except (InvalidTag, ValueError):  # ValueError: a point of low order, which nobody sealed with
        raise NotOpened from None


def fingerprint(contents: bytes, salt: bytes) -> str:
    """Return the SHA-256 (hex) that binds a bidder and the hub to the contents, and tells nobody what they are.

    A price is easily guessed, so its bare hash would give it away; 32 random bytes that lie in the envelope do not.
    """
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt has {SALT_SIZE} bytes, not {len(salt)}")
    return sha256(salt + contents).hexdigest()


def _key_and_nonce(shared: bytes, sender: bytes, recipient: bytes) -> tuple[bytes, bytes]:
    """The ephemeral key is used once, so key and nonce may both come from it."""
    derived = HKDF(SHA256(), KEY_SIZE + 12, salt=sender + recipient, info=_INFO).derive(shared)
    return derived[:KEY_SIZE], derived[KEY_SIZE:]


def _bound(about: Sequence[str]) -> bytes:
    return json.dumps(list(about), separators=(",", ":")).encode()


def _filled(contents: bytes) -> bytes:
    """Length first, then the contents, then zeros up to the next whole block."""
    told = len(contents).to_bytes(4, "big") + contents
    return told + bytes(-len(told) % BLOCK)


def _emptied(filled: bytes) -> bytes:
    length = int.from_bytes(filled[:4], "big")
    return filled[4 : 4 + length]
