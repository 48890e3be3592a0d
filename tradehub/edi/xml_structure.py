"""The order and number of elements in a family of XML documents (``edi_mappings/ubl/2.1/structure.yaml``).

What a schema says about sequence and cardinality, as data: the reader judges by it, the writer orders by it.
Elements are named with a fixed prefix, ``cac:Party``; ``Structure.tag`` gives lxml's ``{namespace}Party``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MANY = 1_000_000_000

_BOUNDS = {"?": (0, 1), "*": (0, MANY), "+": (1, MANY)}


class Child(NamedTuple):
    """An element as a child of its parent: place in the sequence, fewest and most occurrences."""

    name: str
    order: int
    least: int
    most: int


@dataclass(frozen=True)
class Structure:
    namespaces: Mapping[str, str]
    documents: Mapping[str, tuple[Child, ...]]
    types: Mapping[str, tuple[Child, ...]]
    elements: Mapping[str, str]
    values: Mapping[str, str]
    own: Mapping[str, tuple[Child, ...]]

    def tag(self, name: str) -> str:
        """Return lxml's name of a prefixed element; a name without a known prefix is returned as it is."""
        prefix, _, local = name.partition(":")
        namespace = self.namespaces.get(prefix)
        return f"{{{namespace}}}{local}" if namespace and local else name

    def name(self, tag: str) -> str:
        """Return the prefixed name of lxml's ``tag``, or the tag itself where its namespace is foreign."""
        namespace, _, local = tag[1:].partition("}")
        for prefix, known in self.namespaces.items():
            if known == namespace:
                return f"{prefix}:{local}"
        return tag

    def type_of(self, name: str) -> str:
        """Return the type of an aggregate element; Party for ``cac:AgentParty``."""
        return self.elements.get(name, name.partition(":")[2])

    def children(self, name: str) -> tuple[Child, ...]:
        """Return the children of an aggregate, or of a document by its bare name; none for a basic element."""
        if name in self.documents:
            return self.documents[name]
        kind = self.type_of(name)
        return self.types.get(kind) or self.own.get(kind, ())

    def is_aggregate(self, name: str) -> bool:
        kind = self.type_of(name)
        return (name.startswith("cac:") and kind in self.types) or (name.startswith("th:") and kind in self.own)

    def value_of(self, name: str) -> str:
        """Return what a basic element holds: amount, date, code ... or text."""
        return self.values.get(name, "text")


def structure(source: Mapping[str, Any]) -> Structure:
    """Return the structure that the parsed YAML ``source`` states."""
    named = {element: type_ for type_, listed in source["elements"].items() for element in listed.split()}
    values = {element: kind for kind, listed in source["values"].items() for element in listed.split()}
    return Structure(
        namespaces=dict(source["namespaces"]),
        documents={name: _children(text) for name, text in source["documents"].items()},
        types={name: _children(text) for name, text in source["types"].items()},
        elements=named,
        values=values,
        own={name: _children(text) for name, text in source["own"].items()},
    )


def _children(text: str) -> tuple[Child, ...]:
    return tuple(
        Child(word.rstrip("?*+"), order, *_BOUNDS.get(word[-1], (1, 1))) for order, word in enumerate(text.split())
    )
