"""Files that stand on the file of another release: ``like: "004010"``, and only what differs.

Dictionaries are merged row by row; a structure or a map's body takes the place of the other's, or, for a map, node by
node: all nodes of one name on the first level stand for all of that name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tradehub.edi.paths import MapError, parse_head

Plain = Any


def release_of(plain: Plain) -> str:
    """Return the release that a parsed file stands on; empty where it stands on its own."""
    if not isinstance(plain, dict):
        return ""
    head = plain.get("message")
    named = head.get("like", "") if isinstance(head, dict) else plain.get("like", "")
    return named if isinstance(named, str) else ""


def merged(base: Plain, plain: Plain, name: str) -> Plain:
    """Return the whole file that ``plain`` means, given the file it stands on. Raises MapError."""
    if not isinstance(base, dict):
        raise MapError(f"{name}: there is no file to be like")
    if "message" in plain:
        head = {key: value for key, value in plain["message"].items() if key != "like"}
        return {"message": {**base["message"], **head}, "body": _body(base["body"], plain.get("body") or [], name)}
    whole = dict(base)
    for section, rows in plain.items():
        if section in {"like", "gone"}:
            continue
        whole[section] = _rows(whole.get(section), rows)
    for gone in str(plain.get("gone", "")).split():
        for section, rows in whole.items():
            if isinstance(rows, dict) and gone in rows:
                whole[section] = {key: value for key, value in rows.items() if key != gone}
    return whole


def _rows(base: Plain, own: Plain) -> Plain:
    """Return sections merged: tables row by row, texts and lists replaced."""
    if not (isinstance(base, dict) and isinstance(own, dict)):
        return own
    return {**base, **{key: _rows(base.get(key), value) for key, value in own.items()}}


def _body(base: list[Plain], own: list[Plain], name: str) -> list[Plain]:
    replaced: dict[str, list[Plain]] = {}
    for node in own:
        replaced.setdefault(_place(node, name), []).append(node)
    body: list[Plain] = []
    for node in base:
        place = _place(node, name)
        if place not in replaced:
            body.append(node)
            continue
        body += replaced[place]
        replaced[place] = []
    left = [place for place, nodes in replaced.items() if nodes]
    if left:
        raise MapError(f"{name}: the map it is like has no {left[0]}")
    return body


def _place(node: Plain, name: str) -> str:
    spelled = next(iter(node)) if isinstance(node, dict) and len(node) == 1 else node
    if not isinstance(spelled, str):
        raise MapError(f"{name}: a node has one key")
    head = parse_head(spelled)
    return f"loop {head.name}@{head.occurrence}" if head.is_loop else f"{head.name}@{head.occurrence}"


_EDIFACT = re.compile(r".?(\d\d)([A-C])\Z")
_CENTURY = 70  # two digits of a year below it are of this century: directories begin with 1988


def nearest(release: str, known: Sequence[str]) -> str:
    """Return the release of ``known`` (oldest first) that lies nearest: X12 by version, EDIFACT by the directory's date.

    Of two equally near it is the older; for a release that does not say its age, the oldest. Empty where none is known.
    """
    age = _age(release)
    if age is None or not known:
        return known[0] if known else ""
    return min(known, key=lambda each: abs((_age(each) or 0) - age))


def _age(release: str) -> int | None:
    if release.isdecimal() and len(release) == 6:
        return int(release)
    match = _EDIFACT.match(release)
    if match is None:
        return None
    year = int(match[1])
    return 3 * (year + (100 if year < _CENTURY else 0)) + "ABC".index(match[2])
