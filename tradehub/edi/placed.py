"""Where things stand in a YAML file, and faults that say so: file, line, place, and what is wrong in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

if TYPE_CHECKING:  # ruamel.yaml takes long to import, and who has his maps kept does without
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.nodes import Node
    from ruamel.yaml.reader import ReaderError

At = tuple[str, ...]
"""The way to a value of a YAML text: keys, and numbers of list items from 0."""


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong in a file that a person wrote. ``line`` is 0 where no line can be named."""

    file: str
    line: int
    place: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.place}: {self.text}" if self.place else f"{where}: {self.text}"


def lines(text: str) -> dict[At, int]:
    """Return the line, from 1, of each key and list item; nothing of a text that is no YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        node = YAML(typ="base", pure=True).compose(text)
    except YAMLError:
        return {}
    return dict(_lines(node, ())) if node is not None else {}


def _lines(node: Node, at: At) -> Iterator[tuple[At, int]]:
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield (*at, str(key.value)), key.start_mark.line + 1
            yield from _lines(value, (*at, str(key.value)))
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            yield (*at, str(number)), value.start_mark.line + 1
            yield from _lines(value, (*at, str(number)))


def line_of(known: Mapping[At, int], at: At) -> int:
    """Return the line of the nearest thing around ``at`` that has one."""
    for length in range(len(at), 0, -1):
        if at[:length] in known:
            return known[at[:length]]
    return 0


def yaml_fault(wrong: MarkedYAMLError | ReaderError, text: str) -> tuple[int, str]:
    """Return (line, what is wrong) of a text that is no YAML, in words for someone who does not know YAML."""
    from ruamel.yaml.reader import ReaderError

    if isinstance(wrong, ReaderError):
        line = text.count("\n", 0, wrong.position) + 1
        return line, f"there is a sign here that no text may hold: #x{wrong.character:04x}"
    mark = wrong.problem_mark or wrong.context_mark
    problem = str(wrong.problem or wrong.context)
    said = next((words for sign, words in _YAML_WORDS.items() if sign in problem), f"this is not YAML: {problem}")
    return (mark.line + 1 if mark else 0), said


_YAML_WORDS = {
    "duplicate key": "this key stands twice; put both under one",
    "mapping values are not allowed": "there is a second ': ' in this line; put quotes around the text, or mend the indentation",
    "character '\\t'": "there is a tab; indent with blanks",
    "could not find expected ':'": "there is no ': ' after the key",
    "undefined alias": "a text that begins with * must stand in quotes",
    "expected <block end>": "the indentation does not fit the lines above",
    "expected ',' or '}'": "a brace { is not closed, or a comma is missing",
    "expected ',' or ']'": "a bracket [ is not closed, or a comma is missing",
    "while scanning a quoted scalar": "a quote is not closed",
    "unexpected end of stream": "a quote is not closed",
}  # fmt: skip


def shape_faults(wrong: ValidationError, known: Sequence[str]) -> Iterator[tuple[At, str]]:
    """Yield the way to each value that has not the form it must have, and what that form is."""
    # A key that is not known comes before one that is missing: most often the one is the other, misspelt.
    for each in sorted(wrong.errors(include_url=False), key=lambda error: error["type"] != "extra_forbidden"):
        at = tuple(str(step) for step in each["loc"] if step != "[key]")
        yield (
            at,
            _SHAPES.get(each["type"], each["msg"]).format(
                known=", ".join(known), given=_shown(each["input"]), wanted=each.get("ctx", {}).get("pattern", "")
            ),
        )


_SHAPES = {
    "extra_forbidden": "there is no such key here; there are {known}",
    "missing": "is missing",
    "string_type": "must be a text, not {given}",
    "list_type": "must be a list, [A, B], not {given}",
    "dict_type": "must be a table, {{key: value}}, not {given}",
    "model_type": "must be a table, {{key: value}}, not {given}",
    "string_pattern_mismatch": "must be one of {wanted}, not {given}",
}


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value[:60])
    kinds: tuple[tuple[type, str], ...] = ((dict, "a table"), (list, "a list"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "nothing")
