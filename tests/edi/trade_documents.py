"""Made-up trade documents that a given map can carry whole: what P1 (read what was written) is tried with.

A strategy asks the map's own code tables for the words it may use, so a row added to codes.yaml is tried from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

Plain = dict[str, Any]
SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,-/()&="
DAYS = st.dates(date(2000, 1, 1), date(2049, 12, 31))


def texts(longest: int = 30, shortest: int = 1) -> st.SearchStrategy[str]:
    """Text without blanks at its ends, for an element would lose them."""
    inner = st.text(SAFE, min_size=shortest, max_size=longest)
    return inner.filter(lambda text: text == text.strip() and len(text) >= shortest)


def numbers(places: int = 2, most: int = 99_999) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=0, max_value=most, places=places, allow_nan=False, allow_infinity=False)


def optional(
    fields: Mapping[str, st.SearchStrategy[Any]], **needed: st.SearchStrategy[Any]
) -> st.SearchStrategy[Plain]:
    return st.fixed_dictionaries(needed, optional=dict(fields))


@dataclass(frozen=True)
class Dialect:
    """What differs between the two standards' strategies: the tables, and how long an element may be."""

    standard: str
    tables: Mapping[str, Mapping[str, str]]

    @property
    def is_x12(self) -> bool:
        return self.standard == "x12"

    def words(self, table: str, *, without: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
        """One of the words that the table writes and reads back."""
        words = {word.partition("|")[0] for code, word in self.tables[table].items() if code != "else"}
        return st.sampled_from(sorted(words - set(without)))

    def quantity(self) -> st.SearchStrategy[Plain]:
        return st.fixed_dictionaries({"value": numbers(), "unit": self.words("unit")})

    def references(self, *, without: tuple[str, ...] = ()) -> st.SearchStrategy[list[Plain]]:
        fields: dict[str, st.SearchStrategy[Any]] = {"text": texts(40)} if self.is_x12 else {"on": DAYS}
        needed = {"type": self.words("reference", without=without), "value": texts(20)}
        return st.lists(optional(fields, **needed), min_size=1, max_size=3)

    def dates(self, table: str = "date", *, without: tuple[str, ...] = ()) -> st.SearchStrategy[list[Plain]]:
        return st.lists(
            st.fixed_dictionaries({"type": self.words(table, without=without), "on": DAYS}), min_size=1, max_size=3
        )

    def notes(self) -> st.SearchStrategy[list[Plain]]:
        note = {"text": texts(60)} if self.is_x12 else {"text": texts(60), "subject": self.words("note")}
        return st.lists(st.fixed_dictionaries(note), min_size=1, max_size=2)

    def ids(self, table: str, most: int) -> st.SearchStrategy[list[Plain]]:
        return st.lists(
            st.fixed_dictionaries({"scheme": self.words(table), "value": texts(17, 2)}), min_size=1, max_size=most
        )

    def party(self) -> st.SearchStrategy[Plain]:
        address = st.fixed_dictionaries({
            "street": st.lists(texts(30), min_size=1, max_size=2),
            "city": texts(25, 2),
            "postcode": texts(9, 3),
            "country": st.sampled_from(["CN", "DE", "US", "NO"]),
        })  # fmt: skip
        contact: dict[str, st.SearchStrategy[Any]] = {"role": st.just("information"), "name": texts(30)}
        return optional(
            {
                "address": address,
                "contacts": st.lists(st.fixed_dictionaries(contact), min_size=1, max_size=2),
                "references": self.references(without=("vat", "tax_number", "fiscal_number")),
            },
            role=self.words("party"),
            name=texts(35),
            ids=self.ids("id_scheme", 1),
        )

    def item(self) -> st.SearchStrategy[Plain]:
        return st.fixed_dictionaries({"ids": self.ids("item_id", 3), "name": texts(35)})

    def charge(self) -> st.SearchStrategy[Plain]:
        return st.fixed_dictionaries(
            {"is_charge": st.booleans(), "reason_code": self.words("charge_reason"), "amount": numbers()}
        )

    def payment(self) -> st.SearchStrategy[Plain]:
        return st.fixed_dictionaries({
            "type": self.words("terms_type", without=("cash_discount",)),
            "basis": self.words("terms_basis"),
            "net_days": st.integers(0, 120),
        })  # fmt: skip

    def delivery(self) -> st.SearchStrategy[Plain]:
        return st.fixed_dictionaries({
            "incoterm": st.sampled_from(["EXW", "FCA", "FOB", "CIF", "DDP"]),
            "place": texts(30),
            "freight": self.words("freight"),
        })  # fmt: skip

    def price(self) -> st.SearchStrategy[Plain]:
        types = self.words("price_basis") if self.is_x12 else st.sampled_from(["net", "calculation"])
        return st.fixed_dictionaries({"amount": numbers(3), "type": types})

    def line(self, number: int, kind: str) -> st.SearchStrategy[Plain]:
        quantity = self.quantity()
        fields: dict[str, st.SearchStrategy[Any]] = {
            "price": self.price(),
            "dates": self.dates(),
            "references": self.references(),
            "allowances_charges": st.lists(self.charge(), min_size=1, max_size=2),
        }
        if kind != "invoice" or not self.is_x12:
            fields["notes"] = self.notes()
        if kind == "order_response":
            statuses = self.words("line_status")
            answer = st.fixed_dictionaries({"status": statuses})
            if self.is_x12:
                answer = optional(
                    {"quantity": quantity, "date_type": st.just("promised_ship"), "on": DAYS}, status=statuses
                )
                answer = answer.filter(lambda each: ("date_type" in each) == ("on" in each))
            fields["responses"] = st.lists(answer, min_size=1, max_size=1)
        if kind == "invoice":
            fields["net_amount"] = numbers()
        needed = {"number": st.just(str(number)), "item": self.item(), "quantity": quantity}
        if kind == "invoice":
            needed["price"] = fields.pop("price")
        return optional(fields, **needed)

    def lines(self, kind: str) -> st.SearchStrategy[list[Plain]]:
        return (
            st.integers(1, 3)
            .flatmap(lambda count: st.tuples(*(self.line(each + 1, kind) for each in range(count))))
            .map(list)
        )

    def header(self, kind: str) -> dict[str, st.SearchStrategy[Any]]:
        dates = "date_" + kind if kind in {"inquiry", "offer"} else "date"
        fields: dict[str, st.SearchStrategy[Any]] = {
            "currency": st.sampled_from(["USD", "EUR", "CNY"]),
            "parties": st.lists(self.party(), min_size=1, max_size=3),
            "references": self.references(without=("release", "contract", "order", "inquiry", "change", "vat", "gst")),
            "dates": self.dates(dates),
            "notes": self.notes(),
            "payment_terms": st.lists(self.payment(), min_size=1, max_size=2),
            "delivery_terms": self.delivery(),
        }
        if kind != "invoice":
            fields["allowances_charges"] = st.lists(self.charge(), min_size=1, max_size=2)
        if kind not in {"invoice", "despatch"}:
            fields |= {"warranty": texts(60), "law": texts(60), "partial_shipments": st.booleans()}
        return fields

    def document(self, kind: str) -> st.SearchStrategy[Plain]:
        """A document of ``kind`` within what this standard's map for it can say."""
        needed: dict[str, st.SearchStrategy[Any]] = {"number": texts(15), "issued_on": DAYS, "lines": self.lines(kind)}
        needed["action"] = self.words("action_" + kind if kind in {"inquiry", "offer"} else "action")
        if kind == "order":
            needed["type"] = self.words("order_type")
        if kind == "invoice":
            needed |= {"type": self.words("invoice_type"), "totals": st.fixed_dictionaries({"payable": numbers()})}
        answered = {"offer": "inquiry", "order_response": "order", "invoice": "order"}.get(kind)
        if answered:
            others = self.references(without=("release", "contract", "order", "inquiry", "change", "vat", "gst"))
            named = st.fixed_dictionaries(
                {"type": st.just(answered), "value": texts(20)} | ({"on": DAYS} if answered == "order" else {})
            )
            needed["references"] = st.tuples(named, others).map(lambda both: [both[0], *both[1]])
        if kind == "order_response":
            needed |= self._response()
        return optional({name: each for name, each in self.header(kind).items() if name not in needed}, **needed)

    def _response(self) -> dict[str, st.SearchStrategy[Any]]:
        """An EDIFACT response says with one code either what it does or how it answers; X12 has an element for each."""
        if self.is_x12:
            return {"response": self.words("response")}
        return {
            "response": st.just("received"),
            "action": st.sampled_from(["original", "replace", "change", "duplicate"]),
        }

    def despatch(self) -> st.SearchStrategy[Plain]:
        """A shipment of packs with lines in them; in X12 one shipment, one order below it, then packs, then items."""
        return st.lists(st.integers(1, 2), min_size=1, max_size=3).flatmap(self._packed)

    def _packed(self, counts: list[int]) -> st.SearchStrategy[Plain]:
        order = {"type": "order", "value": "PO-1"}
        lines: list[st.SearchStrategy[Plain]] = []
        packages: list[st.SearchStrategy[Plain]] = []
        if self.is_x12:
            packages = [
                st.just({"number": "1", "kind": "shipment"}),
                st.just({"number": "2", "kind": "order", "parent": "1"}),
            ]
        for at, count in enumerate(counts):
            number = str(3 + at + sum(counts[:at])) if self.is_x12 else str(at + 1)
            packages.append(
                optional(
                    {"sscc": texts(18, 2), "gross_weight": self.quantity()},
                    number=st.just(number),
                    **(
                        {"parent": st.just("2"), "kind": st.just("pack")}
                        if self.is_x12
                        else {"count": st.integers(1, 99)}
                    ),
                )
            )
            fields = {
                "references": st.just([order]),
                "package": st.just(number),
                "quantity": self.quantity(),
                "item": self.item(),
            }
            lines += [
                st.fixed_dictionaries({"number": st.just(str(len(lines) + each + 1))} | fields) for each in range(count)
            ]
        header = {name: each for name, each in self.header("despatch").items() if name in {"parties", "dates"}}
        needed = {"issued_at": st.times().map(lambda at: at.replace(second=0, microsecond=0))} if self.is_x12 else {}
        return optional(
            header,
            **needed,
            number=texts(15, 2),
            issued_on=DAYS,
            action=self.words("action"),
            packages=st.tuples(*packages).map(list),
            lines=st.tuples(*lines).map(list),
        )
