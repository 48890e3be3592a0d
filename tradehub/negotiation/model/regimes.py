"""The laws of sale as data: the six switches in which they differ, and the article behind each rule.

CISG: UN Convention on Contracts for the International Sale of Goods, 14-24 and 29. PRC: Civil Code of the People's Republic
of China, 471-491. UCC: Uniform Commercial Code article 2, with the common law of offer and acceptance that 1-103 keeps in
force (Restatement (Second) of Contracts, R2d). MLEC: UNCITRAL Model Law on Electronic Commerce. Engineering, not legal
advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Regime:
    """One law of sale. ``name`` is how a deal names it.

    ``acceptance_effective``: ``reach``, or ``dispatch`` (mailbox rule). ``revocation_cutoff``: the act of the offeree
    before which a revocation must reach: to ``dispatch`` or ``make`` the acceptance, or its becoming ``effective``.
    ``fixed_period_is_irrevocable``: whether stating a period for acceptance is a promise to keep the offer open.
    ``firm_for``: the longest time for which an irrevocable offer binds without consideration; None: as stated.
    ``changed_acceptance``: ``counter_unless_immaterial``, or ``knock_out``. ``period_starts``: ``reach`` of the offer, or
    its ``dispatch``. ``extra_steps``: formations that this law knows beyond offer and acceptance.
    """

    name: str
    acceptance_effective: str
    revocation_cutoff: str
    fixed_period_is_irrevocable: bool
    firm_for: timedelta | None
    changed_acceptance: str
    period_starts: str
    extra_steps: frozenset[str]
    rolls_to_working_day: bool

    def __str__(self) -> str:
        return self.name


REGIMES: Mapping[str, Regime] = {
    "CISG": Regime(
        "CISG",
        acceptance_effective="reach",  # 18(2)
        revocation_cutoff="dispatch",  # 16(1)
        fixed_period_is_irrevocable=True,  # 16(2)(a)
        firm_for=None,
        changed_acceptance="counter_unless_immaterial",  # 19
        period_starts="reach",  # 20(1), instantaneous media
        extra_steps=frozenset(),
        rolls_to_working_day=True,  # 20(2)
    ),
    "PRC": Regime(
        "PRC",
        acceptance_effective="reach",  # 484, 137
        revocation_cutoff="make",  # 477
        fixed_period_is_irrevocable=True,  # 476(1)
        firm_for=None,
        changed_acceptance="counter_unless_immaterial",  # 488, 489
        period_starts="reach",  # 482
        extra_steps=frozenset({"signature", "confirmation", "catalogue"}),  # 490, 491(1), 491(2)
        rolls_to_working_day=True,  # 203
    ),
    "UCC": Regime(
        "UCC",
        acceptance_effective="dispatch",  # 2-206, R2d 63
        revocation_cutoff="effective",  # R2d 42
        fixed_period_is_irrevocable=False,
        firm_for=timedelta(days=92),  # 2-205: three months at most
        changed_acceptance="knock_out",  # 2-207
        period_starts="reach",
        extra_steps=frozenset({"signature"}),  # 2-201
        rolls_to_working_day=False,
    ),
}

ARTICLES: Mapping[str, Mapping[str, str]] = {
    "R1": {"CISG": "CISG 14(2)", "PRC": "PRC 473", "UCC": "UCC 2-204"},
    "R2": {"CISG": "CISG 14(1)", "PRC": "PRC 472", "UCC": "UCC 2-204(3)"},
    "R3": {"CISG": "CISG 14(1)", "PRC": "PRC 472-473", "UCC": "UCC 2-204"},
    "R4": {"CISG": "CISG 15(1), 24", "PRC": "PRC 137, 474", "UCC": "UCC 1-202"},
    "R5": {"CISG": "CISG 15(2)", "PRC": "PRC 141, 475", "UCC": "UCC 1-103 (R2d 42)"},
    "R6": {"CISG": "CISG 16", "PRC": "PRC 476-477", "UCC": "UCC 2-205"},
    "R7": {"CISG": "CISG 17", "PRC": "PRC 478(1)", "UCC": "UCC 1-103 (R2d 38)"},
    "R8": {"CISG": "CISG 18(2), 23", "PRC": "PRC 479-484", "UCC": "UCC 2-206"},
    "R9": {"CISG": "CISG 19(2)", "PRC": "PRC 489", "UCC": "UCC 2-207(2)"},
    "R10": {"CISG": "CISG 19(1), 19(3)", "PRC": "PRC 488", "UCC": "UCC 2-207(1)"},
    "R11": {"CISG": "CISG 17, 19(1)", "PRC": "PRC 478(4)", "UCC": "UCC 1-103 (R2d 39)"},
    "R12": {"CISG": "CISG 8, 9", "PRC": "PRC 142", "UCC": "UCC 1-303"},
    "R13": {"CISG": "CISG 19(2)", "PRC": "PRC 489", "UCC": "UCC 2-207(2)(c)"},
    "R14": {"CISG": "CISG 21(1)", "PRC": "PRC 486", "UCC": "UCC 1-103 (R2d 70)"},
    "R15": {"CISG": "CISG 21(2)", "PRC": "PRC 487", "UCC": "UCC 2-206"},
    "R16": {"CISG": "CISG 22", "PRC": "PRC 141, 485", "UCC": "UCC 1-103 (R2d 63)"},
    "R17": {"CISG": "CISG 18(2), 20", "PRC": "PRC 481-482", "UCC": "UCC 2-206(2), 1-205"},
    "R18": {"CISG": "CISG 18(3)", "PRC": "PRC 480, 490(1)", "UCC": "UCC 2-206(1)(b)"},
    "R19": {"CISG": "CISG 18(1)", "PRC": "PRC 140, 480", "UCC": "UCC 1-103 (R2d 69)"},
    "R20": {"CISG": "CISG 16", "PRC": "PRC 476", "UCC": "UCC 2-205"},
    "R21": {"CISG": "CISG 6", "PRC": "PRC 490, 491(1)", "UCC": "UCC 2-201"},
    "R22": {"CISG": "CISG 19, 51", "PRC": "PRC 488", "UCC": "UCC 2-207, 2-307"},
    "R23": {"CISG": "CISG 18", "PRC": "PRC 479", "UCC": "UCC 2-206"},
    "R24": {"CISG": "CISG 19", "PRC": "PRC 488, 496", "UCC": "UCC 2-207(3)"},
    "R25": {"CISG": "CISG 29", "PRC": "PRC 543", "UCC": "UCC 2-209"},
    "R26": dict.fromkeys(("CISG", "PRC", "UCC"), "MLEC 13"),
    "R27": dict.fromkeys(("CISG", "PRC", "UCC"), "MLEC 14"),
    "R28": dict.fromkeys(("CISG", "PRC", "UCC"), "MLEC 13, 14"),
    "R29": dict.fromkeys(("CISG", "PRC", "UCC"), "MLEC 13"),
    "R30": dict.fromkeys(("CISG", "PRC", "UCC"), "UN e-Communications Convention 14"),
}
"""Rule -> regime -> the article that it rests on."""


def article(rule: str, regime: Regime | None = None) -> str:
    """Return the article behind ``rule`` in ``regime``, or in all of them."""
    by_regime = ARTICLES[rule]
    return by_regime[regime.name] if regime else ", ".join(dict.fromkeys(by_regime.values()))
