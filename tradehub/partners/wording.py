"""How partners read to people: their status, roles and channels."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

Pill = tuple[str, LazyString]

STATUSES: dict[str, Pill] = {
    "draft": ("off", lazy_gettext("Draft")),
    "test": ("warn", lazy_gettext("Test")),
    "live": ("ok", lazy_gettext("Live")),
    "suspended": ("bad", lazy_gettext("Suspended")),
    "closed": ("off", lazy_gettext("Closed")),
}

ROLES: dict[str, LazyString] = {
    "home": lazy_gettext("Own organisation"),
    "buyer": lazy_gettext("Buyer"),
    "supplier": lazy_gettext("Supplier"),
    "customer": lazy_gettext("Customer"),
    "carrier": lazy_gettext("Carrier"),
}

CHANNELS: dict[str, LazyString] = {
    "folder": lazy_gettext("Folder"),
    "http": lazy_gettext("HTTP"),
    "web": lazy_gettext("Web pages"),
}

SCHEMES: dict[str, str] = {
    "x12-isa": "X12 ISA", "x12-gs": "X12 GS", "edifact-unb": "EDIFACT UNB", "tradacoms": "TRADACOMS", "ubl": "UBL",
    "as2": "AS2", "gln": "GLN", "duns": "D-U-N-S", "peppol": "Peppol", "vat": "VAT", "email": "E-mail", "uscc": "USCC",
    "lei": "LEI",
}  # fmt: skip
"""Names of numbering schemes; they are the same in every language."""


def role_word(role: str) -> str:
    return str(ROLES.get(role, role))
