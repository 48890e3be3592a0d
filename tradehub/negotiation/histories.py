"""Which history of a deal each side has: the claim that travels with a message, and what is to be thought of one.

Each hub keeps a chain of its own. A claim names the head of its sender's chain, and the last head of the receiver's that
the sender was shown: so a hub that was restored from a backup, or whose record was changed, is noticed by the other side
at its next message (docs/decisions/0080-histories.md). Pure: moments and heads arrive as arguments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

NOTHING = "0" * 64
"""The head of a chain of no statements."""

SKEW = timedelta(minutes=10)
"""How far the clocks of two hubs may be apart before one of them is thought to have forgotten what it received."""

_FORM = "%Y%m%dT%H%M%S%f"
_CLAIM = re.compile(
    r"TH1\.(?P<length>\d{1,9})\.(?P<head>[0-9A-F]{64})\.(?P<seen_length>\d{1,9})\.(?P<seen_head>[0-9A-F]{64})"
    r"\.(?P<made>\d{8}T\d{12})Z",
    re.ASCII,
)


class Verdict(StrEnum):
    """What a claim shows. Everything but ``known`` is a reason to compare the two records."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    FORKED = "forked"
    SHORTER = "shorter"


class Claim(NamedTuple):
    """A sender's word: its chain has ``length`` statements and this head; of the receiver's it was last shown
    ``seen_length`` and ``seen_head``, nothing where that is 0. ``made_at`` is by the sender's clock."""

    length: int
    head: str
    seen_length: int
    seen_head: str
    made_at: datetime

    @property
    def text(self) -> str:
        """The claim as it travels: capitals, digits and full stops, which every standard's narrowest charset holds."""
        made = self.made_at.astimezone(UTC).strftime(_FORM)
        return f"TH1.{self.length}.{self.head}.{self.seen_length}.{self.seen_head}.{made}Z".upper()


def read(text: str) -> Claim | None:
    """Return the claim that a message carries; None for what is none, which says nothing."""
    found = _CLAIM.fullmatch("".join(text.split()).upper())
    if found is None:
        return None
    try:
        made = datetime.strptime(found["made"], _FORM).replace(tzinfo=UTC)
    except ValueError:
        return None
    own, seen = int(found["length"]), int(found["seen_length"])
    return Claim(own, found["head"].lower(), seen, found["seen_head"].lower(), made)


class Shown(NamedTuple):
    """An earlier claim of the same sender, and what was thought of it."""

    claim: Claim
    verdict: Verdict


def judge(
    claim: Claim, ours: Sequence[str], earlier: Sequence[Shown], received: Sequence[tuple[int, datetime]]
) -> Verdict:
    """Return what ``claim`` shows of the two histories.

    ``ours`` are the hashes of our statements in order. ``earlier`` are the sender's claims in the order they came: once
    histories have been found to differ, only what came since is compared with, so that one restoration is noticed once.
    ``received`` are numbers of our statements, each with the moment when its receipt showed that the sender has it.
    """
    if claim.seen_length and (claim.seen_length > len(ours) or ours[claim.seen_length - 1] != claim.seen_head):
        return Verdict.UNKNOWN
    since = _since_last_difference(earlier)
    if any(each.length == claim.length and each.head != claim.head for each in since):
        return Verdict.FORKED
    before = [each for each in since if each.made_at < claim.made_at]  # one that was delayed on its way shows nothing
    if any(each.length > claim.length or each.seen_length > claim.seen_length for each in before):
        return Verdict.SHORTER
    has = max((number for number, at in received if at + SKEW < claim.made_at), default=0)
    return Verdict.SHORTER if claim.seen_length < has and earlier else Verdict.KNOWN


def _since_last_difference(earlier: Sequence[Shown]) -> list[Claim]:
    """A claim that showed another history begins it; one that named a head we do not have says nothing about its own."""
    places = [place for place, each in enumerate(earlier) if each.verdict is not Verdict.KNOWN]
    if not places:
        return [each.claim for each in earlier]
    last = places[-1]
    return [each.claim for each in earlier[last + (earlier[last].verdict is Verdict.UNKNOWN) :]]


def latest(earlier: Sequence[Claim]) -> Claim | None:
    """Return the claim that was made last, which need not be the one that came last."""
    return max(earlier, key=lambda each: each.made_at, default=None)
