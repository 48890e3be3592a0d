"""Our X12 maps in the form of pyx12, so that an independent judge can be asked for its verdict (spec: pyx12's part).

pyx12 reads a folder: ``files`` gives the texts that belong there, ``judge`` asks it. Every set of 004010 and 005010 can
be said in its form. What cannot, or is judged otherwise there:

- interchanges other than ISA12 00401 and 00501, and 869 beside 870: a map is found by release and group (GS01) alone;
- a loop that lacks its bounds LS and LE: no fault to us where it can be told, an error to pyx12;
- of two loops between LS and LE side by side (832 of 005010, LM and N1), the second without the first;
- a place that is a habit and no place of the standard: pyx12 takes it without a word;
- code lists that only warn: pyx12 knows closed ones;
- HL01 that does not count from 1, HL02 that names no level, a number that ends in its decimal point: errors to pyx12;
- an empty segment, which silently ends its reading.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from pyx12.errors import EngineError, X12Error
from pyx12.params import ParamsBase
from pyx12.x12n_document import x12n_document

from tradehub.edi.schema import ElementRule, MapSpec, StructureNode, Use

CONTROL = ("x12.control.00401.xml", "x12.control.00501.xml", "dataele.xml")
"""pyx12's own files that its folder needs; they come with the package, in ``pyx12/map``."""

ENVELOPES = {"004010": "00401", "005010": "00501"}
"""Version of the interchange (ISA12) in which pyx12 knows the messages of a release."""

UNBOUNDED = ">1"
ACCEPTED = {"A", "E"}
"""What 997 AK501 says of a message that is taken, in spite of errors or not."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What pyx12 says: ``accepted`` is None where it could not judge, ``reason`` says why."""

    accepted: bool | None
    issues: tuple[dict[str, Any], ...] = ()
    reason: str = ""


def files(specs: Iterable[MapSpec], control: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a pyx12 map folder, by file name. ``control`` holds pyx12's own files named in CONTROL.

    Raises ValueError where one folder cannot hold them: pyx12 finds a map by release and group (GS01) alone, so that
    not both 869 and 870 fit, and it has one dictionary, so that all must be of one release.
    """
    specs = list(specs)
    keys = {(spec.head.release, spec.head.group) for spec in specs}
    if len(keys) < len(specs) or len({spec.head.release for spec in specs}) > 1:
        raise ValueError("pyx12 cannot tell these maps apart")
    groups = {spec.head.group for spec in specs}
    made = {name: _text(_control(control[name], groups)) for name in CONTROL[:2]}
    elements: dict[str, ElementRule] = {}
    index = etree.Element("maps")
    versions = {number: etree.SubElement(index, "version", icvn=number) for number in ENVELOPES.values()}
    controls = dict(zip(versions, CONTROL, strict=False))
    for spec in specs:
        elements.update(spec.dictionary.elements)
        envelope = envelope_of(spec)
        name = f"{spec.head.set}.{spec.head.release}.xml"
        made[name] = _text(_transaction(spec, made[controls[envelope]]))
        entry = etree.SubElement(
            versions[envelope], "map", vriic=spec.head.release, fic=spec.head.group, abbr=spec.head.set
        )
        entry.text = name
    for envelope, version in versions.items():
        entry = etree.SubElement(version, "map", vriic="", fic="", abbr="X12")
        entry.text = controls[envelope]
    made["maps.xml"] = _text(index)
    made["dataele.xml"] = _text(_elements(elements, control[CONTROL[2]]))
    made["codes.xml"] = _text(etree.Element("codesets"))
    return made


def envelope_of(spec: MapSpec) -> str:
    """Return the ISA12 under which pyx12 reads messages of a map. Raises ValueError for a release it does not know."""
    if spec.head.standard != "x12" or spec.head.release not in ENVELOPES:
        raise ValueError(f"pyx12 knows no {spec.head.key}")
    return ENVELOPES[spec.head.release]


def _parse(text: str) -> etree._Element:
    return etree.fromstring(
        text.encode(), etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    )


def _text(element: etree._Element) -> str:
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8").decode()


def _control(text: str, groups: Iterable[str]) -> etree._Element:
    """Return pyx12's control map, which knows the groups of health care only, with ours."""
    root = _parse(text)
    for codes in root.iterfind(".//segment[@xid='GS']/element[@xid='GS01']/valid_codes"):
        known = {each.text for each in codes}
        for group in sorted(set(groups) - known):
            etree.SubElement(codes, "code").text = group
    for element in root.iterfind(".//segment[@xid='GS']/element[@xid='GS08']"):
        for codes in element.findall("valid_codes"):
            element.remove(codes)
    return root


def _elements(ours: Mapping[str, ElementRule], theirs: str) -> etree._Element:
    """Return our elements; pyx12's own for those of the envelope."""
    root = etree.Element("data_elements")
    for each in ours.values():
        kind = each.type if each.type != "B" else "AN"
        etree.SubElement(
            root,
            "data_ele",
            ele_num=each.id,
            data_type=kind,
            min_len=str(each.min),
            max_len=str(each.max),
            name=each.name or each.id,
        )
    for element in _parse(theirs):
        if element.get("ele_num") not in ours:
            root.append(element)
    return root


def _transaction(spec: MapSpec, control: str) -> etree._Element:
    """Return the map of a set: ISA and GS as in pyx12's control map, with ST to SE within the group."""
    root = _parse(control)
    root.set("xid", spec.head.set)
    group = root.find(".//loop[@xid='GS_LOOP']")
    trailer = group.find("segment[@xid='GE']") if group is not None else None
    if group is None or trailer is None:
        raise ValueError("pyx12's control map has no GS loop")
    transaction = _loop("ST_LOOP", "explicit", "R", UNBOUNDED, 20)
    transaction.append(_service("ST", (("143", [spec.head.set]), ("329", []))))
    # pyx12 finds the message's own segments below one wrapper, and SE beside it
    body = _loop("HEADER", "wrapper", "R", "1", 20)
    _level(body, spec.structure)
    transaction.append(body)
    transaction.append(_service("SE", (("96", []), ("329", [])), 9000))
    group.insert(group.index(trailer), transaction)
    return root


def _loop(xid: str, kind: str, usage: str, repeat: str, position: int) -> etree._Element:
    loop = etree.Element("loop", xid=xid)
    if kind:
        loop.set("type", kind)
    for name, value in (("name", xid), ("usage", usage), ("pos", f"{position:04}"), ("repeat", repeat)):
        etree.SubElement(loop, name).text = value
    return loop


def _service(tag: str, elements: Iterable[tuple[str, list[str]]], position: int = 10) -> etree._Element:
    segment = _segment_head(tag, "R", "1", position)
    for number, (id_, codes) in enumerate(elements, 1):
        _element(segment, f"{tag}{number:02}", id_, "R", number, codes)
    return segment


def _segment_head(tag: str, usage: str, most: str, position: int) -> etree._Element:
    segment = etree.Element("segment", xid=tag)
    for name, value in (("name", tag), ("usage", usage), ("pos", f"{position:04}"), ("max_use", most)):
        etree.SubElement(segment, name).text = value
    return segment


def _level(parent: etree._Element, nodes: tuple[StructureNode, ...]) -> None:
    seen: dict[str, int] = {}
    bounds: etree._Element | None = None
    for position, node in enumerate(nodes, 1):
        usage = "R" if node.mandatory else "S"
        most = str(node.max) if node.max else UNBOUNDED
        if node.is_loop:
            loop = _loop(_numbered(node.name, seen), "", usage, most, position * 10)
            _level(loop, node.children)
            (bounds if node.bounded and bounds is not None else parent).append(loop)
        elif node.name == "LS":
            # between LS and LE a loop of its own, else pyx12 takes the first segment of what stands there for any other
            bounds = _loop(_numbered("LS", seen), "", "S", "1", position * 10)
            bounds.append(_segment(node, "R", "1", position * 10))
            parent.append(bounds)
        elif node.name == "LE" and bounds is not None:
            bounds.append(_segment(node, "R", "1", position * 10))
        else:
            parent.append(_segment(node, usage, most, position * 10))


def _numbered(name: str, seen: dict[str, int]) -> str:
    """Return the name of a loop: numbered from the second of its name on."""
    seen[name] = seen.get(name, 0) + 1
    return f"{name}_LOOP" + (str(seen[name]) if seen[name] > 1 else "")


def _segment(node: StructureNode, usage: str, most: str, position: int) -> etree._Element:
    segment = _segment_head(node.name, usage, most, position)
    for condition in node.rule.conditions:
        etree.SubElement(segment, "syntax").text = str(condition)
    for number, use in enumerate(node.rule.uses, 1):
        _use(segment, f"{node.name}{number:02}", use, number)
    return segment


def _usage(use: Use) -> str:
    return "N" if use.forbidden else "R" if use.mandatory else "S"


def _use(parent: etree._Element, xid: str, use: Use, number: int) -> None:
    if use.element is not None:
        codes = sorted(use.element.codes) if use.element.codes_are_closed else []
        _element(parent, xid, use.ref, _usage(use), number, codes)
        return
    composite = etree.SubElement(parent, "composite")
    for name, value in (
        ("data_ele", use.ref),
        ("name", use.ref),
        ("usage", _usage(use)),
        ("seq", f"{number:02}"),
        ("refdes", xid),
    ):
        etree.SubElement(composite, name).text = value
    for at, part in enumerate(use.parts, 1):
        _use(composite, f"{xid}-{at}", part, at)


def _element(parent: etree._Element, xid: str, id_: str, usage: str, number: int, codes: Iterable[str]) -> None:
    element = etree.SubElement(parent, "element", xid=xid)
    for name, value in (("data_ele", id_), ("name", id_), ("usage", usage), ("seq", f"{number:02}")):
        etree.SubElement(element, name).text = value
    listed = list(codes)
    if listed:
        valid = etree.SubElement(element, "valid_codes")
        for code in listed:
            etree.SubElement(valid, "code").text = code


def judge(text: str, folder: str) -> Opinion:
    """Return pyx12's verdict on an X12 file under the maps in ``folder``."""
    try:
        accepted, found = _report(text, folder)
    except (EngineError, X12Error) as wrong:
        return Opinion(None, reason=str(wrong))
    return Opinion(accepted, tuple(_errors(found)))


def judge_each(text: str, folder: str) -> dict[str, Opinion]:
    """Return pyx12's verdict on each message of an X12 file, by its control number (ST02).

    Raises ValueError where pyx12 cannot judge the file.
    """
    try:
        _, found = _report(text, folder)
    except (EngineError, X12Error) as wrong:
        raise ValueError(str(wrong)) from wrong
    return {
        message["trn_set_control_num"]: Opinion(message["ack_code"] in ACCEPTED, tuple(_errors(message)))
        for interchange in found.get("interchanges", ())
        for group in interchange["groups"]
        for message in group["transactions"]
    }


def _report(text: str, folder: str) -> tuple[bool, Any]:
    """Return whether pyx12 accepts a file, and all that it notes: as one JSON document, or nothing."""
    noted = io.StringIO()
    accepted = x12n_document(ParamsBase(), io.StringIO(text), None, None, None, noted, map_path=folder)
    return bool(accepted), json.loads(noted.getvalue() or "{}")


def _errors(node: Any) -> Iterable[dict[str, Any]]:
    """Yield what pyx12 notes, wherever in its report it stands."""
    if isinstance(node, dict):
        if "error_code" in node or "err_cde" in node or "code" in node:
            yield {name: value for name, value in node.items() if not isinstance(value, (dict, list))}
        for value in node.values():
            yield from _errors(value)
    elif isinstance(node, list):
        for each in node:
            yield from _errors(each)
