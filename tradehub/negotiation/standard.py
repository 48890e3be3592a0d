"""An organisation's standard terms: its clauses by topic, and where those of two sides conflict (R24).

The text is numbered clauses, each under a heading on a line of its own: ``3. Payment``. What a heading is about is told
by its words, in English and Chinese, so that one heading of each meets the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tradehub.documents import PartyId
from tradehub.negotiation.model import Negotiation, Offer

TEXT_MAX = 200_000
"""Characters of a text: a hundred printed pages."""

CLAUSES_MAX = 500

TOPICS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(words, re.IGNORECASE)
    for name, words in (
        (
            "law",
            r"governing law|applicable law|choice of law|\u9002\u7528\u6cd5\u5f8b|\u6cd5\u5f8b\u9002\u7528|\u51c6\u636e\u6cd5",
        ),
        ("disputes", r"jurisdiction|arbitrat|dispute|venue|\u4e89\u8bae|\u7ba1\u8f96|\u4ef2\u88c1"),
        ("title", r"title|ownership|\u6240\u6709\u6743"),
        ("penalty", r"penalt|liquidated|\u8fdd\u7ea6\u91d1|\u7f5a\u6b3e"),
        ("force_majeure", r"force majeure|hardship|\u4e0d\u53ef\u6297\u529b|\u60c5\u52bf\u53d8\u66f4"),
        ("warranty", r"warrant|guarantee|defect|\u8d28\u4fdd|\u4fdd\u4fee|\u8d28\u91cf\u4fdd\u8bc1|\u7455\u75b5"),
        ("liability", r"liabilit|indemni|damages|\u8d23\u4efb|\u8d54\u507f"),
        ("payment", r"payment|invoic|set-?off|\u4ed8\u6b3e|\u652f\u4ed8|\u53d1\u7968|\u7ed3\u7b97"),
        ("delivery", r"deliver|shipment|transport|\u4ea4\u8d27|\u4ea4\u4ed8|\u8fd0\u8f93|\u53d1\u8fd0"),
        ("inspection", r"inspect|acceptance of goods|\u68c0\u9a8c|\u9a8c\u6536"),
        ("price", r"price|\u4ef7\u683c"),
        ("confidentiality", r"confidential|secre|\u4fdd\u5bc6"),
    )
}
"""What clauses are about, by words of their headings; the first that fits counts. The escapes are the Chinese words
for the same, as contracts head them: ``payment`` has those for paying, settling and invoices."""

_HEADING = re.compile(
    r"^\s*(?:(?:\u00a7\s*|\u7b2c)?(?P<number>\d{1,3})(?:[.)]\s+|[\u3001\uff0e]\s*|\u6761\s+)"
    r"|\u00a7\s*(?P<section>\d{1,3})\s+|(?P<part>\d{1,3}(?:\.\d{1,3})+)[.)]?\s+)(?P<heading>\S.{0,150})$"
)
"""A number with a mark behind it, so that a sentence which begins with a figure is none; or one of several parts."""


class Unsound(ValueError):
    """A text that is no standard terms: ``code`` is NO_CLAUSES, TOO_LONG or NUMBER_TWICE; ``place`` is the line."""

    def __init__(self, code: str, place: int = 0) -> None:
        self.code, self.place = code, place
        super().__init__(f"{code} {place}")


@dataclass(frozen=True)
class Clause:
    """``topic`` is a key of ``TOPICS``, or the heading itself where its words are none of theirs."""

    number: str
    heading: str
    text: str

    @property
    def topic(self) -> str:
        found = next((name for name, words in TOPICS.items() if words.search(self.heading)), None)
        return found or self.heading.casefold()

    @property
    def says(self) -> str:
        """What is compared: the text, or the heading where the clause has no other words."""
        return " ".join((self.text or self.heading).split()).casefold()


def parse(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a text; parts of a clause (3.1 under 3) are its text. What stands before the first is a
    preamble, and no clause. Raises Unsound."""
    if len(text) > TEXT_MAX:
        raise Unsound("TOO_LONG")
    found: list[tuple[str, str, list[str]]] = []
    numbers: set[str] = set()
    for place, line in enumerate(text.splitlines(), 1):
        heading = _HEADING.match(line)
        number = heading and (heading["number"] or heading["section"] or heading["part"])
        if heading is None or number is None or number.rpartition(".")[0] in numbers:
            if found:
                found[-1][2].append(line)
        elif number in numbers:
            raise Unsound("NUMBER_TWICE", place)
        else:
            numbers.add(number)
            found.append((number, heading["heading"].strip(), []))
    if not found:
        raise Unsound("NO_CLAUSES")
    if len(found) > CLAUSES_MAX:
        raise Unsound("TOO_LONG")
    return tuple(Clause(number, heading, "\n".join(lines).strip()) for number, heading, lines in found)


@dataclass(frozen=True)
class Clash:
    """Clauses of the two sides about one topic that do not say the same."""

    topic: str
    mine: tuple[Clause, ...]
    theirs: tuple[Clause, ...]


def clashes(mine: Sequence[Clause], theirs: Sequence[Clause]) -> tuple[Clash, ...]:
    """Return where two sides' terms conflict, in the order of ``theirs``. A topic of one side alone is no conflict."""
    own, other = _by_topic(mine), _by_topic(theirs)
    return tuple(
        Clash(topic, tuple(own[topic]), tuple(said))
        for topic, said in other.items()
        if topic in own and [each.says for each in own[topic]] != [each.says for each in said]
    )


def _by_topic(clauses: Sequence[Clause]) -> dict[str, list[Clause]]:
    found: dict[str, list[Clause]] = {}
    for each in clauses:
        found.setdefault(each.topic, []).append(each)
    return found


@dataclass(frozen=True)
class Battle:
    """Both sides refer to terms of their own (R24), by SHA-256. ``knocks_out``: what conflicts falls away on both
    sides; else the terms that were sent last, those of the offer, hold."""

    mine: str
    theirs: str
    knocks_out: bool


def battle(negotiation: Negotiation, offer: Offer, party: PartyId) -> Battle | None:
    """Return the battle of forms that an acceptance of ``offer`` by ``party`` would decide; None where there is none.

    Under the UCC terms in conflict knock each other out (2-207(3)); under the CISG and the PRC Civil Code only where the
    parties agreed on it; nowhere where the offer limits acceptance to its own (2-207(2)(a), PICC 2.1.22).
    """
    mine = next((each.standard_terms for each in reversed(negotiation.offers)
                 if each.by == party and each.standard_terms is not None), None)  # fmt: skip
    theirs = offer.standard_terms
    if mine is None or theirs is None or mine == theirs or offer.by == party:
        return None
    return Battle(mine, theirs, knocks_out(negotiation, offer))


def knocks_out(negotiation: Negotiation, offer: Offer) -> bool:
    """Whether the terms of two sides in conflict fall away on both, by law or as agreed."""
    may = negotiation.regime.changed_acceptance == "knock_out" or negotiation.ground.battle == "knock_out"
    return may and not offer.as_is_only
