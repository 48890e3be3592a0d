"""The three signatures of a party on a contract: PAdES in the PDF, XAdES in the XML, Ed25519 on the chain's head.

Both signature fields are put into the PDF before the first signature, so that the second one only fills what was there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.xades.xades import XAdESDataObjectFormat, XAdESSigner

from tradehub.contracting.jcs import canonical
from tradehub.contracting.keys import SigningKey

NAMESPACE = "urn:tradehub:contract:1"

BOXES: Mapping[str, tuple[int, int, int, int]] = {"buyer": (62, 560, 282, 640), "seller": (313, 560, 533, 640)}
"""Where each party signs on the last page, in points from the lower left corner of A4; the page is set to fit."""


def with_fields(pdf: bytes) -> bytes:
    """Return the PDF with an empty signature field for each party on its last page."""
    from tradehub.contracting import pades

    return pades.with_fields(pdf)


def sign_pdf(pdf: bytes, role: str, key: SigningKey, *, at: datetime) -> bytes:
    """Return the PDF with the signature of ``role`` in its field: PAdES baseline B, appended to what was there."""
    from tradehub.contracting import pades

    return pades.sign(pdf, role, key, at=at)


def sign_xml(xml: bytes, role: str, key: SigningKey) -> bytes:
    """Return the XML with the signature of ``role`` beside the contract: XAdES baseline B over the contract element.

    Canonical XML 1.0 throughout: it is what a reference without transforms means, and signxml writes such a one. So that
    it comes out the same wherever an element is taken from, no namespace is declared above the contract.
    """
    root = parse(xml)
    signer = XAdESSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=_XML_ALGORITHMS[isinstance(key.key, rsa.RSAPrivateKey)],
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
        claimed_roles=[role],
        data_object_format=XAdESDataObjectFormat(Description="Contract", MimeType="application/xml"),
    )
    certificates = [key.certificate, *key.chain]
    signed = signer.sign(root, key=key.key, cert=certificates, reference_uri="#contract", always_add_key_value=False)
    return bytes(etree.tostring(signed, xml_declaration=True, encoding="UTF-8"))


_XML_ALGORITHMS = {True: SignatureMethod.RSA_SHA256, False: SignatureMethod.ECDSA_SHA256}


def sign_head(statement: Mapping[str, Any], key: SigningKey) -> bytes:
    """Return what a party signs of the chain and the contract, with both signatures, as canonical JSON.

    ``statement`` gets the key and the certificate it is signed with.
    """
    whole = {**statement, "key": key.head_key_hex, "certificate": key.fingerprint}
    said = canonical(whole)
    return canonical(
        {"statement": whole, "signature": key.head_key.sign(said).hex(), "certified": key.sign(said).hex()}
    )


def parse(xml: bytes) -> Any:
    """Return the root of a contract that we wrote."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return etree.fromstring(xml, parser)


def body_of(xml: bytes) -> bytes:
    """Return the contract element in canonical form, which is what both parties sign."""
    element = parse(xml).find(f"{{{NAMESPACE}}}contract")
    return bytes(etree.tostring(element, method="c14n", with_comments=False))
