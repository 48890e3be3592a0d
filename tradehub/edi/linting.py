"""Faults of a map's files, each with file, line and place: what ``tradehub maps lint`` says.

The notation is looked at first, row by row, so that every slip of it is found at once; then whether map, structure,
dictionary and document fit each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from tradehub.edi import editions, schema
from tradehub.edi.maps import MapStore
from tradehub.edi.paths import MapError, parse_head, parse_node
from tradehub.edi.placed import At, FileFault, line_of, lines

Plain = Any

_MAXIMUM = re.compile(r"\*|[1-9]\d*")
_YAML = re.compile(r"(?P<file>.+?\.yaml): (?:line (?P<line>\d+): )?(?P<text>.*)", re.DOTALL)


class _File(NamedTuple):
    """A file as it stands there: what it says itself, without what it is like."""

    name: str
    plain: Plain
    text: str

    def fault(self, at: At, place: str, text: str) -> FileFault:
        return FileFault(self.name, line_of(_lines(self.text), at), place, text)


def map_faults(store: MapStore, standard: str, message: str, release: str) -> list[FileFault]:
    """Return what is wrong with a segment map and the files it stands on; empty when nothing is."""
    folder = f"{standard}/{release}"
    try:
        body = _file(store, f"{folder}/{message}.yaml")
        structure = _file(store, f"{folder}/structure/{message}.yaml")
        dictionary = {name: _file(store, f"{folder}/{name}.yaml") for name in ("elements", "segments", "codes")}
        found = [*_dictionary(store, standard, release, dictionary), *_structure(structure), *_body(body)]
        if found:
            return found
        spec = store.spec(standard, message, release)
    except MapError as wrong:
        return [_of_error(store, wrong)]
    found = [*_unknown_segments(structure, spec.dictionary)]
    for at, text in schema.faults(spec):
        found.append(_in_body(store, body, at, text))
    return found


def _file(store: MapStore, name: str) -> _File:
    text = store.text(name)
    if text is None:
        return _File(name, None, "")
    return _File(name, _parsed(text, name), text)


@lru_cache(maxsize=64)
def _parsed(text: str, name: str) -> Plain:
    """Parse a file once: many maps stand on one dictionary. Nobody changes what comes back."""
    return schema.parse_yaml(text, name)


@lru_cache(maxsize=64)
def _lines(text: str) -> Mapping[At, int]:
    return lines(text)


def _of_error(store: MapStore, wrong: MapError) -> FileFault:
    """Return a fault that only its text describes, with its line where the text names a row."""
    found = _YAML.fullmatch(str(wrong))
    if found is None:
        return FileFault("", 0, "", str(wrong))
    name, text = found["file"], found["text"]
    if found["line"]:
        return FileFault(name, int(found["line"]), "", text)
    place, _, rest = text.partition(": ")
    known = lines(store.text(name) or "")
    at = next((each for each in known if ".".join(each) == place or each[-1:] == (place,)), None)
    return FileFault(name, known[at], place, rest) if at is not None and rest else FileFault(name, 0, "", text)


# Dictionary ---------------------------------------------------------------------------------------


def _dictionary(store: MapStore, standard: str, release: str, files: Mapping[str, _File]) -> Iterator[FileFault]:
    """Yield the rows that cannot be read, or name what is not there; then what the files together are wrong in."""
    whole = {name: store.plain(f"{standard}/{release}/{name}.yaml")[1] or {} for name in files}
    elements = _table(whole["elements"], "elements")
    composites = _table(whole["segments"], "composites")
    rows: tuple[tuple[str, str, Callable[[str], None]], ...] = (
        ("elements", "elements", schema.check_element),
        ("segments", "composites", lambda text: schema.check_uses(text, elements)),
        ("segments", "segments", lambda text: schema.check_uses(text, {**elements, **composites})),
    )
    faults = 0
    for name, section, check in rows:
        for key, text in _table(files[name].plain, section).items():
            try:
                check(text)
            except MapError as wrong:
                faults += 1
                yield files[name].fault((section, key), key, str(wrong))
    if not faults:
        store.dictionary(standard, release)


def _table(plain: Plain, section: str) -> dict[str, str]:
    rows = plain.get(section) if isinstance(plain, dict) else None
    return {key: text for key, text in rows.items() if isinstance(text, str)} if isinstance(rows, dict) else {}


# Structure ----------------------------------------------------------------------------------------


def _nodes(rows: Plain, at: At) -> Iterator[tuple[At, str, bool]]:
    """Yield the way to each node, its spelling, and whether it has children."""
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        here = (*at, str(number))
        if isinstance(row, dict):
            for spelled, below in row.items():
                yield (*here, str(spelled)), str(spelled), True
                yield from _nodes(below, (*here, str(spelled)))
        else:
            yield here, str(row), False


def _structure(file: _File) -> Iterator[FileFault]:
    rows = file.plain.get("structure") if isinstance(file.plain, dict) else None
    for at, spelled, is_loop in _nodes(rows, ("structure",)):
        words = spelled.split()
        wanted = "loop NAME USE MAX, as in loop N1 O 200" if is_loop else "TAG USE MAX, as in REF O *"
        node = words[1:] if is_loop and words[:1] == ["loop"] else words
        if is_loop != (words[:1] == ["loop"]) or len(node) < 3:
            yield file.fault(at, spelled, f"is not {wanted}")
        elif node[1] not in {"M", "O", "C"}:
            yield file.fault(at, spelled, f"usage is M, O or C, not {node[1]}")
        elif not _MAXIMUM.fullmatch(node[2]):
            yield file.fault(at, spelled, f"the maximum is a number, or * for no limit, not {node[2]}")
        elif set(node[3:]) - ({"habit", "bounded"} if is_loop else {"habit"}):
            yield file.fault(at, spelled, f"there is something behind the maximum: {' '.join(node[3:])}")


def _unknown_segments(file: _File, dictionary: schema.Dictionary) -> Iterator[FileFault]:
    rows = file.plain.get("structure") if isinstance(file.plain, dict) else None
    for at, spelled, is_loop in _nodes(rows, ("structure",)):
        tag = spelled.split()[0]
        if not is_loop and tag not in dictionary.segments and tag not in schema.ENGINE_TAGS:
            yield file.fault(at, tag, "is a segment that segments.yaml does not have")


# Body ---------------------------------------------------------------------------------------------


def _body(file: _File) -> Iterator[FileFault]:
    rows = file.plain.get("body") if isinstance(file.plain, dict) else None
    yield from _body_rows(file, rows, ("body",), "")


def _body_rows(file: _File, rows: Plain, at: At, where: str) -> Iterator[FileFault]:
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        here = (*at, str(number))
        if isinstance(row, dict) and len(row) > 1:
            yield file.fault(
                here, where, f"a node has one key, not {len(row)}: {', '.join(row)}; indent what lies inside"
            )
            continue
        spelled, value = next(iter(row.items())) if isinstance(row, dict) else (row, "")
        try:
            head = parse_head(spelled)
        except MapError as wrong:
            yield file.fault(here, where, str(wrong))
            continue
        place = f"{where}/{head.name}" if where else head.name
        if isinstance(value, list):
            if not head.is_loop:
                yield file.fault(here, place, f"has nodes inside and is no loop; write loop {spelled}")
            yield from _body_rows(file, value, (*here, spelled), place)
            continue
        try:
            parse_node(value or "")
        except MapError as wrong:
            yield file.fault(here, place, str(wrong))


def _in_body(store: MapStore, file: _File, at: tuple[int, ...], text: str) -> FileFault:
    """Return a fault of a resolved map at the file that says it: this one, or the one that it is like."""
    place, said = _parted(text)
    own, top = _own_file(store, file, at[0])
    way: At = ("body", str(top))
    rows = own.plain["body"]
    for number in (top, *at[1:]):
        row = rows[number]
        way = (*way[:-1], str(number)) if len(way) == 2 else (*way, str(number))
        if not isinstance(row, dict):
            break
        spelled, below = next(iter(row.items()))
        way, rows = (*way, spelled), below if isinstance(below, list) else []
    return own.fault(way, place, said)


def _parted(text: str) -> tuple[str, str]:
    """Part ``PO1: PO4: what is wrong`` after the names of nodes."""
    match = re.match(r"((?:[A-Z][A-Z0-9]*: )*)(.*)", text, re.DOTALL)
    return (match[1].rstrip(": ").replace(": ", "/"), match[2]) if match else ("", text)


def _own_file(store: MapStore, file: _File, top: int) -> tuple[_File, int]:
    """Return the file that states the node of this number of the resolved body, and its number there."""
    release = editions.release_of(file.plain)
    if not release:
        return file, top
    standard, _, name = file.name.split("/", 2)
    base = _file(store, f"{standard}/{release}/{name}")
    under = store.plain(base.name)[1]
    node = editions.merged(under, file.plain, file.name)["body"][top]
    mine = next((at for at, each in enumerate(file.plain.get("body") or ()) if each is node), None)
    if mine is not None:
        return file, mine
    return _own_file(store, base, next(at for at, each in enumerate(under["body"]) if each is node))


def xml_fault(store: MapStore, name: str, wrong: MapError) -> FileFault:
    """Return a fault of an XML map at the line, of the map or of the groups it takes in, that has both the last element
    and the last word that its text names."""
    text = str(wrong).removeprefix(f"{name}: ").removeprefix(name).removeprefix("/")
    elements = re.findall(r"(?:cac|cbc|ext|th):\w+", text)
    word = re.findall(r"[\w.]+", text)[-1:]
    for file in (name, f"{name.rpartition('/')[0]}/groups.yaml"):
        for number, line in enumerate((store.text(file) or "").splitlines(), 1):
            if elements and elements[-1] in line and word[0] in line:
                return FileFault(file, number, "", text)
    return FileFault(name, 0, "", text)
