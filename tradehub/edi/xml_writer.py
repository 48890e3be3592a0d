"""Writing a document as an element tree by an XML map, then putting back what reading kept (the marks of
``xml_reader``).

Elements come in the order of the structure. An element without any value below it is not written, unless its schema
demands it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from lxml import etree

from tradehub.documents.parts import EXACT
from tradehub.edi.xml_map import Binding, Node, Step, XmlMap, ordered
from tradehub.edi.xml_values import converter, split_qualified, write_decimal

Scope = Mapping[str, Any]
Element = etree._Element

CENT = Decimal("0.01")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PATH_STEP = re.compile(r"/(@?)((?:\{[^}]*\})?[^/\[]+)(?:\[(\+?)([0-9]+)\])?")


def write_tree(rules: XmlMap, document: Scope) -> Element:
    """Return the root element of the message that states ``document`` (plain values)."""
    structure = rules.structure
    spaces: Any = {None: rules.namespace}
    spaces.update({prefix: structure.namespaces[prefix] for prefix in ("cac", "cbc")})
    root = etree.Element(f"{{{rules.namespace}}}{rules.message}", nsmap=spaces)
    writing = _Writing(rules, document)
    writing.children(rules.root, document, root)
    graft(rules, root, document.get("extensions", ()), writing.stand_ins)
    return root


class _Writing:
    def __init__(self, rules: XmlMap, document: Scope) -> None:
        self.rules = rules
        self.structure = rules.structure
        self.document = document
        self.currency: str | None = document.get("currency")
        self.stand_ins: set[Element] = set()
        self.plans: dict[int, list[tuple[Node, str, bool]]] = {}
        self.spaces: Any = {prefix: {prefix: rules.structure.namespaces[prefix]} for prefix in ("ext", "th")}

    def plan(self, node: Node) -> list[tuple[Node, str, bool]]:
        """Return the node's children in order, each with its tag and whether the schema demands it."""
        plan = self.plans.get(id(node))
        if plan is None:
            least = {child.name: child.least for child in self.structure.children(node.name)}
            plan = self.plans[id(node)] = [
                (child, self.structure.tag(child.name), bool(least[child.name]))
                for child in ordered(node, self.structure)
            ]
        return plan

    def children(self, node: Node, scope: Scope, parent: Element, above: int = 1) -> bool:
        """Write a node's children; True where one of them says something."""
        says = False
        for child, tag, demanded in self.plan(node):
            found = list(_items(child, scope)) or _without_scope(child)
            for place, item in enumerate(found, 1):
                position = place if child.repeats or child.scope else above
                element = etree.SubElement(parent, tag, nsmap=self.spaces.get(child.name.partition(":")[0]))
                written, solid = self.element(child, item, element, position)
                if not written:
                    parent.remove(element)
                says = says or solid
            if not found and demanded and parent.getparent() is None and not child.repeats:
                etree.SubElement(parent, tag)
        return says

    def element(self, node: Node, scope: Scope, element: Element, position: int) -> tuple[bool, bool]:
        """Write one element; return whether it has content at all, and whether it says more than a fixed text."""
        if node.binding is None:
            says = self.children(node, scope, element, position)
            mandatory = element.getparent() is not None and self.demanded(element)
            return says or mandatory, says
        text = self.text(node.binding, scope, element, position)
        if text is None:
            return False, False
        element.text = _NOT_XML.sub("\ufffd", text)
        for name, binding in node.attributes.items():
            value = self.text(binding, scope, element, position)
            if value:
                element.set(name, _NOT_XML.sub("\ufffd", value))
        return True, node.binding.const is None and node.binding.total is None

    def demanded(self, element: Element) -> bool:
        """Return whether the message itself demands this child of its root."""
        parent = element.getparent()
        if parent is None or parent.getparent() is not None:
            return False
        name = self.structure.name(str(element.tag))
        return any(each.name == name and each.least for each in self.structure.documents[self.rules.message])

    def text(self, binding: Binding, scope: Scope, element: Element, position: int) -> str | None:
        """Return the text of a binding, None where there is none; amounts and the like set their attribute on
        ``element``.
        """
        if binding.const is not None:
            return binding.const
        if binding.total:
            return self.sum(binding.total, element)
        value = scope.get(binding.field)
        if binding.index and value is not None:
            value = _indexed(value, binding.index, position)
        if value is None or value == "":
            return self.otherwise(binding, scope, element, position)
        if (value == binding.given and binding.given) or (binding.words and value not in binding.words):
            return None
        return self.converted(binding, value, scope, element)

    def converted(self, binding: Binding, value: Any, scope: Scope, element: Element) -> str:
        if binding.converter in {"text", "currency"}:
            return str(value)
        if binding.converter == "amount":
            self.set_currency(element, scope.get(binding.argument) if binding.argument else None)
            return write_decimal(value)
        if binding.converter == "quantity":
            if value.get("unit"):
                element.set("unitCode", value["unit"])
            return write_decimal(value["value"])
        if binding.converter == "qualified":
            scheme, text = split_qualified(value)
            if scheme is not None:
                element.set("schemeID", _NOT_XML.sub("\ufffd", scheme))
            return text
        return converter(binding, self.rules.codes).write(value)

    def set_currency(self, element: Element, own: str | None = None) -> None:
        currency = own or self.currency
        if currency:
            element.set("currencyID", currency)

    def sum(self, total: tuple[str, str], element: Element) -> str | None:
        amounts = [item[total[1]] for item in self.document.get(total[0], ()) if item.get(total[1]) is not None]
        if not amounts:
            return None
        self.set_currency(element)
        return write_decimal(sum(amounts))

    def otherwise(self, binding: Binding, scope: Scope, element: Element, position: int) -> str | None:
        """Return what stands for a missing value that the schema demands."""
        if not binding.otherwise:
            return None
        self.stand_ins.add(element)
        if binding.otherwise not in _OTHERWISE:
            return binding.otherwise
        value = _OTHERWISE[binding.otherwise](self.document, scope, position)
        if isinstance(value, Decimal):
            self.set_currency(element)
            return write_decimal(value)
        return value


def _line_amount(document: Scope, scope: Scope, position: int) -> Decimal | None:
    """Return quantity x price / basis, rounded to cents."""
    price, quantity = scope.get("price"), scope.get("quantity")
    if not price or not quantity:
        return None
    basis = (price.get("basis") or {}).get("value") or Decimal(1)
    amount = EXACT.divide(EXACT.multiply(quantity["value"], price["amount"]), basis)
    return amount.quantize(CENT, ROUND_HALF_UP, EXACT)


def _goods_total(document: Scope, scope: Scope, position: int) -> Decimal:
    """Return the sum of the lines' amounts."""
    amounts = [line.get("net_amount") or _line_amount(document, line, 0) for line in document.get("lines", ())]
    return sum((each for each in amounts if each), Decimal("0.00"))


def _payable(document: Scope, scope: Scope, position: int) -> Decimal:
    """Return the document's own total, else the total with tax, else that of the goods."""
    totals = document.get("totals") or {}
    known = document.get("total") or totals.get("with_tax")
    return known if known is not None else _goods_total(document, scope, position)


def _tax_total(document: Scope, scope: Scope, position: int) -> Decimal | None:
    """Return the sum of the taxes, None where there are none."""
    amounts = [each["amount"] for each in document.get("taxes") or () if each.get("amount") is not None]
    return sum(amounts, Decimal(0)) if amounts else None


_OTHERWISE: Mapping[str, Callable[[Scope, Scope, int], Decimal | str | None]] = {
    "ordinal": lambda document, scope, position: str(
        next((n for n, line in enumerate(document.get("lines", ()), 1) if line is scope), position)
    ),
    "line_amount": _line_amount,
    "goods_total": _goods_total,
    "payable": _payable,
    "tax_total": _tax_total,
}


def _indexed(values: Sequence[str], index: Step, position: int) -> str | None:
    at = int(index.value) - 1 + (position - 1 if index.open_ended else 0)
    return values[at] if at < len(values) else None


def _items(node: Node, scope: Scope) -> Iterator[Scope]:
    """Yield the parts of the document that the element is written for, in order."""
    if not node.scope:
        count = _open_ended(node, scope) if node.repeats else 1
        for _ in range(count):
            yield scope
        return
    found = _select(node.scope, node, scope)
    if not found and node.scope_else:
        found = _select(node.scope_else, node, scope)
    yield from found if node.repeats else found[:1]


def _without_scope(node: Node) -> list[Scope]:
    """Return what to write a figure from that follows from others, where the part it belongs to is not there."""
    follows = node.binding is not None and node.binding.otherwise in _OTHERWISE
    return [{}] if follows and node.scope and node.scope[-1].kind == "field" else []


def _open_ended(node: Node, scope: Scope) -> int:
    """Return how often a repeated element without a scope is written: for the rest of a list of texts, else once."""
    for each in (node, *node.children.values()):
        if each.binding and each.binding.index and each.binding.index.open_ended:
            return max(0, len(scope.get(each.binding.field) or ()) - int(each.binding.index.value) + 1)
    return 1


def _select(steps: tuple[Step, ...], node: Node, scope: Scope) -> list[Scope]:
    for step in steps[:-1]:
        found = scope.get(step.name)
        if found is None:
            return []
        scope = found
    last = steps[-1]
    value = scope.get(last.name)
    if value is None:
        return []
    if last.kind == "field":
        return [value]
    if last.kind == "select":
        return [item for item in value if (item.get(last.key) or "") == last.value]
    if last.kind == "pairs":
        return [{"name": name, "value": text} for name, text in value]
    return _unclaimed(value, node.claimed)


def _unclaimed(items: Sequence[Scope], claimed: tuple[Step, ...]) -> list[Scope]:
    """Return the items that no neighbour takes by a predicate; ``open_ended``: takes all that meet it."""
    left = []
    taken: set[Step] = set()
    for item in items:
        claim = next((each for each in claimed if (item.get(each.key) or "") == each.value), None)
        if claim is None or (not claim.open_ended and claim in taken):
            left.append(item)
        if claim is not None:
            taken.add(claim)
    return left


# Putting back what was kept -----------------------------------------------------------------------------


def graft(rules: XmlMap, root: Element, extensions: Sequence[Scope], stand_ins: Set[Element]) -> None:
    """Put each extension of this message back at its place; what belongs to an item that is gone stays away. What was
    written of an element of ``stand_ins`` only stands for a value that is missing.
    """
    own = f"{rules.standard}:{rules.release}:{rules.message}"
    kept = sorted(
        (each for each in extensions if each["standard"] == own), key=lambda each: int(each.get("ordinal", 0))
    )
    grafting = _Grafting(rules, root, stand_ins)
    empty = {each["path"] for each in kept if each["values"] == ("",) or each["values"] == [""]}
    for each in kept:
        if not each["values"]:
            grafting.leave_out(each["path"], empty)
    for each in kept:
        if each["values"]:
            grafting.put(each["path"], tuple(each["values"]), replaces=each["tag"].startswith("="))


class _Grafting:
    def __init__(self, rules: XmlMap, root: Element, stand_ins: Set[Element]) -> None:
        self.rules = rules
        self.structure = rules.structure
        self.root = root
        self.stand_ins = stand_ins
        self.known: dict[str, tuple[Element, Node | None, bool]] = {}
        self.named: dict[tuple[Element, str], list[Element]] = {}

    def of_name(self, parent: Element, name: str) -> list[Element]:
        """Return the parent's elements of a name; kept until one of them is made or removed."""
        found = self.named.get((parent, name))
        if found is None:
            found = self.named[parent, name] = parent.findall(self.structure.tag(name))
        return found

    def leave_out(self, path: str, empty: set[str]) -> None:
        """Remove a leaf that the sender had not sent, and the elements that it leaves empty."""
        element, attribute = self.find(path)
        if element is None:
            return
        if attribute:
            if attribute in element.attrib:
                del element.attrib[attribute]
            return
        parent = element.getparent()
        while parent is not None:
            parent.remove(element)
            self.named.pop((parent, self.structure.name(str(element.tag))), None)
            path = path.rpartition("/")[0]
            if len(parent) or parent is self.root or path in empty:
                return
            element, parent = parent, parent.getparent()

    def find(self, path: str) -> tuple[Element | None, str]:
        element: Element = self.root
        for is_attribute, name, _, number in _PATH_STEP.findall(path):
            if is_attribute:
                return element, name
            found = self.of_name(element, name)
            if len(found) < int(number or 1):
                return None, ""
            element = found[int(number or 1) - 1]
        return element, ""

    def put(self, path: str, values: tuple[str, ...], *, replaces: bool) -> None:
        attribute = ""
        if "/@" in path:
            path, _, attribute = path.rpartition("/@")
        element, is_new = self.reach(path)
        if element is None:
            return
        if attribute:
            now = element.get(attribute)
            if now is None or (replaces and now == values[1]):
                element.set(attribute, values[0])
        elif is_new or (element.text == values[1] if replaces else element in self.stand_ins):
            element.text = values[0] or None

    def reach(self, path: str) -> tuple[Element | None, bool]:
        """Return the element at ``path``, made with its parents where it is not there, and whether it is new."""
        element, is_new, at = self.root, False, ""
        mapped: Node | None = self.rules.root
        for _, name, plus, number in _PATH_STEP.findall(path):
            at += f"/{name}[{plus}{number}]" if number else f"/{name}"
            known = self.known.get(at)
            if known is None:
                mapped = mapped.children.get(name) if mapped is not None and not plus else None
                known = self.step(element, mapped, name, int(number or 1), plus=bool(plus))
                if known is None:
                    return None, False
                self.known[at] = known
            element, mapped, is_new = known
        return element, is_new

    def step(
        self, parent: Element, mapped: Node | None, name: str, place: int, *, plus: bool
    ) -> tuple[Element, Node | None, bool] | None:
        """Return the child that a step of a path leads to; None where it would be an item that is gone."""
        found = self.of_name(parent, name)
        if not plus and len(found) >= place:
            return found[place - 1], mapped, False
        if not plus and mapped is not None and mapped.repeats:
            return None
        made = self.insert(parent, name, found, place)
        self.named.pop((parent, name), None)
        return made, mapped, True

    def insert(self, parent: Element, name: str, found: Sequence[Element], place: int) -> Element:
        """Make an element as the ``place``-th of its name, or where the structure puts the first of them."""
        made = parent.makeelement(self.structure.tag(name))
        if found:
            before = min(place, len(found) + 1)
            if before <= len(found):
                found[before - 1].addprevious(made)
            else:
                found[-1].addnext(made)
            return made
        children = self.structure.children(self.name_of(parent))
        order = {self.structure.tag(child.name): child.order for child in children}
        own = order.get(str(made.tag), len(order))
        for sibling in parent:
            if order.get(str(sibling.tag), len(order)) > own:
                sibling.addprevious(made)
                return made
        parent.append(made)
        return made

    def name_of(self, element: Element) -> str:
        return self.rules.message if element is self.root else self.structure.name(str(element.tag))
