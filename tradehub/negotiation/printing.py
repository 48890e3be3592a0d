"""The rules as they are printed: tables for people and machines, and the drawing of an offer's life.

Everything here is read off the tables that the rules themselves go by; docs/negotiation.md is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tradehub.negotiation.model import CONTRACT_TRANSITIONS, MATERIALITY, REGIMES, RULES, TRANSITIONS, Kind, article
from tradehub.negotiation.model.materiality import UNKNOWN
from tradehub.negotiation.model.refusals import RULES as REFUSED_BY
from tradehub.negotiation.model.regimes import Regime
from tradehub.negotiation.model.steps import checks
from tradehub.negotiation.wording import REFUSALS

Row = tuple[str, ...]


class Table(NamedTuple):
    """A printed table. ``name`` is its key in JSON and the marker of its place in docs/negotiation.md."""

    name: str
    title: str
    head: Row
    rows: tuple[Row, ...]


def tables() -> tuple[Table, ...]:
    """Return all that there is to say of the rules, in reading order."""
    return (
        rules(), regimes(), offer_moves(), contract_moves(), order_of_checks(), questions(), refusals(), materiality()
    )  # fmt: skip


def rules() -> Table:
    laws = tuple(REGIMES.values())
    rows = tuple(
        (
            rule.number, rule.title, ", ".join(rule.kinds) or "-", rule.who, rule.guard, rule.effect,
            *(rule.article(law) for law in laws),
        )
        for rule in RULES
    )  # fmt: skip
    head = ("rule", "title", "statements", "who", "guard", "effect", *REGIMES)
    return Table("rules", "The rules", head, rows)


_CUTOFFS: Mapping[str, str] = {"dispatch": "dispatched", "make": "made", "effective": "effective"}
_SWITCHES: tuple[tuple[str, Callable[[Regime], str]], ...] = (
    ("acceptance takes effect", lambda law: f"on {law.acceptance_effective}"),
    ("revocation must reach before the acceptance is", lambda law: _CUTOFFS[law.revocation_cutoff]),
    (
        "a stated period makes irrevocable",
        lambda law: "yes" if law.fixed_period_is_irrevocable else "no; a merchant's signed assurance does",
    ),
    ("irrevocable for at most", lambda law: "as stated" if law.firm_for is None else f"{law.firm_for.days} days"),
    ("acceptance with changes", lambda law: law.changed_acceptance.replace("_", " ")),
    ("a period starts on", lambda law: f"{law.period_starts} of the offer"),
    ("further ways to a contract", lambda law: ", ".join(sorted(law.extra_steps)) or "none"),
    ("a last day off rolls to a working day", lambda law: "yes" if law.rolls_to_working_day else "no"),
)


def regimes() -> Table:
    rows = tuple((title, *(said(law) for law in REGIMES.values())) for title, said in _SWITCHES)
    return Table("regimes", "Where the laws differ", ("switch", *REGIMES), rows)


def offer_moves() -> Table:
    rows = tuple((each.rule, each.state, each.event, each.who, each.to, each.article) for each in TRANSITIONS)
    return Table("offer_moves", "The moves of an offer", ("rule", "state", "event", "who", "to", "articles"), rows)


def contract_moves() -> Table:
    rows = tuple((each.rule or "-", each.state, each.happening, each.to, each.article) for each in CONTRACT_TRANSITIONS)
    head = ("rule", "state", "what happens", "to", "articles")
    return Table("contract_moves", "The moves of a contract", head, rows)


QUESTIONS: Mapping[str, tuple[str, str]] = {
    "is_attributed": ("known to be its author's?", "UNATTRIBUTED"),
    "may_state_terms": ("terms of its own only where it proposes or accepts?", "NOT_ALLOWED"),
    "is_party": ("said by the buyer or the seller?", "NOT_A_PARTY"),
    "is_addressed": ("an offer that is known; said by who may?", "NO_SUCH_OFFER, NOT_OFFEROR, NOT_OFFEREE"),
    "can_move": (
        "a row for the event in the offer's state? else the state is the reason",
        ", ".join(
            (
                "INVITATION_NOT_ACCEPTABLE", "NOT_AN_INVITATION", "TOO_LATE_USE_REVOKE", "NOT_YET_REACHED", "WITHDRAWN",
                "REJECTED", "COUNTERED", "REVOKED", "SUPERSEDED", "LAPSED", "ACCEPTED", "LATE_PENDING", "DISPUTED_TIME",
                "NOT_ALLOWED",
            )
        ),
    ),
    "is_open": ("not agreed yet, and no alternative picked, unless it is about an amendment?", "CONCLUDED"),
    "is_not_countered": ("no counter or rejection of one's own on its way that was not withdrawn?", "COUNTER_UNDER_WAY"),
    "has_contract": ("does the contract stand that is to be amended?", "NO_CONTRACT"),
    "may_counter": (
        "where it is a counter-offer in law: is the offer effective, and are its terms stated?",
        "INDIVISIBLE, or as of the state",
    ),
    "has_authority": ("may its author bind, up to this amount?", "NO_AUTHORITY, OVER_LIMIT"),
    "is_same_terms": ("the terms that were shown?", "TERMS_HASH_MISMATCH"),
    "are_lines_open": ("lines offered, and not taken?", "NO_SUCH_LINE, MORE_THAN_OFFERED, LINE_TAKEN"),
    "continues_subject": ("about what the offer answered is about?", "NOT_ALLOWED"),
    "is_within_rounds": ("counters left?", "ROUND_LIMIT"),
    "is_definite": (
        "terms of its author, definite, open after now?",
        "NO_SUCH_OFFER, NOT_DEFINITE_ITEM, NOT_DEFINITE_QUANTITY, NOT_DEFINITE_PRICE, ACCEPT_BY_PAST",
    ),
    "is_inquiry": ("not firm?", "NOT_ALLOWED"),
    "is_revocable": ("not irrevocable?", "IRREVOCABLE"),
    "is_indicated": ("does the offer or a practice let performance accept?", "PERFORMANCE_NOT_INDICATED"),
    "is_effective": ("effective?", "as of the state"),
    "receipt_is_overdue": ("its receipt overdue?", "RECEIPT_STILL_DUE"),
    "can_be_withdrawn": ("an acceptance that has not taken effect?", "NO_ACCEPTANCE, TOO_LATE_ACCEPTANCE_EFFECTIVE"),
    "is_objectable": (
        "an acceptance with changes, that has reached or taken effect, in its window?",
        "NOTHING_TO_OBJECT_TO, NOT_YET_REACHED, TOO_LATE_TO_OBJECT",
    ),
    "is_late": ("an acceptance that waits for election?", "NOT_LATE, TOO_LATE_TO_ELECT"),
    "is_disputed": ("an acceptance whose time is disputed?", "NOT_LATE, TOO_LATE_TO_ELECT"),
    "can_be_let_lapse": ("an acceptance that is late, disputed, or delayed and in its window?",
                         "NOT_LATE, TOO_LATE_TO_OBJECT"),
    "awaits_confirmation": (
        "an acceptance that waits for this, of this party?", "NOT_AWAITING_CONFIRMATION, ALREADY_CONFIRMED"
    ),
    "is_contract_terms": ("the terms agreed?", "TERMS_HASH_MISMATCH"),
    "is_ones_own": ("a statement of one's own?", "NO_SUCH_OFFER, NOT_OFFEROR"),
    "was_not_reviewed": ("never shown for correction, and of effect?", "CORRECTION_WAS_OFFERED"),
    "is_not_relied_on": ("not relied on, accepted, signed or over?", "ALREADY_RELIED_ON, or as of the state"),
    "is_recorded": ("a statement that is known?", "NO_SUCH_OFFER"),
}  # fmt: skip
"""What each check asks, and the codes by which it refuses."""


def order_of_checks() -> Table:
    """Each kind's checks in their order: the first that is not passed is the reason for the refusal."""
    rows = tuple((str(kind), ", ".join(map(_words, checks(kind)))) for kind in Kind)
    return Table("checks", "The order of checks", ("statement", "checks"), rows)


def questions() -> Table:
    rows = tuple((_words(name), *asked) for name, asked in QUESTIONS.items())
    return Table("questions", "What the checks ask", ("check", "asked", "refused as"), rows)


def _words(name: str) -> str:
    return name.replace("_", " ")


def refusals() -> Table:
    rows = tuple((code, rule, str(REFUSALS[code]), article(rule)) for code, rule in REFUSED_BY.items())
    return Table("refusals", "Why a statement is refused", ("code", "rule", "said to people", "articles"), rows)


def materiality() -> Table:
    rows = tuple(
        (
            each.name,
            "material" if each.is_material else "immaterial",
            "yes" if each.is_core else "no",
            each.path.pattern or "any other path",
        )
        for each in (*MATERIALITY, UNKNOWN)
    )
    head = ("class of terms", "a change is", "core (UCC 2-207)", "path, the first that fits")
    return Table("materiality", "Materiality", head, rows)


# Forms


def text(found: Iterable[Table]) -> str:
    """Columns as wide as their longest cell."""
    parts = []
    for table in found:
        widths = [max(len(row[column]) for row in (table.head, *table.rows)) for column in range(len(table.head))]
        rule = tuple("-" * width for width in widths)
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (table.head, rule, *table.rows)]
        parts.append("\n".join([table.title.upper(), "", *lines]))
    return "\n\n".join(parts)


def markdown(found: Iterable[Table]) -> str:
    return "\n\n".join(f"## {table.title}\n\n{markdown_rows(table)}" for table in found)


def markdown_rows(table: Table) -> str:
    """Return the table without its title."""
    rows = [table.head, ("---",) * len(table.head), *table.rows]
    return "\n".join("| " + " | ".join(_escaped(cell) for cell in row) + " |" for row in rows)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")


def as_json(found: Iterable[Table]) -> str:
    """One object, a list of objects for each table, by the names of its columns."""
    plain: dict[str, Any] = {
        table.name: [dict(zip(table.head, row, strict=True)) for row in table.rows] for table in found
    }
    return json.dumps(plain, ensure_ascii=False, indent=2)
