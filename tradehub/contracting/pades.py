"""Signatures in a PDF: PAdES baseline B, by pyHanko.

It takes half a second to import, so only who signs imports it.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from tradehub.contracting.keys import SigningKey
from tradehub.contracting.signing import BOXES

_DER = serialization.Encoding.DER


def with_fields(pdf: bytes) -> bytes:
    """Return the PDF with an empty signature field for each party on its last page."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    for role, box in BOXES.items():
        fields.append_signature_field(writer, fields.SigFieldSpec(role, on_page=-1, box=box))
    return _written(writer)


def sign(pdf: bytes, role: str, key: SigningKey, *, at: datetime) -> bytes:
    """Return the PDF with the signature of ``role`` in its field: PAdES baseline B, appended to what was there."""
    signer = signers.SimpleSigner(
        signing_cert=_asn1(key.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(key.key_der),
        cert_registry=_store(key),
    )
    meta = signers.PdfSignatureMetadata(
        field_name=role,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=f"Contract, {role}",
        name=key.fingerprint,
    )
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    style = _stamp(role, key, at)
    signed = signers.PdfSigner(meta, signer=signer, stamp_style=style).sign_pdf(writer)
    return bytes(signed.getvalue())


def _stamp(role: str, key: SigningKey, at: datetime) -> TextStampStyle:
    """What is seen in the box: when, and with which certificate; who the party is stands above it."""
    mark = key.fingerprint
    lines = (f"{role}", f"{at:%Y-%m-%d %H:%M:%S} UTC", mark[:32], mark[32:])
    return TextStampStyle(border_width=0, stamp_text="\n".join(lines))


def _store(key: SigningKey) -> SimpleCertificateStore:
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple([_asn1(each) for each in key.chain])
    return store


def _asn1(certificate: Any) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(_DER))


def _written(writer: IncrementalPdfFileWriter) -> bytes:
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()
