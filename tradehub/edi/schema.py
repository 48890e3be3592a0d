"""Map files as typed values: dictionary, structure and bindings, and the linter that checks them against each other.

YAML is read as text only, then a strict schema refuses keys and shapes that the notation (docs/maps.md) does not know.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tradehub.documents import KINDS
from tradehub.edi.paths import Binding, Head, MapError, Path, parse_head, parse_node, parse_path
from tradehub.edi.placed import shape_faults, yaml_fault

Plain = Any


def parse_yaml(text: str, name: str = "map") -> Plain:
    """Return the YAML document with every scalar as text. Raises MapError."""
    from ruamel.yaml import YAML  # here, for it takes as long to import as a kept map takes to compile
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        return YAML(typ="base", pure=True).load(text)
    except (MarkedYAMLError, ReaderError) as wrong:
        line, said = yaml_fault(wrong, text)
        raise MapError(f"{name}: line {line}: {said}" if line else f"{name}: {said}") from wrong


SEGMENTED = frozenset({"x12", "edifact", "tradacoms"})
"""Standards of segments, whose maps have a structure; the others are trees of XML."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, defer_build=True)


class MessageHead(_Strict):
    standard: str
    set: str
    release: str
    document: str
    group: str = ""
    agency: str = "UN"
    association: str = ""
    shape: str = ""
    instead: dict[str, str] = {}
    root: str = ""
    namespaces: dict[str, str] = {}

    @property
    def key(self) -> str:
        return f"{self.standard}/{self.release}/{self.set}"


class MapFile(_Strict):
    message: MessageHead
    body: list[Any]


class ElementsFile(_Strict):
    elements: dict[str, str]


class SegmentsFile(_Strict):
    composites: dict[str, str] = {}
    segments: dict[str, str]


class CodesFile(_Strict):
    tables: dict[str, dict[str, str]] = {}
    lists: dict[str, str] = {}


class StructureFile(_Strict):
    structure: list[Any]


class Guide(_Strict):
    """A partner's patches of a map (docs/maps.md, A partner's guide)."""

    of: str = ""
    require: list[str] = []
    forbid: list[str] = []
    limit: dict[str, str] = {}
    widen: dict[str, str] = {}
    close: dict[str, str] = {}
    rename: dict[str, dict[str, str]] = {}
    tables: dict[str, dict[str, str]] = {}
    add: dict[str, list[str]] = {}
    segments: dict[str, str] = {}
    bind: dict[str, str] = {}
    notes: dict[str, str] = {}
    delimiters: dict[str, str] = {}
    charset: str = ""
    acknowledge: str = Field(default="always", pattern="^(always|errors|never)$")


@dataclass(frozen=True, slots=True)
class ElementRule:
    id: str
    type: str
    min: int
    max: int
    name: str = ""
    codes: frozenset[str] = frozenset()
    codes_are_closed: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A relational condition: P R E C L over positions."""

    kind: str
    positions: tuple[int, ...]

    def __str__(self) -> str:
        return self.kind + "".join(f"{each:02}" for each in self.positions)


@dataclass(frozen=True, slots=True)
class Use:
    """One position of a segment or composite: an element or a composite, and its usage."""

    ref: str
    mandatory: bool
    element: ElementRule | None = None
    parts: tuple[Use, ...] = ()
    conditions: tuple[Condition, ...] = ()
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class SegmentRule:
    tag: str
    uses: tuple[Use, ...]
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class StructureNode:
    """A segment or a loop of the standard's message. ``max`` 0 means no limit.

    A ``habit`` is no place of the standard but one that partners use: read with a warning, never written.
    """

    name: str
    mandatory: bool
    max: int
    is_loop: bool = False
    children: tuple[StructureNode, ...] = ()
    bounded: bool = False
    rule: SegmentRule = SegmentRule("", ())
    habit: bool = False

    @property
    def head(self) -> str:
        """Return the tag that begins the node."""
        return self.children[0].head if self.is_loop else self.name


@dataclass(frozen=True, slots=True)
class BodyNode:
    """One node of a map's body. For a loop ``target`` comes from its head, for a segment from before the braces."""

    head: Head
    target: Path | None = None
    bindings: tuple[Binding, ...] = ()
    children: tuple[BodyNode, ...] = ()


@dataclass(frozen=True)
class Dictionary:
    standard: str
    elements: Mapping[str, ElementRule] = field(default_factory=dict)
    composites: Mapping[str, Use] = field(default_factory=dict)
    segments: Mapping[str, SegmentRule] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class MapSpec:
    """A resolved map, before it is compiled. ``guide`` is already applied where there was one."""

    head: MessageHead
    structure: tuple[StructureNode, ...]
    body: tuple[BodyNode, ...]
    dictionary: Dictionary
    guide: Guide | None = None


def _validated(model: type[Any], plain: Plain, name: str) -> Any:
    if _fits(model, plain):
        return _made(model, plain)
    try:
        return model.model_validate(plain)
    except ValidationError as wrong:
        at, said = next(shape_faults(wrong, tuple(model.model_fields)))
        raise MapError(f"{name}: {'.'.join(at)}: {said}" if at else f"{name}: {said}") from wrong


def _fits(kind: Any, plain: Plain) -> bool:
    """Return whether a value has the shape of a field. Pydantic's validator says what is wrong with one that has not;
    for those that have, to make it takes as long as to read the files of a map."""
    if kind is Any:
        return True
    if _is_model(kind):
        fields = kind.model_fields
        return (
            type(plain) is dict
            and plain.keys() <= fields.keys()
            and all(name in plain or not each.is_required() for name, each in fields.items())
            and all(not fields[name].metadata and _fits(fields[name].annotation, each) for name, each in plain.items())
        )
    if type(plain) is not (typing.get_origin(kind) or kind):
        return False
    if type(plain) is list:
        return _all_fit(typing.get_args(kind)[0], plain)
    if type(plain) is dict:
        of_names, of_values = typing.get_args(kind)
        return _all_fit(of_names, plain) and _all_fit(of_values, plain.values())
    return True


def _all_fit(kind: Any, several: Iterable[Plain]) -> bool:
    if kind is str:  # what most are, some thousand in a dictionary
        return set(map(type, several)) <= {str}
    return all(_fits(kind, each) for each in several)


def _made(model: type[Any], plain: Mapping[str, Plain]) -> Any:
    fields = model.model_fields
    return model.model_construct(**{
        name: _made(fields[name].annotation, each) if _is_model(fields[name].annotation) else each
        for name, each in plain.items()
    })  # fmt: skip


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, _Strict)


class _Rows(Mapping[str, Any]):
    """The rows of a file by name, each read when it is first asked for: one message uses few of its release's."""

    def __init__(self, spelled: Mapping[str, str], read: Callable[[str, str], Any]) -> None:
        self._spelled = spelled
        self._read = read
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known.setdefault(name, self._read(name, self._spelled[name]))
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._spelled

    def __iter__(self) -> Iterator[str]:
        return iter(self._spelled)

    def __len__(self) -> int:
        return len(self._spelled)


# Dictionary ---------------------------------------------------------------------------------------

_ELEMENT = re.compile(r"(AN|ID|DT|TM|R|N\d?|B|a|n|an)\s+(\d+)/(\d+|\*)(?:\s+(.*))?\Z", re.DOTALL)
_USE = re.compile(r"\s*(\S+)\s+([MOXC])(?:\s+x(\d+))?\s*\Z")
_CONDITION = re.compile(r"([PRECL])((?:\d\d)+)\Z")
NO_LIMIT = 1_000_000_000


def load_dictionary(
    standard: str, elements: Plain, segments: Plain, codes: Plain, name: str = "dictionary"
) -> Dictionary:
    """Return the dictionary that the three (already parsed) files hold; an absent file is None.

    Raises MapError for a file of another shape; for a row that cannot be read where the row is asked for.
    """
    listed = _validated(CodesFile, codes or {}, f"{name}/codes.yaml")
    sized = _validated(ElementsFile, elements or {"elements": {}}, f"{name}/elements.yaml").elements
    file = _validated(SegmentsFile, segments or {"segments": {}}, f"{name}/segments.yaml")

    def composite(id_: str, text: str) -> Use:
        parts, conditions = _uses(text, rules, {}, f"{name}/segments.yaml: {id_}")
        return Use(id_, mandatory=False, parts=parts, conditions=conditions)

    def segment(tag: str, text: str) -> SegmentRule:
        return SegmentRule(tag, *_uses(text, rules, composites, f"{name}/segments.yaml: {tag}"))

    rules = _Rows(sized, lambda id_, text: _element(id_, text, listed.lists, name))
    composites = _Rows(file.composites, composite)
    return Dictionary(standard, rules, composites, _Rows(file.segments, segment), listed.tables)


def _element(id_: str, text: str, lists: Mapping[str, str], name: str) -> ElementRule:
    match = _ELEMENT.match(text)
    if not match:
        raise MapError(f"{name}/elements.yaml: {id_}: {text!r} is not TYPE MIN/MAX name")
    codes = lists.get(id_) or lists.get(id_ + "?") or ""
    longest = NO_LIMIT if match[3] == "*" else int(match[3])
    return ElementRule(id_, match[1], int(match[2]), longest, match[4] or "", frozenset(codes.split()), id_ in lists)


def _uses(
    text: str, elements: Mapping[str, ElementRule], composites: Mapping[str, Use], name: str
) -> tuple[tuple[Use, ...], tuple[Condition, ...]]:
    listed, _, conditions = text.partition(";")
    uses: list[Use] = []
    for each in listed.split(","):
        match = _USE.match(each)
        if not match:
            raise MapError(f"{name}: {each.strip()!r} is not REF USE")
        ref, usage, times = match.groups()
        use = _use(ref, usage == "M", elements, composites, name)
        uses += [use] * int(times) if times else [use]
    return tuple(uses), tuple(_condition(each, name) for each in conditions.split())


def check_element(text: str) -> None:
    """Raise MapError where ``text`` is no element of the dictionary."""
    if not _ELEMENT.match(text):
        kinds = "AN ID DT TM R N0 to N9 B, or a n an"
        raise MapError(f"{text!r} is not TYPE MIN/MAX name, as in AN 1/22 order number; types are {kinds}")


def check_uses(text: str, known: Collection[str]) -> None:
    """Raise MapError where ``text`` is no list of elements and conditions, or names what is not ``known``."""
    listed, _, conditions = text.partition(";")
    count = 0
    for each in listed.split(","):
        match = _USE.match(each)
        if not match:
            raise MapError(f"{each.strip()!r} is not REF USE, as in 324 M or 127 X x2; uses are M O X C")
        if match[1] not in known:
            raise MapError(f"{match[1]} is neither element nor composite")
        count += int(match[3] or 1)
    for each in conditions.split():
        made = _condition(each, "")
        if max(made.positions) > count:
            raise MapError(f"condition {each} is about position {max(made.positions)}, and there are {count}")


def segment_rule(tag: str, text: str, dictionary: Dictionary) -> SegmentRule:
    """Return the segment that ``127 M, 352 O; C0201`` spells. Raises MapError."""
    return SegmentRule(tag, *_uses(text, dictionary.elements, dictionary.composites, f"segment {tag}"))


def _use(
    ref: str, mandatory: bool, elements: Mapping[str, ElementRule], composites: Mapping[str, Use], name: str
) -> Use:
    if ref in elements:
        return Use(ref, mandatory, elements[ref])
    if ref in composites:
        known = composites[ref]
        return replace(known, mandatory=True) if mandatory else known
    raise MapError(f"{name}: {ref} is neither element nor composite")


def _condition(text: str, name: str) -> Condition:
    match = _CONDITION.match(text)
    if not match:
        raise MapError(
            f"{name}: " * bool(name) + f"{text!r} is not a condition: a letter of P R E C L, two digits a position"
        )
    return Condition(match[1], tuple(int(match[2][at : at + 2]) for at in range(0, len(match[2]), 2)))


# Structure ----------------------------------------------------------------------------------------

ENGINE_TAGS = frozenset({"ST", "SE", "UNH", "UNT"})


def load_structure(plain: Plain, dictionary: Dictionary, name: str) -> tuple[StructureNode, ...]:
    """Return the message's structure without ST/SE or UNH/UNT. Raises MapError."""
    return _structure(_validated(StructureFile, plain, name).structure, dictionary, name)


def _structure(rows: list[Any], dictionary: Dictionary, name: str) -> tuple[StructureNode, ...]:
    nodes = []
    for row in rows:
        spelled, children = _one_key(row, name) if isinstance(row, dict) else (row, None)
        words = spelled.split()
        if children is None:
            if words[:1] and words[0] in ENGINE_TAGS:
                continue
            nodes.append(structure_node(words, dictionary, name))
        else:
            if words[:1] != ["loop"] or not _OCCURS.match(" ".join(words[2:])):
                raise MapError(f"{name}: {spelled!r} is not 'loop NAME USE MAX'")
            below = _structure(children, dictionary, name)
            if not below:
                raise MapError(f"{name}: {spelled!r} is empty")
            nodes.append(
                StructureNode(
                    words[1],
                    words[2] == "M",
                    _maximum(words[3]),
                    True,
                    below,
                    "bounded" in words[4:],
                    habit="habit" in words[4:],
                )
            )
    return tuple(nodes)


def structure_node(words: list[str], dictionary: Dictionary, name: str) -> StructureNode:
    """Return the segment node that ``TAG USE MAX`` spells. Raises MapError."""
    if words[3:] not in ([], ["habit"]) or not _OCCURS.match(" ".join(words[1:])):
        raise MapError(f"{name}: {' '.join(words)!r} is not 'TAG USE MAX'")
    rule = dictionary.segments.get(words[0], SegmentRule(words[0], ()))
    return StructureNode(words[0], words[1] == "M", _maximum(words[2]), rule=rule, habit=bool(words[3:]))


_OCCURS = re.compile(r"[MOC] (?:\*|\d+)(?: |\Z)")


def _maximum(text: str) -> int:
    return 0 if text == "*" else int(text)


def _one_key(row: Mapping[str, Any], name: str) -> tuple[str, Any]:
    if len(row) != 1:
        raise MapError(f"{name}: a node has one key, not {sorted(row)}")
    return next(iter(row.items()))


# Body ---------------------------------------------------------------------------------------------


def load_map(plain: Plain, name: str) -> tuple[MessageHead, tuple[BodyNode, ...]]:
    """Return head and body of a map file. Raises MapError."""
    file = _validated(MapFile, plain, name)
    if file.message.document not in KINDS:
        raise MapError(
            f"{name}: message.document: {file.message.document!r} is no kind of document"
            + _meant(file.message.document, KINDS)
        )
    return file.message, body_nodes(file.body, name, xml=file.message.standard not in SEGMENTED)


def body_nodes(rows: list[Any], name: str, *, xml: bool = False) -> tuple[BodyNode, ...]:
    """Return the nodes of a body. Raises MapError."""
    nodes = []
    for row in rows:
        spelled, value = _one_key(row, name) if isinstance(row, dict) else (row, "")
        try:
            head = parse_head(spelled)
            if isinstance(value, list):
                nodes.append(BodyNode(head, head.target, (), body_nodes(value, name, xml=xml)))
            else:
                target, bindings = parse_node(value or "", xml=xml)
                nodes.append(BodyNode(head, target or head.target, bindings))
        except MapError as wrong:
            raise MapError(f"{name}: {spelled}: {wrong}") from wrong
    return tuple(nodes)


# Lint ---------------------------------------------------------------------------------------------


SpecFault = tuple[tuple[int, ...], str]
"""The way to a node of the body by numbers from 0, and what is wrong there, behind the names of the nodes."""


def lint(spec: MapSpec) -> list[str]:
    """Return what is wrong with a segment map: nodes out of the structure, places that do not exist, unknown fields,
    tables, types."""
    found = [f"{spec.head.key}: {text}" for _, text in faults(spec)]
    found += [f"{spec.head.key}: segment {tag} is not in the dictionary" for tag in sorted(_unknown(spec.structure))]
    known = KINDS[spec.head.document].model_fields
    fields = [name for field, path in spec.head.instead.items() for name in (field, parse_path(path).steps[0].name)]
    return [*found, *(f"{spec.head.key}: instead: there is no field {name}" for name in fields if name not in known)]


def faults(spec: MapSpec) -> Iterator[SpecFault]:
    """Yield what is wrong with the body of a segment map, and where in it."""
    model = KINDS[spec.head.document]
    yield from _lint_level(spec.body, spec.structure, model, spec, (), "", shaped=bool(spec.head.shape))


def _unknown(nodes: tuple[StructureNode, ...]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        found |= _unknown(node.children) if node.is_loop else (set() if node.rule.uses else {node.name})
    return found


def align(nodes: tuple[BodyNode, ...], level: tuple[StructureNode, ...]) -> list[tuple[BodyNode, int]]:
    """Return each body node with the index of its place on the structure's level. Raises MapError where there is
    none."""
    placed = []
    at = 0
    for node in nodes:
        at = _place_of(node, level, at)
        placed.append((node, at))
    return placed


def _place_of(node: BodyNode, level: tuple[StructureNode, ...], at: int) -> int:
    """Return the index of a node's place on the level, from ``at`` on. Raises MapError."""
    name, is_loop, occurrence = node.head.name, node.head.is_loop, node.head.occurrence
    places = [index for index, each in enumerate(level) if each.name == name and each.is_loop == is_loop]
    if occurrence > 1:
        places = places[occurrence - 1 : occurrence]
    found = next((index for index in places if index >= at), None)
    if found is None:
        what = f"is out of order: it stands before {level[at].name}" if places else "is not in the structure here"
        raise MapError(f"{'loop ' if is_loop else ''}{name} {what}")
    return found


def _lint_level(
    nodes: tuple[BodyNode, ...],
    level: tuple[StructureNode, ...],
    model: Any,
    spec: MapSpec,
    at: tuple[int, ...],
    where: str,
    *,
    shaped: bool,
) -> Iterator[SpecFault]:
    last = 0
    for number, node in enumerate(nodes):
        way, here = (*at, number), f"{where}{node.head.name}: "
        try:
            index = _place_of(node, level, last)
        except MapError as error:
            yield way, f"{where}{error}"
            continue
        last = index
        scope = model
        if node.target is not None and not shaped:
            scope, wrong = resolve(model, node.target)
            if wrong:
                yield way, f"{here}{wrong}"
                continue
        if node.head.is_loop:
            yield from _lint_level(node.children, level[index].children, scope, spec, way, here, shaped=shaped)
        else:
            yield from (
                (way, f"{here}{text}") for text in _lint_segment(node, level[index], scope, spec, shaped=shaped)
            )


def _lint_segment(node: BodyNode, place: StructureNode, scope: Any, spec: MapSpec, *, shaped: bool) -> Iterator[str]:
    rule = place.rule
    places = [each for binding in node.bindings for group in binding.groups for each in group]
    places += [each.at for each in node.head.tests]
    for each in places:
        if each.element > len(rule.uses):
            yield f"element {each} does not exist; {rule.tag} has {len(rule.uses)}"
        elif each.component and each.component > max(len(rule.uses[each.element - 1].parts), 1):
            count = len(rule.uses[each.element - 1].parts)
            yield f"component {each} does not exist; {rule.tag}{each.element:02} " + (
                f"has {count}" if count else "has none"
            )
        elif not each.component and rule.uses[each.element - 1].parts:
            yield f"{each} is a composite; name a component, as in {each}.1"
    for binding in node.bindings:
        for conversion in binding.conversions:
            if conversion.table and conversion.name != "fn" and conversion.table not in spec.dictionary.tables:
                yield f"no code table {conversion.table!r}" + _meant(conversion.table, spec.dictionary.tables)
        if not shaped:
            yield from _lint_paths(binding, scope, spec)


def _lint_paths(binding: Binding, scope: Any, spec: MapSpec) -> Iterator[str]:
    for path in binding.paths:
        root = KINDS[spec.head.document] if path.from_root or binding.computed else scope
        end, wrong = resolve(root, path, loosely=bool(binding.computed))
        if wrong:
            yield wrong
            continue
        for name in binding.fields:
            _, wrong = resolve_field(end, name)
            if wrong:
                yield f"{path}: {wrong}"
        if not binding.fields and not binding.computed:
            expected = _EXPECTED.get(binding.conversion.name)
            if parts := getattr(end, "model_fields", {}):
                yield f"{path} has parts, name one of them: {', '.join(f'{path}.{each}' for each in list(parts)[:4])}"
            elif isinstance(end, type) and expected and end not in expected:
                yield f"{path} is {_KIND_WORDS.get(end.__name__, end.__name__)}, not {binding.conversion}"
    if not binding.paths:
        for name in binding.fields:
            _, wrong = resolve_field(scope, name)
            if wrong:
                yield wrong


def _meant(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name that is nearest to a wrong one, or nothing."""
    import difflib  # only where something is wrong: a command that finds nothing wrong starts without it

    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def resolve(model: Any, path: Path, *, loosely: bool = False) -> tuple[Any, str]:
    """Return the type at the end of ``path`` below a document model, or what is wrong; loosely, a list needs no
    brackets."""
    for step in path.steps:
        model, wrong = resolve_field(model, step.name, as_list=None if loosely else step.append or bool(step.field))
        if wrong:
            return None, wrong
        if step.field:
            _, wrong = resolve_field(model, step.field)
            if wrong:
                return None, wrong
    return model, ""


def resolve_field(model: Any, name: str, *, as_list: bool | None = None) -> tuple[Any, str]:
    """Return the plain type of a field (the item's, for a tuple), or what is wrong."""
    found = field_type(model, name)
    if found is None:
        fields = getattr(model, "model_fields", ())
        return None, f"{getattr(model, '__name__', model)} has no field {name!r}" + _meant(name, fields)
    kind, is_list = found
    if as_list is not None and as_list != is_list:
        return None, f"{name} is {'a list, write ' + name + '[]' if is_list else 'no list'}"
    return kind, ""


@cache
def field_type(model: Any, name: str) -> tuple[Any, bool] | None:
    """Return the plain type of a field (the item's, for a tuple) and whether it is a list; None where there is none."""
    fields = getattr(model, "model_fields", None)
    if fields is None or name not in fields:
        return None
    annotation = fields[name].annotation
    members = (
        typing.get_args(annotation)
        if typing.get_origin(annotation) in {typing.Union, types.UnionType}
        else (annotation,)
    )
    kind = next(each for each in members if each is not type(None))
    is_list = typing.get_origin(kind) is tuple
    if is_list:
        kind = typing.get_args(kind)[0]
    return (typing.get_origin(kind) or kind), is_list


_KIND_WORDS = {
    "Decimal": "a number (= decimal)", "int": "a whole number (= int)", "bool": "yes or no (= bool:table)",
    "date": "a day (= date)", "datetime": "a moment (= datetime)", "time": "a time (= time)", "str": "text",
}  # fmt: skip


def _named(*names: str) -> frozenset[type]:
    known: dict[str, type] = {"str": str, "int": int, "bool": bool}
    from datetime import date, datetime, time  # local: only names for a table
    from decimal import Decimal

    known |= {"Decimal": Decimal, "date": date, "datetime": datetime, "time": time}
    return frozenset(known[name] for name in names)


_EXPECTED: dict[str, frozenset[type]] = {
    "text": _named("str"), "decimal": _named("Decimal"), "int": _named("int"), "date": _named("date"),
    "time": _named("time"),
    "datetime": _named("datetime"), "bool": _named("bool"), "code": _named("str"), "lookup": _named("str"),
}  # fmt: skip
