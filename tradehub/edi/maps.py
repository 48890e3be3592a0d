"""Maps: resolved from their files (and a partner's guide), compiled once, and kept under the SHA-256 of what they
were made of."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import cached_property
from typing import Any

from tradehub.documents import Document
from tradehub.edi import editions, guides, lossless, machine, repetitions, schema
from tradehub.edi.paths import MapError
from tradehub.edi.reading import Decoded, Placed, Reader
from tradehub.edi.segments import COMPONENT, ELEMENT, REPEAT, Segment
from tradehub.edi.writing import Writer

Sources = Mapping[str, str] | Callable[[str], str | None]
Plain = Any

NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,40})*")
"""What files of maps are called: nothing that leads elsewhere, and nothing that a file system refuses."""


class Map:
    """One message type under one resolved map, compiled."""

    def __init__(self, spec: schema.MapSpec, sha256: str) -> None:
        self.spec = spec
        self.sha256 = sha256
        self.key = spec.head.key
        self.machine = machine.build(spec)
        self._reader = Reader(spec, self.machine)
        self.extension_standard = f"{spec.head.standard}:{spec.head.release}:{spec.head.set}"

    @property
    def head(self) -> schema.MessageHead:
        return self.spec.head

    @cached_property
    def _writer(self) -> Writer:
        """Made when it is first asked for: who only reads canonical messages does without."""
        return Writer(self.spec, self.machine, self._reader.tables)

    def read(
        self,
        raw_segments: list[str],
        element: str,
        component: str,
        *,
        needless: str = "",
        repeat: str = "",
        interpreted: bool = False,
        compared: bool = False,
        stands_in: bool = False,
    ) -> Decoded:
        """Read a message's own segments (without ST/SE or UNH/UNT). The document carries its extensions.

        ``needless`` is a sign that is no part of values, ``repeat`` the one that parts the values of an element.
        ``interpreted`` walks the tables instead of running
        generated functions,
        ``compared`` writes the message even where it is known to be canonical: both for tests. ``stands_in``: the
        message is of another release than this map.
        """
        if repeat:
            raw_segments = [each.replace(repeat, REPEAT) for each in raw_segments]
        split: Iterable[list[str]] = (raw.split(element) for raw in raw_segments)
        if needless:
            split = ([each.replace(needless, "") for each in pieces] for pieces in split)
        if repeat:
            split = repetitions.spread(split, REPEAT, self.spec.dictionary)
        decoded = self._reader.read(split, component, interpreted=interpreted, stands_in=stands_in)
        is_proved = decoded.is_canonical and not (needless or repeat or compared)
        return self._with_extensions(decoded, raw_segments, element, component, is_proved=is_proved)

    def read_text(
        self,
        text: str,
        element: str,
        component: str,
        end: str,
        *,
        needless: str = "",
        repeat: str = "",
        stands_in: bool = False,
    ) -> Decoded:
        """Read the same from a message's text: its own segments, each with its terminator. The fast way."""
        if needless or repeat:
            segments = text.split(end)[:-1]
            return self.read(segments, element, component, needless=needless, repeat=repeat, stands_in=stands_in)
        decoded = self._reader.read_text(text, element, component, end, stands_in=stands_in)
        if decoded.is_canonical and not decoded.marks:
            return decoded
        return self._with_extensions(decoded, text.split(end)[:-1], element, component, is_proved=decoded.is_canonical)

    def _with_extensions(
        self, decoded: Decoded, raw_segments: list[str], element: str, component: str, *, is_proved: bool
    ) -> Decoded:
        extensions: list[lossless.Extension] = []
        if not is_proved:
            extensions = self._difference(raw_segments, decoded, element, component)
        elif decoded.marks:
            extensions = lossless.marked(
                self.machine, raw_segments, decoded.places, decoded.marks, element, component, self.extension_standard
            )
        if extensions:
            decoded.document["extensions"] = extensions
        return decoded

    def _difference(
        self, raw_segments: list[str], decoded: Decoded, element: str, component: str
    ) -> list[lossless.Extension]:
        written, places = self._writer.write(decoded.document, element, component)
        if written == raw_segments:
            return []
        return lossless.difference(
            self.machine,
            lossless.tree(self.machine, raw_segments, decoded.places),
            lossless.tree(self.machine, written, places),
            element=element,
            component=component,
            standard=self.extension_standard,
        )

    def write(self, document: Mapping[str, Any], element: str = ELEMENT, component: str = COMPONENT) -> list[str]:
        """Return raw segments; extensions made under this very map come back to their places."""
        plain = {name: value for name, value in document.items() if name != "extensions"}
        segments, places = self._writer.write(plain, element, component)
        mine = [each for each in document.get("extensions") or () if each["standard"] == self.extension_standard]
        if not mine:
            return segments
        return lossless.applied(self.machine, segments, places, mine, element=element, component=component)

    def encode(self, document: Document | Mapping[str, Any]) -> tuple[Segment, ...]:
        """Return the segments of a document, without ST/SE or UNH/UNT, numbered from 2."""
        plain = plain_of(document)
        return tuple(
            Segment(tag, tuple(elements), number)
            for number, (tag, *elements) in enumerate((raw.split(ELEMENT) for raw in self.write(plain)), 2)
        )

    def decode(self, segments: Iterable[Segment]) -> tuple[dict[str, Any], list[Placed]]:
        """Return document and findings of segments without ST/SE or UNH/UNT."""
        decoded = self.read([ELEMENT.join((each.tag, *each.elements)) for each in segments], ELEMENT, COMPONENT)
        return decoded.document, decoded.findings


def plain_of(document: Document | Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as plain values, without fields that are not set."""
    if isinstance(document, Document):
        return document.model_dump(exclude_none=True)
    return dict(document)


class MapStore:
    """Gives compiled maps. ``sources`` maps a path such as ``x12/004010/850.yaml`` to its text, or is a function that
    does.

    ``cache`` may keep parsed files between runs: text by key, both made here.
    """

    def __init__(self, sources: Sources, cache: MutableMapping[str, str] | None = None) -> None:
        self._sources = sources
        self._cache = cache
        self._plain: dict[str, tuple[str, Plain]] = {}
        self._dictionaries: dict[str, schema.Dictionary] = {}
        self._specs: dict[str, schema.MapSpec] = {}
        self._maps: dict[tuple[str, str], Map] = {}

    def text(self, path: str) -> str | None:
        """Return the text of a map file, or None, also for what no map is called: a message names its type and release."""
        if not NAMES.fullmatch(path):
            return None
        return self._sources(path) if callable(self._sources) else self._sources.get(path)

    def plain(self, path: str) -> tuple[str, Plain]:
        """Return (SHA-256, parsed YAML) of a file with the files it is like; two empty values where there is none.

        Raises MapError.
        """
        return self._loaded(path, ())

    def _loaded(self, path: str, above: tuple[str, ...]) -> tuple[str, Plain]:
        """Return the same; ``above`` are the files that are like this one."""
        if path not in self._plain:
            text = self.text(path)
            if text is None:  # not remembered: senders may name any number of releases that there are not
                return "", None
            self._plain[path] = self._whole(*self._parsed(text, path), path, above)
        return self._plain[path]

    def _whole(self, digest: str, plain: Plain, path: str, above: tuple[str, ...]) -> tuple[str, Plain]:
        release = editions.release_of(plain)
        if not release:
            return digest, plain
        standard, _, name = path.split("/", 2)
        if path in above:
            raise MapError(f"{path}: it is like itself, by way of {release}")
        under, base = self._loaded(f"{standard}/{release}/{name}", (*above, path))
        whole = editions.merged(base, plain, path)
        return hashlib.sha256(f"{digest}\n{under}".encode()).hexdigest(), whole

    def _parsed(self, text: str, path: str) -> tuple[str, Plain]:
        digest = hashlib.sha256(text.encode()).hexdigest()
        if self._cache is not None and (kept := self._cache.get(digest)) is not None:
            return digest, json.loads(kept)
        plain = schema.parse_yaml(text, path)
        if self._cache is not None:
            self._cache[digest] = json.dumps(plain)
        return digest, plain

    def has(self, standard: str, message: str, release: str) -> bool:
        return self.plain(f"{standard}/{release}/{message}.yaml")[1] is not None

    def dictionary(self, standard: str, release: str) -> schema.Dictionary:
        """Return elements, segments and code tables of one release. Raises MapError."""
        folder = f"{standard}/{release}"
        if folder not in self._dictionaries:
            elements, segments, codes = (
                self.plain(f"{folder}/{name}.yaml")[1] for name in ("elements", "segments", "codes")
            )
            self._dictionaries[folder] = schema.load_dictionary(standard, elements, segments, codes, folder)
        return self._dictionaries[folder]

    def spec(self, standard: str, message: str, release: str) -> schema.MapSpec:
        """Return the resolved, uncompiled map of a segment message. Raises MapError where there is none, or it is no map."""
        path = f"{standard}/{release}/{message}.yaml"
        if path not in self._specs:
            _, plain = self.plain(path)
            if plain is None:
                raise MapError(f"{path}: there is no such map")
            head, body = schema.load_map(plain, path)
            dictionary = self.dictionary(standard, release)
            place = f"{standard}/{release}/structure/{message}.yaml"
            _, rows = self.plain(place)
            if rows is None:
                raise MapError(f"{place}: there is no such structure")
            structure = schema.load_structure(rows, dictionary, place)
            self._specs[path] = schema.MapSpec(head, structure, body, dictionary)
        return self._specs[path]

    def get(
        self, standard: str, message: str, release: str, guide: schema.Guide | Mapping[str, Any] | None = None
    ) -> Map:
        """Return the compiled map of a segment message, patched by ``guide``. Raises MapError."""
        patch = guides.load(guide) if guide is not None else None
        note = patch.model_dump_json() if patch is not None else ""
        key = (f"{standard}/{release}/{message}", note)
        if key not in self._maps:
            spec = self.spec(standard, message, release)
            if patch is not None:
                spec = guides.patched(spec, patch)
            self._maps[key] = Map(spec, self._digest(standard, message, release, note))
        return self._maps[key]

    def _digest(self, standard: str, message: str, release: str, note: str) -> str:
        folder = f"{standard}/{release}"
        names = (f"{message}.yaml", f"structure/{message}.yaml", "elements.yaml", "segments.yaml", "codes.yaml")
        parts = [self.plain(f"{folder}/{name}")[0] for name in names]
        return hashlib.sha256("\n".join([folder, *parts, note]).encode()).hexdigest()
