"""Which changes make an acceptance a counter-offer, and which it survives (CISG 19(2)-(3), PRC 488-489, UCC 2-207).

A term is known by its path (``documents.terms``): ``payment_terms.1.net_days``, ``lines.3.price.amount``. Each path
belongs to a class; what belongs to none is unknown, and what is unknown is material.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from tradehub.negotiation.model.regimes import Regime


class TermClass(NamedTuple):
    """One row of the table. ``is_core``: agreement on it is of the essence under every law, UCC 2-207 included."""

    name: str
    path: re.Pattern[str]
    is_material: bool
    is_core: bool = False


def _row(name: str, path: str, *, material: bool, core: bool = False) -> TermClass:
    return TermClass(name, re.compile(rf"^(?:lines\.[^.]+\.)?(?:{path})(?:\.|$)"), material, core)


MATERIALITY: tuple[TermClass, ...] = (
    _row("remarks", r"notes|remarks|custom\.remarks", material=False),
    _row("contacts", r"contacts?|parties\.[^.]+\.contacts?|custom\.contacts?", material=False),
    _row("notice_address", r"notice_address|custom\.notice_address", material=False),
    _row("document_format", r"document_format|custom\.document_format", material=False),
    _row("document_copies", r"documents_required|document_copies|custom\.document_copies", material=False),
    _row("label_text", r"label_text|custom\.label_text", material=False),
    _row("marking", r"marking|custom\.marking", material=False),
    _row("line", r"line|lines$", material=True, core=True),
    _row("item", r"item|specification|quality", material=True, core=True),
    _row("unit", r"unit|quantity\.unit|price\.basis", material=True, core=True),
    _row("quantity", r"quantity|min_quantity|max_quantity", material=True, core=True),
    _row("price", r"price|formula|more_prices|net_amount|total", material=True, core=True),
    _row("currency", r"currency|exchange_rate|target_currency", material=True, core=True),
    _row("payment", r"payment|payment_terms", material=True),
    _row("charges", r"allowances_charges|taxes", material=True),
    _row(
        "delivery_date",
        r"delivery|delivery_on|delivery_date|delivery_period|schedules|dates\.[a-z_]*(?:delivery|ship|delivered|shipped)",
        material=True,
    ),
    _row("incoterm", r"incoterm|delivery_terms\.(?:incoterm|version)", material=True),
    _row("delivery_place", r"place|delivery_terms|parties", material=True),
    _row("delivery_mode", r"transport|partial_shipments", material=True),
    _row("warranty", r"warranty", material=True),
    _row("liability", r"liability|penalty", material=True),
    _row("disputes", r"disputes", material=True),
    _row("law", r"law", material=True),
    _row("packaging", r"packaging", material=True),
    _row("inspection", r"inspection", material=True),
)
"""The classes, the first that fits counts (spec/negotiation, materiality table)."""

UNKNOWN = TermClass("unknown", re.compile(""), is_material=True)


class Change(StrEnum):
    """What an acceptance that changes terms amounts to."""

    NONE = "none"
    IMMATERIAL = "immaterial"
    MATERIAL = "material"
    KNOCKED_OUT = "knocked_out"


def term_class(path: str) -> TermClass:
    """Return the class of the term at ``path``."""
    return next((each for each in MATERIALITY if each.path.match(path)), UNKNOWN)


def is_material(path: str, agreed: Mapping[str, bool]) -> bool:
    """Return whether changing the term at ``path`` alters the offer materially; ``agreed`` overrides by class name."""
    kind = term_class(path)
    return agreed.get(kind.name, kind.is_material)


def judge(
    changes: Iterable[str],
    *,
    regime: Regime,
    as_is_only: bool = False,
    conditional: bool = False,
    agreed: Mapping[str, bool] | None = None,
) -> Change:
    """Return what an acceptance with ``changes`` amounts to.

    Under UCC 2-207 a definite acceptance with other material terms still concludes, without those terms, unless it is
    expressly conditional on them or leaves the core of the bargain (item, quantity, price) open.
    """
    changed = tuple(changes)
    if not changed:
        return Change.NONE
    if conditional or as_is_only:
        return Change.MATERIAL
    material = [path for path in changed if is_material(path, agreed or {})]
    if not material:
        return Change.IMMATERIAL
    if regime.changed_acceptance == "knock_out" and not any(term_class(path).is_core for path in material):
        return Change.KNOCKED_OUT
    return Change.MATERIAL
