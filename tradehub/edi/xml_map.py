"""XML maps: the notation of ``docs/maps.md`` read into a tree of nodes that both directions walk.

A node is an element of the message. It may open a scope (a part of the document), bind its own text and attributes to
fields of the scope, and hold further nodes. Every path is checked against the canonical model when the map is loaded.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel

from tradehub.documents import KINDS
from tradehub.documents.parts import Attribute
from tradehub.edi.paths import MapError
from tradehub.edi.xml_structure import Structure

CONVERTERS = frozenset(
    {"text", "decimal", "int", "date", "time", "bool", "amount", "quantity", "currency", "code", "qualified"}
)
KNOWN_STANDARDS = ("x12:", "edifact:", "ubl:", "icd:")


class Step(NamedTuple):
    """One step of a path: a field; an item appended (``x[]``), selected by a field (``x[role=buyer]``) or by place
    (``x[1]``, ``x[3+]``).
    """

    name: str
    kind: str = "field"  # field | append | select | index | pairs
    key: str = ""
    value: str = ""
    open_ended: bool = False


@dataclass(frozen=True)
class Binding:
    """A text or attribute and the field it stands for. ``const``: a fixed text; ``total``: list and field that are
    summed; ``words``: the only values that are written here.
    """

    field: str = ""
    index: Step | None = None
    converter: str = "text"
    argument: str = ""
    const: str | None = None
    total: tuple[str, str] | None = None
    otherwise: str = ""
    given: str = ""
    instead: str = ""
    inherited: bool = False
    words: frozenset[str] = frozenset()


@dataclass
class Node:
    """An element of the message with what it binds. ``only``: a child or ``@attribute`` and the text it must have."""

    name: str
    repeats: bool = False
    scope: tuple[Step, ...] = ()
    scope_else: tuple[Step, ...] = ()
    binding: Binding | None = None
    attributes: dict[str, Binding] = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    defaults: frozenset[str] = frozenset()
    claimed: tuple[Step, ...] = ()
    only: tuple[str, str] | None = None

    @property
    def constants(self) -> dict[str, str]:
        """Return what the scope's item is selected by."""
        last = self.scope[-1] if self.scope else None
        return {last.key: last.value} if last and last.kind == "select" and last.value else {}


@dataclass(frozen=True)
class Codes:
    """A code table in both directions; a code without a word is read as ``<prefix>:<code>`` and written back as it
    was.
    """

    words: Mapping[str, str]
    codes: Mapping[str, str]
    prefix: str = "ubl"
    fallback: str | None = None

    def word(self, code: str) -> str:
        known = self.words.get(code)
        if known is not None:
            return known
        return code if code.startswith(KNOWN_STANDARDS) else f"{self.prefix}:{code}"

    def code(self, word: str) -> str:
        known = self.codes.get(word)
        if known is not None:
            return known
        return word.removeprefix(f"{self.prefix}:") if ":" in word or self.fallback is None else self.fallback


@dataclass(frozen=True)
class Derived:
    """A field that no element states: ``then`` where the document has ``where``, else ``otherwise``."""

    field: str
    where: Step
    then: str
    otherwise: str


@dataclass(frozen=True)
class XmlMap:
    standard: str
    message: str
    release: str
    document: str
    namespace: str
    root: Node
    structure: Structure
    codes: Mapping[str, Codes]
    given: Mapping[str, str]
    derived: tuple[Derived, ...]


_KEY = re.compile(r"(?P<steps>\S+?)(?:\s+->\s+(?P<scope>\S+)(?:\s+else\s+(?P<other>\S+))?)?")
_KEY_STEP = re.compile(r"([^/\[]+)(?:\[([^\]]*)\])?")
_STEP = re.compile(
    r"(?P<name>[a-z_]+)(?:\[(?:(?P<key>[a-z_]+)=(?P<value>[^\]]*)|(?P<place>[0-9]+)(?P<open>\+)?|)(?P<close>\]))?"
)
_BINDING = re.compile(
    r"(?P<path>\S+?)(?: = (?P<converter>[a-z]+)(?::(?P<argument>\w+))?)?(?: or (?P<instead>[a-z_]+))?"
    r"(?: else (?P<otherwise>\S+))?(?: given (?P<given>\S+))?(?: only (?P<words>\S+))?"
)


def load(
    source: Mapping[str, Any], groups: Mapping[str, Any], structure: Structure, codes: Mapping[str, Any]
) -> XmlMap:
    """Return the map that the parsed YAML ``source`` states. Raises MapError where it is not well formed."""
    message = source["message"]
    name = message["set"]
    kind = message["document"]
    if kind not in KINDS or name not in structure.documents:
        raise MapError(f"{name}: no such message or document ({kind})")
    root = Node(name)
    _fill(root, source["body"], groups, structure, name)
    _check(root, KINDS[kind], structure, name)
    _claims(root)
    tables = _tables(codes)
    for node in _walk(root):
        for binding in (node.binding, *node.attributes.values()):
            if binding and binding.converter == "code" and binding.argument not in tables:
                raise MapError(f"{name}: {node.name}: no code table {binding.argument}")
    return XmlMap(
        standard=message["standard"],
        message=name,
        release=message["release"],
        document=kind,
        namespace=f"{structure.namespaces['ubl']}:{name}-2",
        root=root,
        structure=structure,
        codes=tables,
        given=dict(message.get("given", {})),
        derived=tuple(_derived(each) for each in message.get("derive", ())),
    )


def path_steps(text: str) -> tuple[Step, ...]:
    """Return the steps of a path, ``dates[type=due].on``. Raises MapError."""
    steps = []
    for part in re.split(r"\.(?![^\[]*\])", text):
        found = _STEP.fullmatch(part)
        if not found:
            raise MapError(f"not a path: {text}")
        if found["key"]:
            steps.append(Step(found["name"], "select", found["key"], found["value"]))
        elif found["place"]:
            steps.append(Step(found["name"], "index", value=found["place"], open_ended=bool(found["open"])))
        else:
            steps.append(Step(found["name"], "append" if found["close"] else "field"))
    return tuple(steps)


def _fill(
    parent: Node,
    body: Mapping[str, Any],
    groups: Mapping[str, Any],
    structure: Structure,
    at: str,
    *,
    inherited: bool = False,
) -> None:
    for key, value in body.items():
        if key == "use":
            for group in value.split():
                _fill(parent, groups[group], groups, structure, f"{at}/{group}", inherited=True)
            continue
        found = _KEY.fullmatch(key)
        if not found:
            raise MapError(f"{at}: not a step: {key}")
        node, owner, attribute = _open(parent, found["steps"], structure, at)
        if found["scope"]:
            _set_scope(owner, path_steps(found["scope"]), f"{at}/{key}")
            owner.scope_else = path_steps(found["other"]) if found["other"] else ()
        if isinstance(value, str):
            _bind(node, owner, attribute, value, inherited=inherited, at=f"{at}/{key}")
        else:
            _fill(node, value, groups, structure, f"{at}/{key}", inherited=inherited)


def _open(parent: Node, steps: str, structure: Structure, at: str) -> tuple[Node, Node, str]:
    """Return the node that ``steps`` lead to, the one that repeats (and so owns the scope), and the attribute they
    end in.
    """
    node = owner = parent
    repeats = False
    for step, only in _KEY_STEP.findall(steps):
        if step.startswith("@"):
            return node, owner, step[1:]
        if step == ".":
            continue
        name = step.rstrip("*")
        known = {child.name for child in structure.children(node.name)}
        if name not in known:
            raise MapError(f"{at}: {node.name} has no {name}")
        node = node.children.setdefault(name, Node(name))
        node.repeats = node.repeats or step.endswith("*")
        if only:
            _distinguish(node, only)
        owner = owner if repeats else node
        repeats = repeats or step.endswith("*")
    return node, owner, ""


def _distinguish(node: Node, only: str) -> None:
    """Bind the place that tells the node's element from others of its name: judged on reading, written on writing."""
    name, _, text = only.partition("=")
    node.only = (name, text)
    if name.startswith("@"):
        node.attributes[name[1:]] = Binding(const=text)
    else:
        node.children[name] = Node(name, binding=Binding(const=text))


def _set_scope(node: Node, steps: tuple[Step, ...], at: str) -> None:
    if node.scope and node.scope != steps:
        raise MapError(f"{at}: a second scope")
    node.scope = steps


def _bind(node: Node, owner: Node, attribute: str, text: str, *, inherited: bool, at: str) -> None:
    binding, scope = _binding(text, inherited=inherited, at=at)
    if scope:
        if attribute:
            raise MapError(f"{at}: an attribute binds a field of its element's scope")
        _set_scope(owner, scope, at)
    if attribute:
        node.attributes[attribute] = binding
    elif node.binding and not node.binding.inherited:
        raise MapError(f"{at}: bound twice")
    else:
        node.binding = binding


def _binding(text: str, *, inherited: bool, at: str) -> tuple[Binding, tuple[Step, ...]]:
    if text.startswith("const "):
        return Binding(const=text[6:], inherited=inherited), ()
    if text.startswith("sum("):
        listed, _, summed = text[4:-1].partition(".")
        return Binding(total=(listed, summed), converter="amount", inherited=inherited), ()
    found = _BINDING.fullmatch(text)
    if not found:
        raise MapError(f"{at}: not a binding: {text}")
    converter = found["converter"] or "text"
    if converter not in CONVERTERS:
        raise MapError(f"{at}: no converter {converter}")
    *scope, last = path_steps(found["path"])
    if last.kind in {"append", "select"}:
        raise MapError(f"{at}: a text needs a field: {text}")
    binding = Binding(
        field=last.name,
        index=last if last.kind == "index" else None,
        converter=converter,
        argument=found["argument"] or "",
        otherwise=found["otherwise"] or "",
        given=found["given"] or "",
        instead=found["instead"] or "",
        inherited=inherited,
        words=frozenset((found["words"] or "").split("|")) - {""},
    )
    return binding, tuple(scope)


def _check(node: Node, model: type[BaseModel], structure: Structure, at: str) -> None:
    """Follow the node's paths through the model; note which fields an item of its scope cannot do without."""
    inner = model
    if node.scope and _is_pairs(model, node.scope[-1]):
        node.scope = (*node.scope[:-1], node.scope[-1]._replace(kind="pairs"))
    for step in (*node.scope,):
        inner = _field_model(inner, step, f"{at}/{node.name}")
    if node.scope:
        named = frozenset(name for name, each in inner.model_fields.items() if each.is_required())
        node.required = named - set(node.constants)
        node.defaults = frozenset(name for name, each in inner.model_fields.items() if isinstance(each.default, str))
    for binding in (node.binding, *node.attributes.values()):
        if binding and binding.field and binding.field not in inner.model_fields:
            raise MapError(f"{at}/{node.name}: {inner.__name__} has no {binding.field}")
    for child in node.children.values():
        _check(child, inner, structure, f"{at}/{node.name}")


def _field_model(model: type[BaseModel], step: Step, at: str) -> type[BaseModel]:
    if step.name not in model.model_fields:
        raise MapError(f"{at}: {model.__name__} has no {step.name}")
    if _is_pairs(model, step):
        return Attribute
    found = _part_of(model.model_fields[step.name].annotation)
    if found is None:
        raise MapError(f"{at}: {step.name} is no part")
    return found


def _is_pairs(model: type[BaseModel], step: Step) -> bool:
    """Return whether the step leads to pairs of name and value, which a map sees as ``parts.Attribute``."""
    known = model.model_fields.get(step.name)
    return known is not None and known.annotation == tuple[tuple[str, str], ...]


def _part_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if typing.get_origin(annotation) in {tuple, typing.Union, types.UnionType, typing.Annotated}:
        parts = (_part_of(each) for each in typing.get_args(annotation))
        return next((each for each in parts if each), None)
    return None


def _claims(owner: Node) -> None:
    """Tell each node that takes any item of a list which items its neighbours take by predicate."""
    shared = list(_same_scope(owner))
    for node in shared:
        if node.scope and node.scope[-1].kind == "append":
            node.claimed = tuple(
                each.scope[-1]._replace(open_ended=each.repeats)
                for each in shared
                if each is not node
                and each.scope
                and each.scope[-1].kind == "select"
                and _list_of(each) == _list_of(node)
            )
    for node in shared:
        if node.scope:
            _claims(node)


def _same_scope(node: Node) -> Iterator[Node]:
    for child in node.children.values():
        yield child
        if not child.scope:
            yield from _same_scope(child)


def _list_of(node: Node) -> tuple[str, ...]:
    return tuple(step.name for step in node.scope)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children.values():
        yield from _walk(child)


def _tables(source: Mapping[str, Any]) -> dict[str, Codes]:
    tables = {}
    for name, table in source["tables"].items():
        words = {code: word for code, word in table.items() if code not in {"else", "other"}}
        codes: dict[str, str] = {}
        for code, word in words.items():
            codes.setdefault(word, code)
        codes.update(source.get("written", {}).get(name, {}))
        tables[name] = Codes(words, codes, table.get("other", "ubl"), table.get("else"))
    return tables


def _derived(source: Mapping[str, str]) -> Derived:
    (where,) = path_steps(source["where"])
    return Derived(source["field"], where, source["then"], source["else"])


def ordered(node: Node, structure: Structure) -> list[Node]:
    """Return the node's children in the order of the structure."""
    place = {child.name: child.order for child in structure.children(node.name)}
    return sorted(node.children.values(), key=lambda child: place[child.name])
