"""Bytes from outside become an element tree, or issues: nothing is fetched, expanded or executed, and nothing raises.

Limits come first, then a hardened parser; a document type declaration is refused, whatever it says. A
StandardBusinessDocument
envelope is taken off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from tradehub.edi.segments import Fault, Issue, Position

MAX_BYTES = 20_000_000  # taken synchronously; a 4,000-line invoice has 6 MB
MAX_ELEMENTS = 1_000_000  # a tree takes about 200 bytes an element
MAX_ATTRIBUTES = 64  # of one element; UBL has at most 8
MAX_ALL_ATTRIBUTES = 2_000_000
# Depth (256) and the length of names (50,000) and texts (10 million) are limited by the parser itself.

SBDH = "{http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader}"

_SKIPPED = ((b"<?", b"?>"), (b"<!--", b"-->"))
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    remove_blank_text=True,
    collect_ids=False,
)
_TOO_WIDE = etree.XPath(f"//*[@*[{MAX_ATTRIBUTES + 1}]]")


@dataclass(frozen=True)
class Taken:
    """What came in: the root of the business document, or None with the issues that say why; the envelope's facts."""

    root: etree._Element | None = None
    issues: tuple[Issue, ...] = ()
    encoding: str = "utf-8"
    envelope: dict[str, str] = field(default_factory=dict)


class XmlPosition(Position):
    """A line of a text that is no readable document."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"line {self.segment}" if self.segment else "document"


def take(data: bytes) -> Taken:
    """Return the tree of ``data`` where it can be had safely."""
    refused = _over_limit(data)
    if refused:
        return Taken(issues=(refused,))
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as wrong:
        return Taken(issues=(_issue(Fault.NOT_EDI, f"not well-formed: {wrong.msg}", wrong.lineno or 0),))
    info: Any = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        return Taken(issues=(_doctype(),))
    refused = _crowded(data, root)
    if refused:
        return Taken(issues=(refused,))
    encoding = info.encoding or "utf-8"
    if root.tag == f"{SBDH}StandardBusinessDocument":
        return _unwrapped(root, encoding)
    return Taken(root, (), encoding)


def _over_limit(data: bytes) -> Issue | None:
    if len(data) > MAX_BYTES:
        return _issue(Fault.TOO_LONG, f"more than {MAX_BYTES} bytes")
    if _declares_type(data):
        return _doctype()
    if data.count(b"<") > 2 * MAX_ELEMENTS:
        return _issue(Fault.TOO_MANY_SEGMENTS, f"more than {MAX_ELEMENTS} elements")
    if data.count(b"=") > MAX_ALL_ATTRIBUTES:
        return _issue(Fault.TOO_MANY_ELEMENTS, f"more than {MAX_ALL_ATTRIBUTES} attributes")
    return None


def _declares_type(data: bytes) -> bool:
    """Return whether a DOCTYPE stands before the root element; the parser need not see it. UTF-16 is judged after
    parsing.
    """
    at = len(b"\xef\xbb\xbf") if data.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while data[at : at + 1].isspace():
            at += 1
        end = next((data.find(close, at) + len(close) for open_, close in _SKIPPED if data.startswith(open_, at)), 0)
        if end <= at:
            return data.startswith(b"<!DOCTYPE", at)
        at = end


def _crowded(data: bytes, root: etree._Element) -> Issue | None:
    """Return an issue where an element has too many attributes; looked for only where they outnumber the tags."""
    if data.count(b"=") <= data.count(b"<"):
        return None
    found = _TOO_WIDE(root)
    if isinstance(found, list) and found:
        return _issue(Fault.TOO_MANY_ELEMENTS, f"more than {MAX_ATTRIBUTES} attributes", line_of(found[0]))
    return None


def _unwrapped(envelope: etree._Element, encoding: str) -> Taken:
    header = envelope.find(f"{SBDH}StandardBusinessDocumentHeader")
    inside = [child for child in envelope if child is not header]
    if header is None or len(inside) != 1:
        return Taken(issues=(_issue(Fault.BAD_ENVELOPE, "an envelope needs one header and one document"),))
    facts = {}
    for role in ("Sender", "Receiver"):
        identifier = header.find(f"{SBDH}{role}/{SBDH}Identifier")
        if identifier is not None and identifier.text:
            facts[role.lower()] = identifier.text.strip()
            facts[f"{role.lower()}_authority"] = identifier.get("Authority", "")
    instance = header.findtext(f"{SBDH}DocumentIdentification/{SBDH}InstanceIdentifier")
    if instance:
        facts["control_number"] = instance.strip()
    return Taken(inside[0], (), encoding, facts)


def line_of(element: object) -> int:
    """Return the line on which an element begins."""
    return int(getattr(element, "sourceline", None) or 0)


def _doctype() -> Issue:
    return _issue(Fault.FORBIDDEN, "a document type declaration is not accepted")


def _issue(fault: Fault, text: str, line: int = 0) -> Issue:
    return Issue(fault, XmlPosition(segment=line, tag="document"), text, rule=fault.word)
