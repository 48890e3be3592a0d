"""What an acceptance on terms of one's own is in law: told before it is sent, and by the same words when it is (R9, R10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tradehub.documents import TradeDocument
from tradehub.negotiation import compare, model
from tradehub.negotiation.compare import Term
from tradehub.negotiation.model import Change, Negotiation, Offer

RULES: Mapping[Change, str] = {
    Change.NONE: "R8",
    Change.IMMATERIAL: "R9",
    Change.KNOCKED_OUT: "R9",
    Change.MATERIAL: "R10",
}


@dataclass(frozen=True)
class Judgement:
    """What the changes amount to. ``paths`` are those of the terms changed; ``terms`` says of each whether it weighs.

    ``terms`` is empty where the acceptance was silent on what it does not change, for a message shows no more than that.
    """

    change: Change
    paths: tuple[str, ...]
    terms: tuple[tuple[Term, bool], ...]
    article: str

    @property
    def rule(self) -> str:
        return RULES[self.change]

    @property
    def stands(self) -> bool:
        """Whether it is an acceptance, and no counter-offer."""
        return self.change is not Change.MATERIAL

    @property
    def weighs(self) -> bool:
        """Whether any changed term is material by itself: else it is the offer that lets nothing be changed."""
        return any(is_material for _, is_material in self.terms)


def judge(
    negotiation: Negotiation,
    offer: Offer,
    own: TradeDocument,
    *,
    is_restated: bool = True,
    is_part: bool = False,
    conditional: bool = False,
    standard_terms: str | None = None,
) -> Judgement:
    """Return what an acceptance of ``offer`` on the terms of ``own`` is.

    ``is_restated``: it states all terms anew, so that what is missing was struck; else silence agrees. ``is_part``: it is
    limited to lines of an offer that is not divisible. ``standard_terms`` are those that it refers to: other ones than the
    offer's are a change too, unless the parties let such terms knock each other out (R24).
    """
    falls_away = negotiation.ground.battle == "knock_out" and not (offer.as_is_only or conditional)
    clash = standard_terms not in (None, offer.standard_terms) and not falls_away
    more = (*(("standard_terms",) if clash else ()), *(("lines",) if is_part else ()))
    agreed = negotiation.ground.materiality
    terms = compare.restated(offer.document, own) if is_restated else ()
    paths = tuple(map(compare.path, terms)) if is_restated else compare.changed_terms(offer.document, own)
    change = model.judge(
        (*paths, *more),
        regime=negotiation.regime,
        as_is_only=offer.as_is_only,
        conditional=conditional,
        agreed=agreed,
    )
    weighed = tuple((each, model.is_material(compare.path(each), agreed)) for each in terms)
    return Judgement(change, paths, weighed, model.article(RULES[change], negotiation.regime))
