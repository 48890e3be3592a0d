"""The rules against a second model, written apart: random histories through both, any difference is a fault of one."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest

from tests.negotiation import reference
from tests.negotiation.histories import played

COMPARED = ("outcome", "code", "version", "turn", "states", "contracts")


def theirs(entries: list[dict]) -> list[dict]:
    return [{**each, "contracts": [*map(shown, each["contracts"])]} if "contracts" in each else each
            for each in reference.simulate(entries)]  # fmt: skip


def shown(contract: dict) -> dict:
    """As the hub prints it, without the hash of the terms."""
    return {
        **contract,
        "concluded_at": contract["concluded_at"] and contract["concluded_at"].timestamp(),
        "lines": {line: reference.plain(amount) for line, amount in contract["lines"].items()},
    }


def ours(answers: list[dict]) -> list[dict]:
    found = []
    for each in answers:
        kept = {name: each[name] for name in COMPARED if name in each}
        if "contracts" in kept:
            kept["contracts"] = [
                {name: value for name, value in contract.items() if name != "terms_hash"}
                | {
                    "concluded_at": contract["concluded_at"]
                    and datetime.fromisoformat(contract["concluded_at"]).timestamp()
                }
                for contract in kept["contracts"]
            ]
        found.append(kept)
    return found


def history(seed: int) -> tuple[list[dict], list[dict]]:
    random = Random(seed)
    game = played(random.randrange(2**32), [random.randrange(2**32) for _ in range(random.randrange(4, 22))])
    return game.entries, game.answers


def difference(seed: int) -> str | None:
    """Return where the two models part, None where they agree."""
    entries, answers = history(seed)
    for place, (one, other) in enumerate(zip(ours(answers), theirs(entries), strict=True)):
        if one != other:
            return f"seed {seed}, answer {place}: {answers[place].get('id')}\n ours   {one}\n theirs {other}"
    return None


def test_both_models_say_the_same_of_every_history(request: pytest.FixtureRequest):
    count = max(500, request.config.getoption("--histories", default=200))
    found = filter(None, map(difference, range(count)))
    assert next(found, None) is None


def test_the_histories_are_worth_running():
    """Most kinds of outcome come up: each refusal that a history can meet, each state, each fate of a contract."""
    refused, states, fates = set(), set(), set()
    for seed in range(250):
        for answer in history(seed)[1]:
            refused.add(answer.get("code"))
            states |= set(answer.get("states", {}).values())
            fates |= {each["state"] for each in answer.get("contracts", [])}
    assert len(refused) > 35
    assert len(states) == 14
    assert len(fates) == 8
