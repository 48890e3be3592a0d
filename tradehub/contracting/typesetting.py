"""The contract as people read it: its clauses in the parties' languages, and the PDF.

What stands in a clause is written as the language writes it: days, numbers, units. Needs a running application for the
catalogues of texts, and WeasyPrint (the extra ``pdf``) for the PDF alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_decimal
from flask import current_app
from flask_babel import force_locale, gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.contracting.bundle import LANGUAGES, Text
from tradehub.contracting.model import by_group
from tradehub.contracting.signing import BOXES
from tradehub.contracting.wording import fill, parse, set_out
from tradehub.documents import KINDS, Line, TradeDocument
from tradehub.documents.amounts import net_amount, rounded
from tradehub.documents.parts import DatedEvent, DeliveryTerms, PaymentTerms

DELIVERY_DATES = ("promised_delivery", "scheduled_delivery", "requested_delivery", "latest_delivery")
"""Which date of a document is its day of delivery, the most binding first."""

KEPT = 8
"""Set pages that a process keeps: whoever looks at a draft twice, or takes its evidence as well, waits for it once."""

LONG_FROM = 30
"""Lines from which on their terms stand in one table, a row each: a table for each would take a page for three."""

LABELS: Mapping[str, LazyString] = {
    "contract": lazy_gettext("Contract"),
    "version": lazy_gettext("Version"),
    "buyer": lazy_gettext("Buyer"),
    "seller": lazy_gettext("Seller"),
    "concluded": lazy_gettext("Concluded"),
    "draft_mark": lazy_gettext("Draft"),
    "draft": lazy_gettext("Draft, not put up for signature"),
    "schedule_terms": lazy_gettext("Schedule 1: terms agreed"),
    "schedule_statements": lazy_gettext("Schedule 2: what was said"),
    "schedule_messages": lazy_gettext("Schedule 3: messages"),
    "schedule_ceilings": lazy_gettext("Ceilings of the blanket agreement"),
    "signatures": lazy_gettext("Signatures"),
    "signatures_lead": lazy_gettext(
        "Signed electronically: each signature stands in this file and can be checked with any PDF reader."
    ),
    "term": lazy_gettext("Term"),
    "agreed": lazy_gettext("As agreed"),
    "whole": lazy_gettext("For the whole contract"),
    "per_line": lazy_gettext("For each line"),
    "line": lazy_gettext("Line"),
    "item": lazy_gettext("Item"),
    "quantity": lazy_gettext("Quantity"),
    "price": lazy_gettext("Unit price"),
    "amount": lazy_gettext("Line total"),
    "period": lazy_gettext("Period"),
    "total": lazy_gettext("Total"),
    "number": lazy_gettext("Number"),
    "time": lazy_gettext("Time (UTC)"),
    "by": lazy_gettext("By"),
    "statement": lazy_gettext("Statement"),
    "direction": lazy_gettext("Direction"),
    "message": lazy_gettext("Message"),
    "control": lazy_gettext("Control number"),
    "terms_hash": lazy_gettext("SHA-256 of the terms in canonical form"),
    "head": lazy_gettext("Head of the chain of statements"),
    "json_hash": lazy_gettext("SHA-256 of contract.json"),
    "templates": lazy_gettext("Template"),
    "none": lazy_gettext("None"),
    "in": lazy_gettext("received"),
    "out": lazy_gettext("sent"),
}

STATEMENTS: Mapping[str, LazyString] = {
    "inquiry": lazy_gettext("Inquiry"),
    "offer": lazy_gettext("Offer"),
    "counter": lazy_gettext("Counter-offer"),
    "question": lazy_gettext("Question"),
    "comment": lazy_gettext("Comment"),
    "answer": lazy_gettext("Answer"),
    "accept": lazy_gettext("Acceptance"),
    "reject": lazy_gettext("Rejection"),
    "revoke": lazy_gettext("Revocation"),
    "withdraw": lazy_gettext("Withdrawal"),
    "reach": lazy_gettext("Arrival"),
    "confirm": lazy_gettext("Confirmation"),
    "sign": lazy_gettext("Signature"),
}
"""Kinds of statement that have a word; another one is shown as it is kept."""

_AMOUNT = re.compile(r"(?:^|\.)(?:amount|price)$")
_NUMBER = re.compile(r"(?:^|\.)(?:value|quantity|min_quantity|max_quantity|rate|percent|net_days|discount_days)$")


class NoTypesetter(Exception):
    """WeasyPrint, or a library that it stands on, is not installed."""


def clauses(contract: Mapping[str, Any], texts: Sequence[Text]) -> dict[str, str]:
    """Return the contract's text by language, its template filled in. Raises wording.Mistake for an unsound template."""
    made = {}
    for each in texts:
        with force_locale(each.language):
            terms, lines = _placeholders(contract, each.language)
            made[each.language] = fill(parse(each.template), terms, lines)
    return made


def pdf(contract: Mapping[str, Any], canonical_text: bytes, json_sha256: str, *, is_draft: bool = False) -> bytes:
    """Return the contract as PDF with its JSON attached. Raises NoTypesetter where WeasyPrint is missing."""
    _weasyprint()
    template = current_app.jinja_env.get_template("contracting/pdf.html")
    return _set(template.render(_page(contract, json_sha256, is_draft)), canonical_text)


def can_typeset() -> bool:
    """Return whether there is a typesetter."""
    try:
        _weasyprint()
    except NoTypesetter:
        return False
    return True


def label(languages: Sequence[str], name: str) -> str:
    """Return a heading in each of the languages."""
    return _in_each(languages, lambda: str(LABELS[name]))


@lru_cache(maxsize=KEPT)
def _set(page: str, attached: bytes) -> bytes:
    typesetter = _weasyprint()
    sheet = files("tradehub.contracting").joinpath("standard", "contract.css").read_text(encoding="utf-8")
    json = typesetter.Attachment(string=attached.decode(), name="contract.json", description="contract.json")
    html = typesetter.HTML(string=page, url_fetcher=_fetch_nothing, base_url=None)
    return bytes(html.write_pdf(stylesheets=[typesetter.CSS(string=sheet)], attachments=[json]))


def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise NoTypesetter(str(error)) from error
    return weasyprint


def _fetch_nothing(url: str, *_more: Any, **_options: Any) -> Any:
    """A contract holds all that it shows; what a partner wrote never makes us fetch something."""
    raise ValueError(f"a contract fetches nothing: {url[:80]}")


# --- the page ------------------------------------------------------------------------------------------------------


def _page(contract: Mapping[str, Any], json_sha256: str, is_draft: bool) -> dict[str, Any]:
    languages = contract["languages"]
    header, lines = by_group(contract["terms"])
    texts = {language: set_out(contract["clauses"][language]) for language in languages}
    kinds = [[block.kind for block in text] for text in texts.values()]
    return {
        "contract": contract,
        "languages": [(language, LANGUAGES[language][0]) for language in languages],
        "label": lambda name: label(languages, name),
        "term": cache(lambda path: _in_each(languages, lambda: str(current_app.jinja_env.filters["term"](path)))),
        "value": lambda path, text: _in_each(languages, lambda: _value(path, text, languages)),
        "kind": lambda kind: _in_each(languages, lambda: str(STATEMENTS.get(kind, kind))),
        "texts": texts,
        "side_by_side": list(zip(*texts.values(), strict=True)) if len(kinds) == 2 and kinds[0] == kinds[1] else None,
        "header": header,
        "lines": lines,
        "is_long": len(lines) >= LONG_FROM,
        "rows": list(_rows(contract, languages)),
        "blanket": contract["blanket"],
        "parties": [(role, contract[role]) for role in ("buyer", "seller")],
        "boxes": {role: _css_box(box) for role, box in BOXES.items()},
        "moment": lambda text: datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S"),
        "json_sha256": json_sha256,
        "is_draft": is_draft,
    }


def _css_box(box: tuple[int, int, int, int]) -> dict[str, int]:
    left, bottom, right, top = box
    return {"left": left, "top": 842 - top, "width": right - left, "height": top - bottom}


def _rows(contract: Mapping[str, Any], languages: Sequence[str]) -> Iterator[dict[str, str]]:
    """Give the lines as the overview shows them: numbers once, in the first language's form."""
    with force_locale(languages[0]):
        yield from _placeholders(contract, languages[0])[1]


def _in_each(languages: Sequence[str], say: Callable[[], str]) -> str:
    """Return what is said in each of the languages, once where they say the same."""
    said: list[str] = []
    for language in languages:
        with force_locale(language):
            word = say()
        if word not in said:
            said.append(word)
    return " / ".join(said)


# --- what stands in the clauses ------------------------------------------------------------------------------------


def _placeholders(contract: Mapping[str, Any], language: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    document = KINDS[contract["kind"]].model_validate(contract["document"])
    if not isinstance(document, TradeDocument):
        raise TypeError(f"{contract['kind']} states no terms")
    lines: tuple[Line, ...] = getattr(document, "lines", ())
    amounts = [net_amount(line, document.currency) for line in lines]
    known = [each for each in amounts if each is not None]
    total = sum(known, Decimal(0)) if known and len(known) == len(amounts) else None
    concluded = datetime.fromisoformat(contract["concluded_at"]).date()
    terms = {
        "contract_number": contract["number"],
        "contract_version": str(contract["version"]),
        "concluded_on": _day(concluded, language),
        "inquiry": contract["inquiry"] or "",
        "offer": contract["offer"] or "",
        "currency": document.currency or "",
        "total": _amount(total, document.currency, language),
        "delivery_terms": _delivery(document.delivery_terms),
        "delivery_date": _delivery_day(document.dates, language),
        "payment_terms": "; ".join(filter(None, map(_payment, document.payment_terms))),
        "documents_required": "; ".join(document.documents_required),
        "partial_shipments": {None: "", True: gettext("allowed"), False: gettext("not allowed")}[
            document.partial_shipments
        ],
        "further_terms": "; ".join(f"{name}: {text}" for name, text in document.custom),
        **{name: (getattr(document, name) or "").rstrip(" .\u3002") for name in _PLAIN},
    }
    for role in ("buyer", "seller"):
        party = contract[role]
        terms[role] = party["name"]
        terms[f"{role}_address"] = ", ".join(_address(party["address"], language))
        terms[f"{role}_identifiers"] = ", ".join(
            f"{(each['scheme'] or '').upper()} {each['value']}".strip() for each in party["identifiers"]
        )
    return terms, [
        _line(line, position, amount, document, language)
        for position, (line, amount) in enumerate(zip(lines, amounts, strict=True), 1)
    ]


def _address(lines: Sequence[str], language: str) -> list[str]:
    """Return an address with its country by name."""
    countries = Locale.parse(LANGUAGES[language][1]).territories
    return [countries.get(each, each) if len(each) == 2 else each for each in lines]


_PLAIN = ("warranty", "liability", "penalty", "disputes", "law", "packaging", "inspection")


def _line(line: Line, position: int, amount: Decimal | None, document: TradeDocument, language: str) -> dict[str, str]:
    quantity, price = line.quantity, line.price
    basis = price.basis if price else None
    stated = _decimal(price.amount, language, at_least=2) if price else ""
    if basis is not None:
        stated += f" / {_decimal(basis.value, language)} {_unit(basis.unit)}"
    return {
        "line_number": line.number or str(position),
        "line_item": line.item.label,
        "line_item_number": next((each.value for each in line.item.ids if each.value != line.item.label), ""),
        "line_quantity": _decimal(quantity.value, language) if quantity else "",
        "line_unit": _unit(quantity.unit) if quantity else "",
        "line_price": stated or (price.formula or "" if price else ""),
        "line_amount": _amount(amount, document.currency, language),
        "line_delivery_date": _delivery_day(line.dates, language),
    }


def _delivery(terms: DeliveryTerms | None) -> str:
    if terms is None:
        return ""
    place = " ".join(each for each in (terms.incoterm, terms.place) if each)
    edition = f" (Incoterms {terms.version})" if terms.version and terms.incoterm else ""
    return "; ".join(each for each in (f"{place}{edition}", terms.text or "") if each)


def _payment(terms: PaymentTerms) -> str:
    if terms.text:
        return terms.text
    said = [str(gettext("%(days)s days net", days=terms.net_days))] if terms.net_days is not None else []
    if terms.discount_percent is not None and terms.discount_days is not None:
        said.append(
            str(gettext("%(percent)s%% discount within %(days)s days", percent=terms.discount_percent,
                        days=terms.discount_days))
        )  # fmt: skip
    if terms.due_on is not None:
        said.append(str(gettext("due on %(day)s", day=terms.due_on.isoformat())))
    return ", ".join(said)


def _delivery_day(dates: Sequence[DatedEvent], language: str) -> str:
    by_type = {each.type: each.on for each in reversed(dates) if each.on}
    found = next((by_type[name] for name in DELIVERY_DATES if name in by_type), None)
    return _day(found, language) if found else ""


def _value(path: str, text: str, languages: Sequence[str]) -> str:
    """Return a term's value in the first language's form of numbers and days: what is equal is then said once."""
    language = languages[0]
    if text in ("true", "false"):
        return str(gettext("Yes") if text == "true" else gettext("No"))
    if path.endswith("unit"):
        return _unit(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return text
    if _AMOUNT.search(path) or _NUMBER.search(path):
        try:
            return _decimal(Decimal(text), language, at_least=2 if _AMOUNT.search(path) else 0)
        except InvalidOperation:
            return text
    return text


def _unit(code: str | None) -> str:
    return str(current_app.jinja_env.filters["unit"](code)) if code else ""


def _day(on: date, language: str) -> str:
    return str(format_skeleton("yMMMd", on, locale=LANGUAGES[language][1]))


def _amount(value: Decimal | None, currency: str | None, language: str) -> str:
    return "" if value is None else _decimal(rounded(value, currency), language, at_least=2, exact=True)


def _decimal(value: Decimal, language: str, *, at_least: int = 0, exact: bool = False) -> str:
    """No more decimals than it needs, and no fewer than ``at_least``; ``exact`` keeps those it has."""
    own = -int((value if exact else value.normalize()).as_tuple().exponent)
    places = max(own, 0) if exact else max(own, at_least)
    pattern = "#,##0." + "0" * places if places else "#,##0"
    return str(format_decimal(value, format=pattern, locale=LANGUAGES[language][1], decimal_quantization=False))
