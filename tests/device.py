"""A device with a passkey, in software: what an authenticator answers, right or forged in one place."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from tradehub.platform.passkeys import Site

PRESENT_AND_VERIFIED = 5
_WITH_CREDENTIAL = 0x40


class Device:
    """An authenticator that holds one ECDSA P-256 key for one site (WebAuthn level 2, sections 6.1 and 6.5)."""

    def __init__(self, site: Site, *, credential: bytes | None = None) -> None:
        self.site, self.count = site, 0
        self.credential = credential or secrets.token_bytes(32)
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> bytes:
        key = self._key.public_key()
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def make(self, options: str) -> str:
        """Answer an invitation, without attestation."""
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        held = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(cose)
        data = self._data(PRESENT_AND_VERIFIED | _WITH_CREDENTIAL) + held
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, self.site.origins[0])
        return self._said({"clientDataJSON": client, "attestationObject": attested})

    def answer(
        self, options: str, *, origin: str | None = None, flags: int = PRESENT_AND_VERIFIED,
        kind: str = "webauthn.get", owner: str | None = None,
    ) -> str:  # fmt: skip
        """Answer a question; ``owner`` is the id of the person that the device has kept the passkey for."""
        self.count += 1
        data, client = self._data(flags), self._client(kind, options, origin or self.site.origins[0])
        signature = self._key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._said(said | ({"userHandle": owner.encode()} if owner is not None else {}))

    def _data(self, flags: int) -> bytes:
        return sha256(self.site.name.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": json.loads(options)["challenge"], "origin": origin}).encode()

    def _said(self, response: dict[str, bytes]) -> str:
        id = bytes_to_base64url(self.credential)
        return json.dumps({
            "id": id, "rawId": id, "type": "public-key",
            "response": {name: bytes_to_base64url(value) for name, value in response.items()},
        })  # fmt: skip
