"""Lists within lists that the model keeps as one: groups of articles, places, commitments, consignments, documents.

A message nests what the canonical document has side by side. Each pair folds a document as the map read it into the
model's form and back; a map names its pair as ``message.shape`` (docs/maps.md, Trees). Folding owns what it is given;
unfolding changes nothing of it.
"""

from __future__ import annotations

from typing import Any

Scope = dict[str, Any]


def _flatten(scope: Scope, outer: str, inner: str, shared: tuple[str, ...]) -> None:
    """Put the items of each group's list ``inner`` into one of the scope; each gets the group's ``shared`` fields."""
    items: list[Scope] = scope.pop(inner, [])
    for group in scope.pop(outer, []):
        given = {name: group[name] for name in shared if name in group}
        for item in group.get(inner, ()):
            for name, value in given.items():
                if isinstance(value, list):
                    item[name] = [*map(dict, value), *item.get(name, ())]
                else:
                    item.setdefault(name, value)
            items.append(item)
    if items:
        scope[inner] = items


def _regroup(scope: Scope, outer: str, inner: str, shared: tuple[str, ...]) -> None:
    """Put items that follow each other with equal ``shared`` fields into groups, which take the fields."""
    groups: list[Scope] = []
    for item in scope.pop(inner, ()):
        given = {name: item[name] for name in shared if item.get(name)}
        own = {name: value for name, value in item.items() if name not in shared}
        if not groups or {name: groups[-1][name] for name in shared if name in groups[-1]} != given:
            groups.append({**given, inner: []})
        groups[-1][inner].append(own)
    if groups:
        scope[outer] = groups


def fold_groups(document: Scope) -> Scope:
    """Give each line of a PRICAT the product group (PGI) that it stands in."""
    _flatten(document, "levels", "lines", ("group",))
    return document


def unfold_groups(document: Scope) -> Scope:
    document = dict(document)
    _regroup(document, "levels", "lines", ("group",))
    return document


_COMMITMENT = ("status", "pattern")


def fold_points(document: Scope) -> Scope:
    """Give the lines of a DELFOR the place of delivery that they stand below, and their quantities place and commitment.

    By place and article (lines below NAD) a line has the party of its place; by article and place (NAD below LIN) its
    planned quantities have the place's id.
    """
    for level in document.get("levels", ()):
        if level.get("party"):
            level["parties"] = [level.pop("party")]
    _flatten(document, "levels", "lines", ("parties",))
    for line in document.get("lines", ()):
        _flatten(line, "schedules", "plan", _COMMITMENT)
        for place in line.get("places", ()):
            _flatten(place, "schedules", "plan", _COMMITMENT)
        _flatten(line, "places", "plan", ("place",))
    return document


def unfold_points(document: Scope) -> Scope:
    """Turn a forecast into one of the two forms: ``levels`` of places with lines where every line has a party, else
    ``lines`` with places."""
    document = dict(document)
    lines = [_by_place(line) for line in document.pop("lines", ())]
    if lines:
        document["lines"] = lines
        if all(line.get("parties") for line in lines):
            _levels(document)
    return document


def _levels(document: Scope) -> None:
    _regroup(document, "levels", "lines", ("parties",))
    for level in document["levels"]:
        parties = level.pop("parties", ())
        if parties:
            level["party"] = parties[0]


def _by_place(line: Scope) -> Scope:
    line = dict(line)
    plan = line.pop("plan", ())
    line["plan"] = [each for each in plan if not each.get("place")]
    placed: Scope = {"plan": [each for each in plan if each.get("place")]}
    _regroup(placed, "places", "plan", ("place",))
    return {**line, **({"places": placed["places"]} if "places" in placed else {})}


def unfold_schedules(document: Scope) -> Scope:
    """As ``unfold_points`` for the directories where every line stands below a processing indicator, and every
    planned quantity below its commitment (SCC)."""
    document = dict(document)
    lines = [_by_place(line) for line in document.pop("lines", ())]
    for line in lines:
        line["places"] = [dict(place) for place in line.get("places", ())]
        for scope in (line, *line["places"]):
            _regroup(scope, "schedules", "plan", _COMMITMENT)
    if lines:
        document["lines"] = lines
        _levels(document)
    return document


_OF_A_CONSIGNMENT = ("transport",)


def fold_consignments(document: Scope) -> Scope:
    """Turn the consignments (CNI) of an IFTSTA into lines; the events of a single one become the document's own."""
    levels = document.pop("levels", [])
    for level in levels:
        for event in level.get("events", ()):
            for name in _OF_A_CONSIGNMENT:
                document.setdefault(name, []).extend(event.pop(name, ()))
    for name in _OF_A_CONSIGNMENT:
        if not document.get(name):
            document.pop(name, None)
    if len(levels) == 1 and levels[0].get("events"):
        document["events"] = levels[0].pop("events")
    if any(levels):
        document["lines"] = levels
    return document


def unfold_consignments(document: Scope) -> Scope:
    """Turn lines back into consignments; the document's own events go to the first, which is made where there is
    none."""
    document = dict(document)
    levels = [{**line, "events": list(line.get("events", ()))} for line in document.pop("lines", ())]
    events = list(document.pop("events", ()))
    if events and levels and not levels[0].get("events"):
        levels[0]["events"] = events
    elif events:
        levels.insert(0, {"events": events})
    first = next((level["events"] for level in levels if level.get("events")), None)
    if first:
        moved = {name: document.pop(name) for name in _OF_A_CONSIGNMENT if name in document}
        first[0] = {**first[0], **moved}
    if levels:
        document["levels"] = levels
    return document


_DOCUMENTS = ("order", "order_response", "inquiry", "offer", "despatch")
_UNNAMED = {"type": "order"}


def fold_documents(document: Scope) -> Scope:
    """Say of the documents (DOC) of an OSTENQ or OSTRPT what the lines below belong to.

    A single document is the status's own; of several each line names its own. The events of a document as a whole are
    the status's own. An order without a number is none: so is written what stands above lines that name no document.
    """
    levels = document.pop("levels", [])
    lines: list[Scope] = []
    for level in levels:
        document_of = {"type": "order", **level.get("document", {})}
        named = [document_of] if document_of != _UNNAMED else []
        of_all = named if len(levels) == 1 or not level.get("lines") else []
        if of_all:
            document.setdefault("references", []).extend(of_all)
        lines += [_named(line, [] if of_all else named) for line in level.get("lines", ())]
        if level.get("events"):
            document.setdefault("events", []).extend(level["events"])
    if lines:
        document["lines"] = lines
    return document


def _named(line: Scope, references: list[Scope]) -> Scope:
    """Let a line name its document first, unless it does so itself and says more of it."""
    if not references or _own(line) == references[0]:
        return line
    return {**line, "references": [*references, *line.get("references", ())]}


def unfold_documents(document: Scope) -> Scope:
    """Turn references and lines back into documents with lines; a document that no line belongs to stands alone."""
    document = dict(document)
    lines = document.pop("lines", ())
    alone = [each for each in document.get("references", ()) if each.get("type") in _DOCUMENTS]
    document["references"] = [each for each in document.get("references", ()) if each not in alone]
    of_all = alone.pop(0) if len(alone) == 1 and not any(_own(line) for line in lines) else None
    levels: list[Scope] = [{"document": of_all, "lines": []}] if of_all else []
    for line in lines:
        own, references = _own(line), list(line.get("references", ()))
        named = own or of_all
        if not levels or levels[-1].get("document") != named:
            levels.append({"lines": [], **({"document": named} if named else {})})
        if own is not None and references[0] == own:  # else it says more of the document than a level can
            del references[0]
        if line.get("level") == "order":  # X12 tells of an order as a whole on a line of its own
            levels[-1]["events"] = line.get("events", [])
        else:
            levels[-1]["lines"].append({**line, "references": references})
    levels += [{"document": each} for each in alone]
    events = document.pop("events", ())
    if events:
        levels = levels or [{}]
        levels[0]["events"] = list(events)
    if levels:
        document["levels"] = levels
    return document


def _own(line: Scope) -> Scope | None:
    """Return what a level (DOC) says of the document that the line names as its own, the first of its references."""
    first: Scope = next(iter(line.get("references", ())), {})
    if first.get("type") not in _DOCUMENTS or not first.get("value"):
        return None
    return {name: first[name] for name in ("type", "value", "on") if name in first}


_JUDGED = ("order", "invoice", "despatch", "receipt", "order_response", "offer", "inquiry", "change", "seller_order")


def fold_verdict(document: Scope) -> Scope:
    """Name the document judged by an APERAK: the first reference to a business document, else the first of all."""
    references = document.get("references", [])
    if references:
        subject = next((each for each in references if each.get("type") in _JUDGED), references[0])
        document["subject"] = subject
        left = [each for each in references if each is not subject]
        document["references"] = left
        if not left:
            del document["references"]
    return document


def unfold_verdict(document: Scope) -> Scope:
    """Put the document judged before the other references."""
    document = dict(document)
    subject = document.pop("subject", None)
    if subject:
        document["references"] = [subject, *document.get("references", ())]
    return document


def fold_disputes(document: Scope) -> Scope:
    """Make the first document of a COMDIS the subject; what is said of a further one has its number as place."""
    judgements: list[Scope] = []
    for at, level in enumerate(document.pop("levels", ())):
        subject = level.get("subject", {})
        if not at and subject:
            document["subject"] = {"type": "invoice", **subject}
        where = {"place": subject["value"]} if at and subject.get("value") else {}
        judgements += [{**each, **where} for each in level.get("judgements", ())]
    if judgements:
        document["judgements"] = judgements
    return document


def unfold_disputes(document: Scope) -> Scope:
    """Put each judgement below the document it is about."""
    document = dict(document)
    subject = document.pop("subject", None)
    levels: list[Scope] = [{"subject": subject, "judgements": []}] if subject else []
    for judgement in document.pop("judgements", ()):
        own = dict(judgement)
        place = own.pop("place", None)
        if not levels or (place and levels[-1]["subject"].get("value") != place):
            levels.append({"subject": {"value": place} if place else {}, "judgements": []})
        levels[-1]["judgements"].append(own)
    if levels:
        document["levels"] = levels
    return document
