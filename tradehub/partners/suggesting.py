"""Parties that are offered while their name is being typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from tradehub.documents import PartyId


class Suggested(Protocol):
    """A party as a list of choices shows it."""

    @property
    def id(self) -> PartyId: ...
    @property
    def name(self) -> str: ...
    @property
    def hint(self) -> str: ...


Suggest = Callable[[Session, str], Sequence[Suggested]]
"""Find whom the session's organisation may choose, by what was typed."""
