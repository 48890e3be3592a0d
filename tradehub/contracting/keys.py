"""The keys a party signs with: made here, or brought as PKCS#12 for one act or for good.

A signing key is a private key with its certificate, for the PDF and the XML, and an Ed25519 key for the head of the
chain of statements. The certificate's key signs the Ed25519 key along with the head, so the certificate vouches for
both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from asn1crypto import core, pkcs12
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import pkcs12 as pkcs12_files
from cryptography.x509.oid import NameOID

PKCS12_MAX = 64 * 1024
"""Bytes of a PKCS#12 file: a key and a chain of certificates are a tenth of it."""

ITERATIONS_MAX = 2_000_000
"""Rounds of key derivation that a PKCS#12 file may ask for: common programs write 2,048 to 600,000, and each million
costs half a second of our time."""

RSA_BITS_MIN = 2048
LIFE = timedelta(days=3 * 365)
CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)

_PEM = serialization.Encoding.PEM
_DER = serialization.Encoding.DER
_PKCS8 = serialization.PrivateFormat.PKCS8
_PLAIN = serialization.NoEncryption()


class UnusableKey(ValueError):
    """A key that cannot sign a contract. ``rule`` says why.

    The rules: size, unreadable (or a wrong password), rounds, no_key, no_certificate, kind, weak, mismatch, usage,
    not_yet_valid, expired.
    """

    def __init__(self, rule: str, value: str = "") -> None:
        super().__init__(f"{rule}: {value}" if value else rule)
        self.rule, self.value = rule, value


@dataclass(frozen=True)
class SigningKey:
    """Private keys at work; nothing of them is shown or logged."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    head_key: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate, then those that lead to its issuer."""
        return b"".join(each.public_bytes(_PEM) for each in (self.certificate, *self.chain))

    @property
    def head_key_hex(self) -> str:
        """The public part of the Ed25519 key."""
        return self.head_key.public_key().public_bytes_raw().hex()

    @property
    def key_der(self) -> bytes:
        """The private key, bare: to be sealed, never to be kept as it is."""
        return self.key.private_bytes(_DER, _PKCS8, _PLAIN)

    def sign(self, said: bytes) -> bytes:
        """Return the certificate key's signature of ``said``: ECDSA or RSA PKCS#1 v1.5, with SHA-256."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(said, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(said, ec.ECDSA(hashes.SHA256()))


def make(organisation: str, party: str, *, at: datetime) -> SigningKey:
    """Return a new key (ECDSA P-256) with a certificate that it signed itself, good for three years."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, organisation[:64] or party),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64] or party),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, party[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(minutes=5))
        .not_valid_after(at + LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return SigningKey(key, certificate, (), Ed25519PrivateKey.generate())


def from_pkcs12(raw: bytes, password: str, *, at: datetime) -> SigningKey:
    """Return the key in a PKCS#12 file, with an Ed25519 key made for it. Raises UnusableKey."""
    if len(raw) > PKCS12_MAX:
        raise UnusableKey("size", f"{len(raw)} > {PKCS12_MAX}")
    try:
        rounds = max(_rounds(raw), default=0)
    except (ValueError, TypeError, KeyError):
        raise UnusableKey("unreadable") from None
    if rounds > ITERATIONS_MAX:
        raise UnusableKey("rounds", f"{rounds} > {ITERATIONS_MAX}")
    try:
        key, certificate, more = pkcs12_files.load_key_and_certificates(raw, password.encode() or None)
    except (ValueError, TypeError):
        raise UnusableKey("unreadable") from None
    if key is None:
        raise UnusableKey("no_key")
    if certificate is None:
        raise UnusableKey("no_certificate")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UnusableKey("kind", type(key).__name__)
    check(certificate, at=at)
    if key.public_key() != certificate.public_key():
        raise UnusableKey("mismatch")
    return SigningKey(key, certificate, tuple(more), Ed25519PrivateKey.generate())


def restored(key: bytes, certificates: bytes, head_key: bytes) -> SigningKey:
    """Return a key from its parts as they were kept: DER, PEM and raw bytes."""
    loaded = serialization.load_der_private_key(key, None)
    if not isinstance(loaded, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UnusableKey("kind", type(loaded).__name__)
    first, *chain = x509.load_pem_x509_certificates(certificates)
    return SigningKey(loaded, first, tuple(chain), Ed25519PrivateKey.from_private_bytes(head_key))


def check(certificate: x509.Certificate, *, at: datetime) -> None:
    """Raise UnusableKey where a certificate may not sign a contract at that time."""
    public = certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < RSA_BITS_MIN:
            raise UnusableKey("weak", f"RSA {public.key_size} < {RSA_BITS_MIN}")
    elif not (isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, CURVES)):
        raise UnusableKey("kind", type(public).__name__)
    if at < certificate.not_valid_before_utc:
        raise UnusableKey("not_yet_valid", certificate.not_valid_before_utc.isoformat())
    if at > certificate.not_valid_after_utc:
        raise UnusableKey("expired", certificate.not_valid_after_utc.isoformat())
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise UnusableKey("usage")


def subject(certificate: x509.Certificate) -> str:
    """Return whom a certificate names, for people: its common name, and the organisation where that is another."""
    named = [
        str(each.value)
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for each in certificate.subject.get_attributes_for_oid(kind)[:1]
    ]
    return ", ".join(dict.fromkeys(named)) or certificate.subject.rfc4514_string()


def fingerprint(certificate: x509.Certificate) -> str:
    return sha256(certificate.public_bytes(_DER)).hexdigest()


def _rounds(raw: bytes) -> Iterator[int]:
    """Give every number of rounds of key derivation that the file asks for, before any of it is derived."""
    file = pkcs12.Pfx.load(raw, strict=True)
    if file["mac_data"].native is not None:
        yield int(file["mac_data"]["iterations"].native)
    for part in file.authenticated_safe:
        if part["content_type"].native == "encrypted_data":
            yield from _of_scheme(part["content"]["encrypted_content_info"]["content_encryption_algorithm"])
            continue
        for bag in pkcs12.SafeContents.load(part["content"].native):
            if bag["bag_id"].native == "pkcs8_shrouded_key_bag":
                yield from _of_scheme(bag["bag_value"]["encryption_algorithm"])


def _of_scheme(algorithm: core.Sequence) -> Iterator[int]:
    parameters = algorithm["parameters"]
    if algorithm["algorithm"].native == "pbes2":
        derived = parameters["key_derivation_func"]["parameters"]
        yield int(derived["iteration_count"].native)
    elif "iterations" in (getattr(parameters, "native", None) or {}):
        yield int(parameters["iterations"].native)
