"""Which lines of a divisible offer somebody takes, and how much of each: as offered, as typed, and what then stays open.

R22. What has been accepted before is not to be had any more, so a choice is made among what is still open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from flask_babel import gettext

from tradehub.documents import Line, TradeDocument
from tradehub.negotiation import drafting, forms, model
from tradehub.negotiation.forms import Posted
from tradehub.negotiation.reading import Round
from tradehub.platform.entered import read_number


@dataclass
class Row:
    """A line of the offer. ``open`` is what of it has not been accepted yet, ``typed`` how much is wanted."""

    number: str
    line: Line
    open: Decimal
    typed: str
    is_taken: bool = True
    error: str = ""

    @property
    def unit(self) -> str | None:
        return self.line.quantity.unit if self.line.quantity else None

    @property
    def is_begun(self) -> bool:
        """Whether some of it has been accepted before."""
        return self.line.quantity is not None and self.line.quantity.value != self.open

    @property
    def quantity(self) -> Decimal:
        """What is taken of it, where that was typed well."""
        wanted = read_number(self.typed) if self.is_taken else None
        return wanted or Decimal(0)

    @property
    def rest(self) -> Decimal:
        return self.open - self.quantity


@dataclass
class Choice:
    """What is taken of a round's lines."""

    round: Round
    rows: list[Row]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return not self.errors and not any(row.error for row in self.rows)

    @property
    def taken(self) -> list[Row]:
        return [row for row in self.rows if row.is_taken]

    @property
    def resting(self) -> list[Row]:
        """The lines of which something stays open."""
        return [row for row in self.rows if row.rest > 0]

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole offer, of which nothing was accepted before."""
        whole = model.quantities(self.round.document)
        return {row.number: row.quantity for row in self.taken} == whole

    @property
    def lines(self) -> tuple[tuple[str, Decimal], ...]:
        """What an acceptance is limited to; nothing where it takes the offer as a whole."""
        return () if self.is_whole else tuple((row.number, row.quantity) for row in self.taken)

    @property
    def document(self) -> TradeDocument:
        """The terms of what is taken."""
        return drafting.limited_to(self.round.document, dict(self.lines))

    @property
    def hidden_fields(self) -> Iterable[tuple[str, str]]:
        """The choice once more as (name, value), for a review page that posts it again."""
        for row in self.taken:
            yield from (("taken", row.number), ("part_number", row.number), ("part_quantity", row.typed))


def everything(round: Round) -> Choice:
    """Return the choice of all that is still open."""
    lines = dict(round.lines)
    open_lines = round.open_lines.items()
    return Choice(round, [Row(name, lines[name], left, forms.as_typed(left)) for name, left in open_lines])


def posted(posted: Posted, round: Round) -> Choice:
    """Return the choice that a form made, with its errors; all that is open where it made none.

    A line that the form does not name is not taken; one that is not open any more is said to be gone.
    """
    choice = everything(round)
    if "part_number" not in posted:
        return choice
    typed = dict(zip(posted.getlist("part_number"), posted.getlist("part_quantity"), strict=False))
    taken = set(posted.getlist("taken"))
    for row in choice.rows:
        row.is_taken = row.number in taken and row.number in typed
        if row.is_taken:
            row.typed = typed[row.number].strip()[: forms.NAME_MAX]
            _check(row)
    gone = taken - {row.number for row in choice.rows}
    if gone:
        lines = ", ".join(sorted(gone))
        choice.errors["gone"] = gettext("These lines are no longer open: %(lines)s", lines=lines)
    elif not choice.taken:
        choice.errors["none"] = gettext("Choose at least one line.")
    return choice


def _check(row: Row) -> None:
    errors: dict[str, str] = {}
    forms.check_number(row.typed, errors, "quantity", above_zero=True)
    if not errors and row.quantity > row.open:
        errors["quantity"] = gettext("No more than %(left)s of it are open.", left=forms.as_typed(row.open))
    row.error = errors.get("quantity", "")
