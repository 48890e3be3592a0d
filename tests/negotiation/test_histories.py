"""What holds in any history, at any hour, whatever is said by whom (spec/negotiation section 5); 3,000 by `make histories`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.negotiation.histories import MOVES, SETUPS, Played, played
from tests.negotiation.words import HAIDI, NINGBO, line, proposal, quoted
from tradehub.documents.terms import apply, diff, flatten
from tradehub.negotiation import model, particulars
from tradehub.negotiation.model import (
    Conflict,
    ContractState,
    Event,
    Kind,
    Ledger,
    Negotiation,
    Offer,
    State,
    Statement,
)

BY_THE_CLOCK = frozenset({Event.LAPSE, Event.SILENCE})


@pytest.fixture
def hold(request: pytest.FixtureRequest) -> Callable:
    """Check something of as many random histories as are asked for."""
    count = request.config.getoption("--histories", default=200)

    def run(check: Callable[..., None], *more) -> None:
        usual = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        usual(given(SETUPS, MOVES, *more)(check))()

    return run


def rows_within(count: int, events: frozenset[Event]) -> set[tuple[State, State]]:
    """Which states lie within so many rows of the table of each other, by these events."""
    rows = {(each.state, each.to) for each in model.TRANSITIONS if each.event in events}
    found = set(rows)
    for _ in range(count - 1):
        found |= {(start, end) for start, middle in found for again, end in rows if middle == again}
    return found


CLOCK_PATHS = rows_within(2, BY_THE_CLOCK)
PATHS = rows_within(3, frozenset(Event))


def test_one_contract_for_each_quantity_that_was_offered_and_none_from_an_invitation(hold):
    def check(setup, moves):
        history = played(setup, moves)
        for negotiation, at in history.versions:
            for now in (at, at + timedelta(days=400)):
                live = [each for each in Ledger.of(negotiation, now).acceptances.values() if each.is_live]
                for offer in negotiation.offers:
                    mine = [each for each in live if each.standing.offer.id == offer.id]
                    assert offer.firm or not mine
                    assert offer.divisible or len(mine) <= 1
                    for name, offered in offer.lines.items():
                        assert sum(each.lines.get(name, Decimal(0)) for each in mine) <= offered
                for each in live:
                    assert each.by == negotiation.other(each.standing.offer.by)
                    assert each.state is not ContractState.CONCLUDED or each.concluded_at is not None

    hold(check)


def changes_by_its_rows(setup, moves):
    history = played(setup, moves)
    for (before, was), (after, at) in pairwise(history.versions):
        said = after.statements[len(before.statements) :]
        old, ripe = (model.states(before, now=now) for now in (was, said[0].at))
        waiting = of_part_waiting(before, was)
        assert all(
            each is ripe[id] or (each, ripe[id]) in CLOCK_PATHS or (id in waiting and ripe[id] is State.LAPSED)
            for id, each in old.items()
        )
        if len(said) > 1:
            continue
        new = model.states(after, now=at)
        for id, state in new.items():
            earlier = ripe.get(id, State.NONE)
            assert state is earlier or (earlier, state) in PATHS
            if earlier is State.ACCEPTED is not state:
                assert undoes(after, said[0])


def test_every_change_is_a_row_of_the_table_and_what_is_accepted_stays_so(hold):
    """The clock alone moves an offer only by its own rows; ACCEPTED is left only by R13, R15, R16 and R30."""
    hold(changes_by_its_rows)


def test_a_part_of_a_revoked_offer_that_is_not_admitted_in_time_leaves_it_lapsed():
    """Found by 3,000 histories: what waited was the acceptance of a part, of which the offer's own state says nothing."""
    changes_by_its_rows(0, [0, 630251, 420, 21971, 251829, 216])


def of_part_waiting(negotiation: Negotiation, now: datetime) -> set[str]:
    """The offers of whose parts an acceptance waits to be admitted or elected: their own state does not show it, and is
    LAPSED where it is not."""
    waits = (ContractState.DISPUTED_TIME, ContractState.AWAITING_ELECTION)
    return {
        each.standing.offer.id
        for each in Ledger.of(negotiation, now).acceptances.values()
        if each.state in waits and not each.is_whole
    }


def undoes(negotiation: Negotiation, said: Statement) -> bool:
    """Whether it may undo an acceptance: an objection, a notice of lapse, an acceptance or an error taken back."""
    if said.kind is Kind.REACH:
        said = next(each for each in negotiation.statements if each.id == said.about)
    return said.kind in (Kind.OBJECT, Kind.LAPSE_NOTICE, Kind.WITHDRAW_ACCEPTANCE, Kind.RETRACT)


def test_no_clock_undoes_what_is_accepted(hold):
    def check(setup, moves):
        history = played(setup, moves)
        found = model.states(history.latest, now=history.now)
        later = model.states(history.latest, now=history.now + timedelta(days=400))
        assert all(later[id] is State.ACCEPTED for id, state in found.items() if state is State.ACCEPTED)
        assert State.LATE_PENDING not in later.values()
        assert State.DISPUTED not in later.values()

    hold(check)


def test_status_is_a_function_of_statements_and_clock(hold):
    """Looking at it, in any order and however often, changes nothing; nor does a clock that ticks in between."""

    def check(setup, moves, seed):
        history, random = played(setup, moves), Random(seed)
        moments = [history.now + timedelta(hours=random.randrange(24 * 40)) for _ in range(3)]
        fresh = [standing(replace(history.latest), now) for now in moments]
        assert [standing(history.latest, now) for now in reversed(moments)] == fresh[::-1]
        assert [standing(ticking(history, random), now) for now in moments] == fresh

    hold(check, st.integers(0, 2**32))


def ticking(history: Played, random: Random) -> Negotiation:
    """Return the same history, with something without effect said between any two statements and after the last."""
    said: list[Statement] = []
    last = history.latest.statements[0].at if history.latest.statements else history.now
    for number, each in enumerate(history.latest.statements):
        gap = (each.at - last) * random.random()
        said += [Statement(f"tick{number}", Kind.COMMENT, history.latest.buyer, at=last + gap), each]
        last = each.at
    return replace(history.latest, statements=tuple(said))


def standing(negotiation: Negotiation, now: datetime) -> tuple:
    ledger = Ledger.of(negotiation, now)
    return ledger.states, ledger.contracts(), model.turn_of(ledger), model.crossing(negotiation, now=now)


def test_of_two_commands_with_one_version_exactly_one_commits(hold):
    def check(setup, moves):
        history = played(setup, moves)
        latest, now = history.latest, history.now
        commands = [
            Statement(f"{kind}:{offer.id}:{by}", kind, by, offer.id, reached_at=now, expected_version=latest.version)
            for offer in latest.offers
            for by in (latest.buyer, latest.seller)
            for kind in (Kind.ACCEPT, Kind.REVOKE, Kind.REJECT, Kind.WITHDRAW, Kind.PERFORM, Kind.SIGN, Kind.OBJECT)
        ]
        possible = [each for each in commands if model.refusal(latest, each, now=now) is None]
        for first in possible:
            after = model.step(latest, first, now=now)
            assert after.version == latest.version + 1
            assert all(
                isinstance(model.refusal(after, each, now=now), Conflict) for each in commands if each is not first
            )
            assert model.step(after, first, now=now) is after, "the same command again is the same command"

    hold(check)


def test_what_is_refused_changes_nothing(hold):
    def check(setup, moves):
        history = played(setup, moves)
        taken = [each.id for each in history.latest.statements]
        said = [each["id"] for each in history.answers if each["outcome"] == "accepted" and "id" in each]
        assert taken == said
        assert len({*taken}) == len(taken)
        last = history.answers[-1]
        if "states" in last:
            anew = model.states(history.latest, now=datetime.fromisoformat(last["at"]))
            assert last["states"] == {id: str(state) for id, state in anew.items()}, "as if it were folded anew"

    hold(check)


def test_a_history_that_was_stored_is_the_same_history(hold):
    def check(setup, moves):
        history = played(setup, moves)
        restored = replace(history.latest, statements=tuple(map(stored, history.latest.statements)))
        for now in (history.now, history.now + timedelta(days=20)):
            ours, theirs = (Ledger.of(each, now) for each in (history.latest, restored))
            assert ours.states == theirs.states
            assert [brief(each) for each in ours.contracts()] == [brief(each) for each in theirs.contracts()]
        assert [each.says for each in restored.statements] == [each.says for each in history.latest.statements]

    hold(check)


def stored(said: Statement) -> Statement:
    """Return the statement as it comes back from its columns and its JSON."""
    kept = json.loads(json.dumps(particulars.for_statement(said)))
    offer = None
    if said.offer is not None:
        it = said.offer
        offer = Offer(
            it.id, it.by, None, it.terms_hash, it.firm, it.accept_by, it.irrevocable, it.parent, it.revision, it.number,
            **particulars.of_offer(json.loads(json.dumps(particulars.for_offer(it)))),
        )  # fmt: skip
    return Statement(
        said.id, Kind(str(said.kind)), said.by, said.about, offer, said.at, said.reached_at, said.text,
        terms_hash=said.terms_hash, **particulars.of_statement(kept),
    )  # fmt: skip


def brief(contract) -> tuple:
    return (
        contract.id, contract.offer.id, contract.terms.id, contract.state, contract.concluded_at, contract.lines,
        contract.version, contract.knocked_out, contract.objectable_until, contract.signed_by,
    )  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["12.40", "11.90", "10"]), st.sampled_from(["100", "80", "24000"]), st.integers(1, 3)
        ),
        min_size=2,
        max_size=5,
    )
)
@settings(deadline=None)
def test_a_difference_applied_gives_the_other_offer(rounds):
    offers = [
        proposal(f"s{place}", (HAIDI, NINGBO)[place % 2], quoted(lines=tuple(
            line(number, quantity=quantity, price=price) for number in range(1, count + 1)
        )))
        for place, (price, quantity, count) in enumerate(rounds)
    ]  # fmt: skip
    for one in offers:
        for other in offers:
            before, after = flatten(one.document), flatten(other.document)
            assert apply(before, diff(before, after)) == after
