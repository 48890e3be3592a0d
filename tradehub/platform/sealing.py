"""Secrets at rest: sealed with AES-256-GCM under a key that is derived from the installation's secret.

A sealed text is bound to its context (whose it is, and what for): moved to another row it does not open. What is
sealed can be opened by every process that shares the installation's secret, and by nobody who has the database alone.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterable
from functools import reduce

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tradehub.platform import ids

_NONCE = 12


class Tampered(ValueError):
    """What was sealed has been changed, moved to another place, or sealed by another installation."""


def lock(plain: bytes, key: bytes, *, context: str) -> bytes:
    """Return ``plain`` sealed under a key of 32 bytes."""
    nonce = ids.random_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def unlock(locked: bytes, key: bytes, *, context: str) -> bytes:
    """Return what was sealed under this key for this context. Raises Tampered."""
    try:
        return AESGCM(key).decrypt(locked[:_NONCE], locked[_NONCE:], context.encode())
    except (ValueError, InvalidTag):
        raise Tampered(context) from None


def split(secret: bytes, parts: int, entropy: Callable[[int], bytes]) -> list[bytes]:
    """Return a secret in so many parts: all of them give it back (``joined``), any fewer are as good as random.

    ``entropy`` gives so many random bytes.
    """
    others = [entropy(len(secret)) for _ in range(parts - 1)]
    return [*others, joined([*others, secret])]


def joined(parts: Iterable[bytes]) -> bytes:
    """Return the secret whose parts these are, in any order."""
    return reduce(lambda one, other: bytes(a ^ b for a, b in zip(one, other, strict=True)), parts)


class Sealer:
    """Seals and opens under one secret. Values derived from it by name are the same in every process."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._key = self._derived("tradehub secrets at rest")

    def seal(self, plain: bytes, *, context: str) -> str:
        """Return ``plain`` sealed, as text."""
        return base64.b64encode(lock(plain, self._key, context=context)).decode()

    def open(self, sealed: str, *, context: str) -> bytes:
        """Return what was sealed for this context. Raises Tampered."""
        try:
            raw = base64.b64decode(sealed, validate=True)
        except ValueError:
            raise Tampered(context) from None
        return unlock(raw, self._key, context=context)

    def fingerprint(self, plain: bytes) -> str:
        """Return a keyed hash (hex) by which the same bytes are known again, and others cannot be tried against it."""
        return hmac.digest(self._derived("tradehub fingerprints"), plain, "sha256").hex()

    def signing_key(self, name: str) -> Ed25519PrivateKey:
        """Return the hub's own Ed25519 key of that name: derived, so that there is nothing to keep or to lose."""
        return Ed25519PrivateKey.from_private_bytes(self._derived(f"tradehub signing key: {name}"))

    def _derived(self, info: str) -> bytes:
        return HKDF(hashes.SHA256(), 32, salt=None, info=info.encode()).derive(self._secret)
