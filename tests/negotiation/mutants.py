"""Mutants of the rules: each makes them wrong in one place, and a test must notice.

``python -m tests.negotiation.mutants`` runs each against the test that is named to kill it; ``--find`` against all of the
rules' tests, and names the first that fails.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = Path("tradehub/negotiation")
TESTS = ("test_model.py", "test_corners.py", "test_simulation.py")


class Mutant(NamedTuple):
    """``old``, which stands once in ``file``, becomes ``new``. ``killed_by`` is a test that then fails."""

    name: str
    file: str
    old: str
    new: str
    killed_by: str


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "R1: an invitation can be accepted",
        "model/steps.py",
        ("    if (state, event) in MOVES and not _is_too_late(case, state):\n        return None"),
        (
            "    if (state, event) in MOVES and not _is_too_late(case, state) or state is State.INVITATION:\n"
            "        return None"
        ),
        "test_model.py::test_s1_an_inquiry_cannot_be_accepted",
    ),
    Mutant(
        "R2: an indefinite offer is firm",
        "model/steps.py",
        ("    if offer.lacking and not offer.terminates:\n        return offer.lacking"),
        ("    if offer.lacking and offer.terminates:\n        return offer.lacking"),
        "test_model.py::test_s3_s4_a_firm_offer_must_be_definite[lines0-NOT_DEFINITE_PRICE]",
    ),
    Mutant(
        "R2: an offer may have expired when it is made",
        "model/steps.py",
        '    return None if until is not None and until > case.now else "ACCEPT_BY_PAST"',
        "    return None",
        "test_model.py::test_s6_an_offer_that_has_already_expired_is_refused",
    ),
    Mutant(
        "R3: an offer without obligation binds",
        "model/ledger.py",
        "opening = MOVES[State.NONE, Event.OFFER if offer.firm else Event.INVITE].to",
        "opening = MOVES[State.NONE, Event.OFFER].to",
        "test_model.py::test_s1_an_inquiry_cannot_be_accepted",
    ),
    Mutant(
        "R4: an offer is effective when it is dispatched",
        "model/ledger.py",
        (
            "        if statement.kind in PENDING_KINDS:\n"
            "            if statement.reached_at is not None:\n"
            "                self._arrive(statement, statement.reached_at)\n"
            "            else:\n"
            "                self.pending[statement.id] = statement"
        ),
        (
            "        if statement.kind in PENDING_KINDS:\n"
            "            self._arrive(statement, statement.reached_at or at)"
        ),
        "test_model.py::test_r4_an_offer_is_effective_once_it_reaches",
    ),
    Mutant(
        "R5: a withdrawal that comes too late withdraws",
        "model/ledger.py",
        "if standing.reached_at == at and standing.base is State.EFFECTIVE and untouched:",
        "if standing.base is State.EFFECTIVE and untouched:",
        "test_model.py::test_r5_a_withdrawal_that_arrives_after_the_offer_is_a_revocation",
    ),
    Mutant(
        "R5: a counter that was withdrawn bars an acceptance still",
        "model/steps.py",
        "is_over = each.id in ledger.failed or (made is not None and made.state is State.WITHDRAWN)",
        "is_over = each.id in ledger.failed",
        "test_model.py::test_r5_a_counter_withdrawn_before_it_reached_bars_no_acceptance[counter]",
    ),
    Mutant(
        "R5: a counter whose withdrawal is on its way bars no acceptance",
        "model/steps.py",
        "made.state is State.WITHDRAWN)",
        "made.state is not State.EFFECTIVE)",
        "test_model.py::test_r5_a_counter_withdrawn_before_it_reached_bars_no_acceptance[counter]",
    ),
    Mutant(
        "R5: a withdrawal must come before the offer, not with it",
        "model/ledger.py",
        "if standing.reached_at == at and standing.base is State.EFFECTIVE and untouched:",
        "if standing.reached_at > at and standing.base is State.EFFECTIVE and untouched:",
        "test_model.py::test_r5_a_withdrawal_that_arrives_together_with_the_offer_counts",
    ),
    Mutant(
        "R6: an irrevocable offer is revoked",
        "model/steps.py",
        "    Kind.REVOKE: (_is_addressed, _can_move, _is_revocable),",
        "    Kind.REVOKE: (_is_addressed, _can_move),",
        "test_model.py::test_s13_a_fixed_period_binds_under_cisg_and_prc[CISG-True]",
    ),
    Mutant(
        "R6: reliance does not bind",
        "model/ledger.py",
        ("        if standing.is_relied_on:\n            return True\n"),
        "",
        "test_model.py::test_s17_an_offer_that_the_offeree_relies_on_cannot_be_revoked",
    ),
    Mutant(
        "R6: reliance comes too late for a revocation on its way",
        "model/ledger.py",
        ("        if not self.is_irrevocable(standing.offer, at):\n            self._move(standing, Event.REVOKE, at)"),
        "        self._move(standing, Event.REVOKE, at)",
        "test_model.py::test_r6_reliance_stops_a_revocation_on_its_way",
    ),
    Mutant(
        "R6: a firm offer under the UCC binds for ever",
        "model/regimes.py",
        "firm_for=timedelta(days=92)",
        "firm_for=None",
        "test_model.py::test_r6_a_firm_offer_under_the_ucc_binds_for_three_months_at_most",
    ),
    Mutant(
        "R6: a period makes irrevocable under the UCC",
        "model/regimes.py",
        "        fixed_period_is_irrevocable=False,",
        "        fixed_period_is_irrevocable=True,",
        "test_model.py::test_s13_a_fixed_period_binds_under_cisg_and_prc[UCC-False]",
    ),
    Mutant(
        "R6: the offeree may revoke",
        "model/steps.py",
        "    Kind.REVOKE: Who.OFFEROR,",
        "    Kind.REVOKE: Who.OFFEREE,",
        "test_model.py::test_s20_the_offeree_cannot_revoke",
    ),
    Mutant(
        "R7: a rejection ends an offer before it reaches",
        "model/ledger.py",
        "{*PROPOSALS, Kind.ACCEPT, Kind.REJECT, Kind.WITHDRAW,",
        "{*PROPOSALS, Kind.ACCEPT, Kind.WITHDRAW,",
        "test_model.py::test_s21_reject_then_accept_within_the_period",
    ),
    Mutant(
        "R8: an offeror accepts its own offer",
        "model/steps.py",
        "    expected = offer.by if who is Who.OFFEROR else case.ledger.negotiation.other(offer.by)",
        "    expected = offer.by",
        "test_model.py::test_s7_the_offeror_cannot_accept_its_own_offer",
    ),
    Mutant(
        "R8: an acceptance dispatched after the revocation counts",
        "model/ledger.py",
        "return moment is not None and statement.dispatched_at < moment",
        "return moment is not None and statement.dispatched_at <= moment",
        "test_model.py::test_r8_an_acceptance_dispatched_after_the_revocation_is_refused",
    ),
    Mutant(
        "R8: a revocation that an acceptance held off is lost",
        "model/ledger.py",
        "standing.base if event in (Event.REVOKE, Event.SUPERSEDE) else standing.state",
        "standing.state",
        "test_corners.py::test_r8_a_revocation_that_the_acceptance_held_off_counts_once_the_acceptance_is_gone[False-5]",
    ),
    Mutant(
        "R8: to confirm needs authority for what is left, not for what was accepted",
        "model/steps.py",
        "    if said.kind in OF_ACCEPTANCES:\n",
        "    if said.kind is Kind.OBJECT:\n",
        "test_corners.py::test_s59_a_signature_binds_for_what_was_accepted_of_a_divisible_offer_not_for_what_is_left[sign]",
    ),
    Mutant(
        "R8: a claim counts as proof",
        "model/ledger.py",
        "acceptance.is_disputed = not was_before(statement, standing.ended_at)",
        "acceptance.is_disputed = False",
        "test_model.py::test_r8_a_claim_without_proof_is_for_the_offeror_to_admit",
    ),
    Mutant(
        "R8: any version will do",
        "model/steps.py",
        "if statement.expected_version is not None and statement.expected_version != negotiation.version:",
        "if statement.expected_version is not None and statement.expected_version > negotiation.version:",
        "test_model.py::test_s50_of_two_acceptances_with_one_version_one_conflicts",
    ),
    Mutant(
        "R8: any terms will do",
        "model/steps.py",
        'return "TERMS_HASH_MISMATCH" if shown is not None and shown != case.offer.terms_hash else None',
        "return None",
        "test_model.py::test_s53_a_stale_terms_hash",
    ),
    Mutant(
        "R8: authority has no limit",
        "model/steps.py",
        "amount is not None and amount > said.limit else None",
        "amount is not None and amount < said.limit else None",
        "test_model.py::test_s58_s59_authority_and_its_limit",
    ),
    Mutant(
        "R8: an acceptance takes effect on dispatch under CISG",
        "model/ledger.py",
        'return self.regime.acceptance_effective == "dispatch" or by_catalogue',
        "return True",
        "test_model.py::test_s18_an_acceptance_sent_before_the_revocation_arrives_counts_when_it_reaches",
    ),
    Mutant(
        "R8: the mailbox rule is unknown",
        "model/ledger.py",
        'return self.regime.acceptance_effective == "dispatch" or by_catalogue',
        "return by_catalogue",
        "test_model.py::test_s30_s31_sent_before_reached_after[UCC-concluded]",
    ),
    Mutant(
        "R8: a claim that was not admitted revives the offer",
        "model/ledger.py",
        "acceptance.is_late = standing.is_given_up",
        "acceptance.is_late = False",
        "test_corners.py::test_r8_a_revoked_offer_is_not_revived_by_a_claim_that_was_not_admitted[True]",
    ),
    Mutant(
        "R9: a changed acceptance is final at once",
        "model/ledger.py",
        ("        if acceptance.change is Change.IMMATERIAL:\n            self._wait"),
        ("        if acceptance.change is Change.MATERIAL:\n            self._wait"),
        "test_model.py::test_s40_an_immaterial_change_stands_unless_objected_to[documents_required.1]",
    ),
    Mutant(
        "R9: as-is-only offers bear small changes",
        "model/materiality.py",
        "if conditional or as_is_only:",
        "if conditional:",
        "test_model.py::test_s43_an_offer_to_be_taken_as_it_is_allows_no_change",
    ),
    Mutant(
        "R10: what is unknown is immaterial",
        "model/materiality.py",
        'UNKNOWN = TermClass("unknown", re.compile(""), is_material=True)',
        'UNKNOWN = TermClass("unknown", re.compile(""), is_material=False)',
        "test_model.py::test_s39_s44_a_material_change_makes_it_a_counter_offer[custom.colour_of_the_sky-44]",
    ),
    Mutant(
        "R10: under the UCC a changed price is knocked out",
        "model/materiality.py",
        ('if regime.changed_acceptance == "knock_out" and not any(term_class(path).is_core for path in material):'),
        'if regime.changed_acceptance == "knock_out":',
        "test_model.py::test_ucc_2_207_a_conditional_acceptance_or_another_core_is_a_counter_offer[changes0-False]",
    ),
    Mutant(
        "R11: a counter leaves the offer open",
        "model/ledger.py",
        "            self._move(self.standings[statement.about], Event.COUNTER, at, by=offer.id)\n",
        "            pass\n",
        "test_model.py::test_s22_counter_then_accept_the_original",
    ),
    Mutant(
        "R11: rounds are not counted",
        "model/steps.py",
        'return "ROUND_LIMIT" if counters >= limit else None',
        'return "ROUND_LIMIT" if counters > limit + 1 else None',
        "test_model.py::test_the_round_limit",
    ),
    Mutant(
        "R11: one's own counter on its way is no bar",
        "model/steps.py",
        "_ANSWER: tuple[_Guard, ...] = (_is_addressed, _can_move, _is_open, _is_not_countered)",
        "_ANSWER: tuple[_Guard, ...] = (_is_addressed, _can_move, _is_open)",
        "test_model.py::test_r11_the_parent_is_countered_on_reach_and_not_before",
    ),
    Mutant(
        "R12: a question counts as a new version",
        "model/values.py",
        "WORDS = frozenset({Kind.QUESTION, Kind.ANSWER, Kind.COMMENT})",
        "WORDS = frozenset({Kind.ANSWER, Kind.COMMENT})",
        "test_model.py::test_s24_a_question_never_kills_an_offer",
    ),
    Mutant(
        "R13: an objection leaves the offer accepted",
        "model/ledger.py",
        "self._undo(acceptance, State.COUNTERED)",
        "self._form(acceptance)",
        "test_model.py::test_s41_an_objection_undoes_it",
    ),
    Mutant(
        "R13: the last moment to object is too late",
        "model/ledger.py",
        "while self._due and self._due[0][0] < at:",
        "while self._due and self._due[0][0] <= at:",
        "test_model.py::test_s41_an_objection_undoes_it",
    ),
    Mutant(
        "R13: the time to object runs from dispatch",
        "model/ledger.py",
        ("            self._wait(acceptance, ContractState.CONCLUDED_OBJECTABLE, at, reached_at)\n            return"),
        ("            self._wait(acceptance, ContractState.CONCLUDED_OBJECTABLE, at, at)\n            return"),
        "test_corners.py::test_r13_the_time_to_object_starts_when_the_acceptance_reaches_whenever_it_took_effect[True]",
    ),
    Mutant(
        "R14: a late acceptance is dated when it is elected",
        "model/ledger.py",
        ("                self._form(acceptance)\n            case Kind.CONFIRM"),
        (
            "                acceptance.effective_at = at\n"
            "                self._form(acceptance)\n"
            "            case Kind.CONFIRM"
        ),
        "test_model.py::test_s32_s34_only_the_offeror_can_elect_a_late_acceptance",
    ),
    Mutant(
        "R14: a late acceptance is elected by the offeree",
        "model/steps.py",
        "    Kind.ELECT_LATE: Who.OFFEROR,",
        "    Kind.ELECT_LATE: Who.OFFEREE,",
        "test_model.py::test_s32_s34_only_the_offeror_can_elect_a_late_acceptance",
    ),
    Mutant(
        "R14: what is not elected stands",
        "model/ledger.py",
        ("            self._undo(acceptance, State.LAPSED)\n\n    # Statements"),
        ("            self._form(acceptance)\n\n    # Statements"),
        "test_model.py::test_r8_a_claim_that_is_not_admitted_comes_to_nothing[False]",
    ),
    Mutant(
        "R15: evidence helps what was sent late",
        "model/ledger.py",
        "elif statement.delayed and statement.dispatched_at <= until:",
        "elif statement.delayed:",
        "test_model.py::test_r15_no_evidence_helps_an_acceptance_that_was_sent_late",
    ),
    Mutant(
        "R16: an acceptance is taken back after it took effect",
        "model/steps.py",
        ('return None if acceptance.state is ContractState.AWAITING_REACH else "TOO_LATE_ACCEPTANCE_EFFECTIVE"'),
        "return None",
        "test_model.py::test_r16_an_acceptance_may_be_taken_back_until_it_reaches",
    ),
    Mutant(
        "R16: the withdrawal must come before the acceptance, not with it",
        "model/ledger.py",
        "elif acceptance.state is ContractState.AWAITING_REACH or acceptance.effective_at == at:",
        "elif acceptance.state is ContractState.AWAITING_REACH:",
        "test_model.py::test_r16_the_withdrawal_must_reach_no_later_than_the_acceptance[together-None]",
    ),
    Mutant(
        "R17: a period runs from dispatch",
        "model/ledger.py",
        "            until = reached + (",
        "            until = (standing.sent_at if standing else reached) + (",
        "test_model.py::test_r17_a_period_counts_from_the_reach_of_the_offer",
    ),
    Mutant(
        "R17: a deadline rolls at the offeree's place",
        "model/ledger.py",
        "self.negotiation.calendar(offer.by).rolled(until)",
        "self.negotiation.calendar(self.negotiation.other(offer.by)).rolled(until)",
        "test_model.py::test_x7_a_deadline_rolls_over_the_holidays_of_the_offerors_place",
    ),
    Mutant(
        "R17: a worked weekend is off",
        "model/values.py",
        "return day in self.workdays or not (day",
        "return not (day",
        "test_model.py::test_x7_a_deadline_rolls_over_the_holidays_of_the_offerors_place",
    ),
    Mutant(
        "R18: performance needs no ground",
        "model/steps.py",
        "    Kind.PERFORM: (*_ANSWER, _has_contract, _is_indicated,",
        "    Kind.PERFORM: (*_ANSWER, _has_contract,",
        "test_model.py::test_s48_to_perform_is_to_accept_where_the_offer_or_a_practice_says_so",
    ),
    Mutant(
        "R19: silence accepts",
        "model/values.py",
        "    silence_accepts: bool = False",
        "    silence_accepts: bool = True",
        "test_model.py::test_s49_silence_is_never_acceptance",
    ),
    Mutant(
        "R19: a revocation that has not reached stops silence from accepting",
        "model/ledger.py",
        "each.about == offer.id and each.by != offer.by and each.id not in self.failed",
        "each.about == offer.id and each.id not in self.failed",
        "test_corners.py::test_r19_a_revocation_that_has_not_reached_is_no_answer_so_that_silence_accepts",
    ),
    Mutant(
        "R19: silence amends a contract that has ended",
        "model/ledger.py",
        "if standing.offer.amends is None else self.stands(standing.offer.amends))",
        "if standing.offer.amends is None else True)",
        "test_corners.py::test_r19_silence_agrees_to_no_change_of_a_contract_that_has_ended",
    ),
    Mutant(
        "R19: silence accepts several alternatives",
        "model/ledger.py",
        "not self.is_closed if standing.offer.amends is None else",
        "True if standing.offer.amends is None else",
        "test_corners.py::test_r19_silence_accepts_one_of_two_alternatives_the_one_whose_time_ends_first",
    ),
    Mutant(
        "R20: what arrives last supersedes, whichever was made first",
        "model/ledger.py",
        "        newer = next(self._newer(offer), None)",
        "        newer = None",
        "test_corners.py::test_r20_an_older_offer_that_arrives_late_does_not_replace_a_newer_one",
    ),
    Mutant(
        "R20: irrevocable offers are superseded",
        "model/ledger.py",
        ("            if not self.is_irrevocable(earlier.offer, at):\n                self._move(earlier"),
        ("            if True:\n                self._move(earlier"),
        "test_model.py::test_r20_an_irrevocable_offer_stays_open_beside_the_better_one",
    ),
    Mutant(
        "R20: alternatives supersede each other",
        "model/ledger.py",
        "(other.by, other.amends) and not is_alternative",
        "(other.by, other.amends)",
        "test_model.py::test_r5_a_withdrawal_that_arrives_after_the_offer_is_a_revocation",
    ),
    Mutant(
        "R21: one signature is enough",
        "model/ledger.py",
        "elif acceptance.signed_by >= both:",
        "elif acceptance.signed_by & both:",
        "test_model.py::test_r21_the_contract_waits_for_both_signatures[signature-sign]",
    ),
    Mutant(
        "R22: a counter to the rest of an offer accepted in part cannot be answered",
        "model/ledger.py",
        "        while standing.state is State.COUNTERED and standing.ended_by is not None:",
        "        while False:",
        "test_simulation.py::"
        "test_r22_part_of_a_divisible_offer_on_other_terms_is_a_counter_offer_of_what_is_left_of_that_part",
    ),
    Mutant(
        "R10: an acceptance that is silent does not agree",
        "simulation.py",
        "    lines = dict(base.lines)\n",
        "    lines: dict[str, LineEntry] = {}\n",
        "test_simulation.py::test_r10_a_counter_offer_by_acceptance_is_the_offer_with_what_it_changes[stated0]",
    ),
    Mutant(
        "R22: part of an indivisible offer is a contract",
        "model/ledger.py",
        '            changes = (*changes, "lines")',
        "            changes = (*changes,)",
        "test_model.py::test_s56_some_lines_of_an_indivisible_offer_are_a_counter_offer",
    ),
    Mutant(
        "R22: what failed gives nothing back",
        "model/ledger.py",
        ("        acceptance.is_failed = True\n        self._give_back(acceptance)"),
        "        acceptance.is_failed = True",
        "test_corners.py::test_r22_an_acceptance_that_fails_twice_gives_its_lines_back_once",
    ),
    Mutant(
        "R22: what was taken may be taken again",
        "model/steps.py",
        '            return "LINE_TAKEN"',
        "            return None",
        "test_model.py::test_s57_some_lines_of_a_divisible_offer_are_a_contract_for_those",
    ),
    Mutant(
        "R23: more is awarded than was asked for",
        "simulation.py",
        "if any(quantity > entry.demand.get(line, quantity) for line, quantity in awarded.items()):",
        "if any(quantity < 0 for line, quantity in awarded.items()):",
        "test_simulation.py::test_r23_an_award_is_all_or_nothing[picks0-MORE_THAN_DEMANDED]",
    ),
    Mutant(
        "R23: the others are not declined",
        "simulation.py",
        ("            self._decline(entry)\n        except"),
        ("            pass\n        except"),
        "test_simulation.py::test_s68_the_offers_of_the_others_stay_open_until_they_are_declined",
    ),
    Mutant(
        "R24: an agreed knock-out holds against who will be bound on its own terms only",
        "model/ledger.py",
        "        return is_agreed and not (statement.conditional or offer.as_is_only)",
        "        return is_agreed",
        "test_corners.py::"
        "test_r24_no_knock_out_for_who_says_expressly_that_it_is_to_be_bound_on_its_own_terms_only[offered0-said0-CISG]",
    ),
    Mutant(
        "R24: other standard terms are no change",
        "model/ledger.py",
        "clash = own is not None and own != offer.standard_terms",
        "clash = False",
        "test_model.py::test_r24_standard_terms_of_both_sides_clash",
    ),
    Mutant(
        "R25: an amendment replaces the deal without assent",
        "model/ledger.py",
        ("if each.is_live and each.standing.offer.amends is not None and each.state is ContractState.CONCLUDED"),
        "if each.standing.offer.amends is not None and each.state is not ContractState.CONCLUDED",
        "test_model.py::test_r25_a_contract_is_amended_by_offer_and_acceptance",
    ),
    Mutant(
        "R25: an ended contract is amended",
        "model/ledger.py",
        "                if named and contract.state in AMENDABLE:",
        "                if named:",
        "test_corners.py::test_r25_an_acceptance_that_arrives_after_the_end_amends_nothing",
    ),
    Mutant(
        "R26: what is unattributed binds",
        "model/steps.py",
        'return None if case.said.attributed else "UNATTRIBUTED"',
        "return None",
        "test_model.py::test_r26_what_cannot_be_attributed_does_not_bind",
    ),
    Mutant(
        "R27: an offer is disregarded at once",
        "model/steps.py",
        "return None if standing.offer.conditional_on_receipt or case.now > due else",
        "return None if standing.offer.conditional_on_receipt or case.now <= due else",
        "test_model.py::test_r27_without_a_receipt_an_offer_may_be_treated_as_never_sent",
    ),
    Mutant(
        "R28: a repeated statement is refused",
        "model/steps.py",
        ("        return negotiation\n    if statement.expected"),
        ('        raise Refused("SAME_NUMBER_OTHER_CONTENT", negotiation.regime)\n    if statement.expected'),
        "test_model.py::test_r28_a_statement_made_again_changes_nothing",
    ),
    Mutant(
        "R29: other content under a number is overlooked",
        "model/steps.py",
        "if known.says != statement.says:",
        "if known.kind != statement.kind:",
        "test_corners.py::test_r29_an_offer_made_again_until_another_day_is_another_offer",
    ),
    Mutant(
        "R30: what was shown for correction is taken back",
        "model/steps.py",
        'return "CORRECTION_WAS_OFFERED" if said.reviewed or not makes_effect else None',
        "return None",
        "test_model.py::test_r30_an_input_error_may_be_taken_back_where_no_correction_was_offered",
    ),
    Mutant(
        "R30: what was relied on is taken back",
        "model/steps.py",
        ('        if used:\n            return "ALREADY_RELIED_ON"\n'),
        "",
        "test_model.py::test_r30_not_once_the_other_side_relied_on_it",
    ),
)
"""In the order of the rules."""


def run(mutant: Mutant, tests: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the tests in a copy of the package with this one change."""
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder)
        copied(world, mutant)
        names = [f"tests/negotiation/{each}" for each in tests]
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "--no-header",
            *names,
        ]
        environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=world, env=environment, capture_output=True, text=True, check=False)


def copied(world: Path, mutant: Mutant) -> None:
    """Lay out the repository anew: everything but the way to the changed file is a link."""
    changed = PACKAGE / mutant.file
    for each in ROOT.iterdir():
        if each.name != "tradehub" and not each.name.startswith("."):
            (world / each.name).symlink_to(each)
    for parent in [*reversed(changed.parents)][1:]:
        (world / parent).mkdir()
        for each in (ROOT / parent).iterdir():
            if each.name != "__pycache__" and not (ROOT / changed).is_relative_to(each):
                (world / parent / each.name).symlink_to(each)
    source = (ROOT / changed).read_text(encoding="utf-8")
    if source.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: stands {source.count(mutant.old)} times in {mutant.file}")
    (world / changed).write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")


def survives(mutant: Mutant) -> str | None:
    """Return what is wrong, None where the test named for it fails as it should."""
    found = run(mutant, [mutant.killed_by])
    killed = found.returncode == 1 and re.search(r"^FAILED ", found.stdout, re.MULTILINE)
    return (
        None if killed else f"{mutant.name}: survives {mutant.killed_by}\n{found.stdout[-2000:]}{found.stderr[-500:]}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the rules wrong in one place each; a test must notice.")
    parser.add_argument("--find", action="store_true", help="name the first test that fails")
    parser.add_argument("names", nargs="*", help="parts of names")
    options = parser.parse_args()
    alive = 0
    chosen = [each for each in MUTANTS if not options.names or any(name in each.name for name in options.names)]
    for mutant in chosen:
        if options.find:
            found = re.search(r"^FAILED tests/negotiation/(\S+)", run(mutant, list(TESTS)).stdout, re.MULTILINE)
            said = found[1] if found else None
        else:
            said = None if survives(mutant) else mutant.killed_by
        alive += said is None
        sys.stdout.write(f"{mutant.name}: {said or 'ALIVE'}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - alive} of {len(chosen)} mutants killed\n")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
