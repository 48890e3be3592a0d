"""XML documents (UBL 2.1): reading into plain documents with issues, and writing, both by maps (docs/maps.md, XML
maps).

``read_xml(data, maps)`` never raises for what a partner sends; ``write_xml(rules, document)`` gives the message's
bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, islice
from typing import Any
from weakref import WeakKeyDictionary

from lxml import etree

from tradehub.documents import ApplicationResponse, Document, Judgement
from tradehub.documents.parts import Party, Reference
from tradehub.edi.envelope import Group, Id, Interchange, ReadMessage
from tradehub.edi.maps import MapStore
from tradehub.edi.paths import MapError
from tradehub.edi.segments import Fault, Issue, Segment, Severity
from tradehub.edi.xml_checks import differences
from tradehub.edi.xml_intake import Taken, line_of, take
from tradehub.edi.xml_map import Node, XmlMap, load
from tradehub.edi.xml_reader import Content, Place, Reading, compile_reader, read_tree
from tradehub.edi.xml_structure import Structure, structure
from tradehub.edi.xml_writer import write_tree

STANDARD = "ubl"
RELEASE = "2.1"

MESSAGES = {
    "inquiry": "RequestForQuotation", "offer": "Quotation", "order": "Order", "order_response": "OrderResponse",
    "order_change": "OrderChange", "despatch": "DespatchAdvice",
    "invoice": "Invoice", "application_response": "ApplicationResponse",
}  # fmt: skip
"""The message that states each kind of document; an invoice of type credit_note is a CreditNote."""


@dataclass(frozen=True)
class CompiledXml:
    rules: XmlMap
    read: Content


class XmlMaps:
    """The compiled XML maps of one store, each made on first use."""

    def __init__(self, store: MapStore) -> None:
        self._store = store
        self._compiled: dict[str, CompiledXml | None] = {}

    def get(self, message: str, release: str = RELEASE) -> CompiledXml | None:
        """Return the map of a message, or None where there is none. Raises MapError for one that is not well formed."""
        key = f"{STANDARD}/{release}/{message}"
        if key not in self._compiled:
            is_name = message.isascii() and message.isalnum() and message[:1].isupper()
            _, plain = self._store.plain(f"{key}.yaml") if is_name else ("", None)
            self._compiled[key] = self._compile(plain, key) if plain else None
        return self._compiled[key]

    def _compile(self, plain: Mapping[str, Any], key: str) -> CompiledXml:
        folder = key.rpartition("/")[0]
        shape, groups, codes = (self._part(f"{folder}/{name}.yaml") for name in ("structure", "groups", "codes"))
        rules = load(plain, groups["groups"], structure(shape), codes)
        return CompiledXml(rules, compile_reader(rules))

    def _part(self, path: str) -> Mapping[str, Any]:
        _, plain = self._store.plain(path)
        if plain is None:
            raise MapError(f"{path} is missing")
        found: Mapping[str, Any] = plain
        return found


_OF_STORE: WeakKeyDictionary[MapStore, XmlMaps] = WeakKeyDictionary()


def xml_maps(store: MapStore) -> XmlMaps:
    """Return the compiled XML maps of a store, the same ones each time."""
    known = _OF_STORE.get(store)
    if known is None:
        known = _OF_STORE[store] = XmlMaps(store)
    return known


def xml_map(store: MapStore, message: str, release: str = RELEASE) -> XmlMap:
    """Return the map of a message for writing. Raises MapError where there is none."""
    found = xml_maps(store).get(message, release)
    if found is None:
        raise MapError(f"{STANDARD}/{release}/{message}.yaml: there is no such map")
    return found.rules


@dataclass
class ReadXml(ReadMessage):
    """One XML message as it was understood. The line is an issue's segment number, the XPath its path."""

    root: etree._Element | None = field(default=None, repr=False)
    rules: XmlMap | None = field(default=None, repr=False)

    @property
    def accepted(self) -> bool:
        return self.document is not None and not any(issue.is_error for issue in self.issues)

    def segments(self) -> Iterator[Segment]:
        """Yield the leaves in order: the path as tag, the text as element, the line as number."""
        if self.root is None or self.rules is None:
            return
        for path, text, line in leaves(self.rules.structure, self.root):
            yield Segment(path, (text,), line)

    @property
    def coverage(self) -> tuple[int, int]:
        """Return how many leaves the document holds, and how many the message has."""
        present = sum(1 for _ in self.segments())
        kept = sum(1 for each in (self.document or {}).get("extensions", ()) if not each["tag"].startswith(("=", "-")))
        return present - kept, present


def read_xml(data: bytes, maps: MapStore) -> ReadXml:
    """Return what ``data`` says. Whatever the bytes are, the answer is a document, issues, or both."""
    taken = take(data)
    facts = taken.envelope
    interchange = Interchange(
        standard="xml",
        sender=Id(facts.get("sender_authority", ""), facts.get("sender", "")),
        receiver=Id(facts.get("receiver_authority", ""), facts.get("receiver", "")),
        control_number=facts.get("control_number", ""),
        charset=taken.encoding,
    )
    read = ReadXml(
        standard="xml",
        type="",
        release="",
        control_number=interchange.control_number,
        interchange=interchange,
        group=Group(),
        document=None,
        issues=taken.issues,
        raw=_text(data, taken.encoding),
    )
    if taken.root is None:
        return read
    name = etree.QName(taken.root)
    read.type = name.localname
    compiled = xml_maps(maps).get(name.localname)
    if compiled is None or name.namespace != compiled.rules.namespace:
        place = Place(segment=line_of(taken.root), tag=name.localname, path=f"/{name.localname}")
        read.issues = (*taken.issues, Issue(Fault.UNKNOWN_MESSAGE, place, "unknown document", rule="unknown_message"))
        return read
    _decode(read, taken.root, taken, compiled)
    return read


def _text(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding, errors="replace")
    except LookupError:
        return data.decode("utf-8", errors="replace")


def _decode(read: ReadXml, root: etree._Element, taken: Taken, compiled: CompiledXml) -> None:
    rules = compiled.rules
    read.standard = read.interchange.standard = rules.standard
    read.release, read.root, read.rules = rules.release, root, rules
    read.map_key = f"{rules.standard}/{rules.release}/{rules.message}"
    reading = read_tree(rules, compiled.read, root, taken.envelope.get("control_number", ""))
    document = reading.document
    _check(reading, root)
    if reading.extensions:
        document["extensions"] = extensions(rules, reading)
    read.control_number = read.control_number or document.get("number", "")
    read.document = document
    read.issues = (*taken.issues, *reading.issues)


def extensions(rules: XmlMap, reading: Reading) -> list[dict[str, Any]]:
    """Return what was kept as documents hold it (``documents.Extension``)."""
    standard = f"{rules.standard}:{rules.release}:{rules.message}"
    return [
        {
            "standard": standard,
            "tag": f"{mark}{path.rpartition('/')[2].partition('[')[0]}",
            "path": path,
            "ordinal": ordinal,
            "values": values,
        }
        for ordinal, (mark, path, values) in enumerate(reading.extensions, 1)
    ]


def _check(reading: Reading, root: etree._Element) -> None:
    kept = {path.partition("]")[0] for _, path, _ in reading.extensions if "[+" in path}
    for found in differences(reading.document):
        path = _place_of(reading.rules, found.path, kept)
        element = root.find(_find(reading.rules.structure, path)) if path else None
        text = f"follows from the other figures as {found.computed:f}"
        at = root if element is None else element
        reading.issue(Fault.WRONG_SUM, at, path, text, f"{found.stated:f}", Severity.WARNING)


def _place_of(rules: XmlMap, path: str, kept: Set[str]) -> str:
    """Return where the map puts a figure, ``totals.lines`` or ``lines.3.net_amount``; the elements of ``kept`` are no
    items of the document. Empty for a figure that has no element of its own.
    """
    parent, _, name = path.rpartition(".")
    listed, _, position = parent.partition(".")
    for child in rules.root.children.values():
        if position and child.scope and child.scope[-1].name == listed:
            below = _bound(child, name)
            numbers = (number for number in count(1) if f"/{child.name}[+{number}" not in kept)
            return f"/{child.name}[{next(islice(numbers, int(position), None))}]{below}" if below else ""
    return _bound(rules.root, name, listed) if not position else ""


def _bound(node: Node, name: str, scope: str = "") -> str:
    for child in node.children.values():
        found = child.binding
        in_scope = [step.name for step in child.scope] == ([scope] if scope else [])
        if found and found.field == name and in_scope:
            return f"/{child.name}"
        below = _bound(child, name, scope) if not child.scope else ""
        if below:
            return f"/{child.name}{below}"
    return ""


def _find(shape: Structure, path: str) -> str:
    steps = (step.partition("[") for step in path.strip("/").split("/"))
    return "/".join(f"{shape.tag(name)}{bracket}{number}" for name, bracket, number in steps)


def leaves(shape: Structure, root: etree._Element, at: str = "") -> Iterator[tuple[str, str, int]]:
    """Yield each leaf (element without elements, or attribute) with its path, text and line, in document order."""
    line = line_of(root)
    for attribute, value in sorted(root.items()):
        yield f"{at}/@{attribute!s}", str(value), line
    if not len(root):
        yield at, (root.text or "").strip(), line
    counts: dict[str, int] = {}
    for child in root:
        name = shape.name(str(child.tag))
        counts[name] = number = counts.get(name, 0) + 1
        yield from leaves(shape, child, f"{at}/{name}" if number == 1 else f"{at}/{name}[{number}]")


def path_of(shape: Structure, root: etree._Element, element: etree._Element) -> str:
    """Return the path of an element of the document ``root``, as ``leaves`` and issues spell it: ``/Order/cac:OrderLine[2]/cbc:Note``."""
    steps = []
    while element is not root and (parent := element.getparent()) is not None:
        number = 1 + sum(1 for _ in element.itersiblings(element.tag, preceding=True))
        steps.append(shape.name(str(element.tag)) + (f"[{number}]" if number > 1 else ""))
        element = parent
    return "/".join(("", etree.QName(element).localname, *reversed(steps)))


def named_leaves(data: bytes, maps: MapStore) -> list[tuple[str, str, int]]:
    """Return each leaf of a text with its whole path, text and line; none where the text is no readable XML."""
    taken = take(data)
    _, plain = maps.plain(f"{STANDARD}/{RELEASE}/structure.yaml")
    if taken.root is None or plain is None:
        return []
    return list(leaves(structure(plain), taken.root, f"/{etree.QName(taken.root).localname}"))


OWN = "th"
"""The prefix of our own terms, in ``structure.yaml``."""


def without_own_block(data: bytes, maps: MapStore) -> bytes:
    """Return a message without our block of terms: what a system has of it that passes over what it does not know."""
    taken = take(data)
    _, plain = maps.plain(f"{STANDARD}/{RELEASE}/structure.yaml")
    if taken.root is None or plain is None:
        return data
    shape = structure(plain)
    for extensions in taken.root.findall(shape.tag("ext:UBLExtensions")):
        for each in list(extensions):
            if each.find(f"{{*}}ExtensionContent/{{{shape.namespaces[OWN]}}}Terms") is not None:
                extensions.remove(each)
        if not len(extensions):
            taken.root.remove(extensions)
    return etree.tostring(taken.root, xml_declaration=True, encoding="UTF-8")


def message_for(document: Document) -> str:
    """Return the UBL message that states ``document``. Raises KeyError for a kind without one."""
    if document.kind == "invoice" and document.type == "credit_note":
        return "CreditNote"
    return MESSAGES[document.kind]


def write_xml(rules: XmlMap, document: Document | Mapping[str, Any]) -> bytes:
    """Return the message that states ``document``, in UTF-8."""
    plain = document.model_dump() if isinstance(document, Document) else document
    root = write_tree(rules, plain)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def acknowledge_xml(read: ReadXml, *, at: datetime, number: str) -> ApplicationResponse:
    """Return the verdict on a message: accepted or rejected, with one judgement for each issue (place and code)."""
    document = read.document or {}
    return ApplicationResponse(
        number=number,
        issued_on=at.date(),
        issued_at=at.time().replace(microsecond=0),
        parties=_answering(read.type, document),
        response="accepted" if read.accepted else "rejected",
        subject=Reference(
            type=_SUBJECTS.get(read.type, "document"),
            value=document.get("number") or read.control_number or "unknown",
            on=document.get("issued_on"),
        ),
        judgements=tuple(_judgement(issue) for issue in read.issues),
    )


_SUBJECTS = {
    "RequestForQuotation": "inquiry", "Quotation": "offer", "Order": "order", "OrderResponse": "order_response",
    "OrderChange": "change", "DespatchAdvice": "despatch", "Invoice": "invoice", "CreditNote": "invoice",
}  # fmt: skip
_FROM_BUYER = frozenset({"RequestForQuotation", "Order", "OrderChange"})


def _answering(message: str, document: Mapping[str, Any]) -> tuple[Party, ...]:
    """Return the parties of the message in the roles they have in the answer to it."""
    roles = (
        {"buyer": "receiver", "seller": "sender"}
        if message in _FROM_BUYER
        else {"seller": "receiver", "buyer": "sender"}
    )
    roles |= {"sender": "receiver", "receiver": "sender"} if message == "ApplicationResponse" else {}
    parties = (
        Party.model_validate({**party, "role": roles[party["role"]]})
        for party in document.get("parties", ())
        if party["role"] in roles
    )
    return tuple(sorted(parties, key=lambda party: party.role, reverse=True))


def _judgement(issue: Issue) -> Judgement:
    place = issue.at.path or str(issue.at)
    return Judgement(
        code=issue.fault.word, severity=issue.severity.value, place=place, value=issue.value or None, text=issue.text
    )
