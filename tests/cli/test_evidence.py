"""``tradehub evidence`` writes what its own verifier accepts, and says when the hub's records do not hold together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from tests.contracting import proven as made
from tests.contracting.proven import DELTA, HAIDI, Proven
from tradehub.cli.evidence import evidence
from tradehub.negotiation.store import DealRow


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    return made.build(tmp_path_factory.mktemp("evidence") / "data")


def written(house: Proven, *arguments: str) -> Result:
    return CliRunner().invoke(evidence, arguments, env={"TRADEHUB_DATA_DIR": str(house.hub.settings.data_dir)})


def test_a_deal_is_found_by_its_contract_and_the_program_alone_accepts_the_file(house, tmp_path):
    path = tmp_path / "deal.zip"
    result = written(house, house.contract(DELTA).number, "--json", "--out", str(path))
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["deal"], told["hub_key"]) == (house.contract(DELTA).deal_id, house.hub.contracts.hub_key())
    program = Path(sys.modules["tradehub.contracting.verify_evidence"].__file__ or "")
    command = [sys.executable, "-I", str(program), str(path), "--hub", told["hub_key"]]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_number_that_several_deals_have_is_not_guessed(house):
    with house.hub.database.write() as session:
        first, second = session.scalars(select(DealRow).order_by(DealRow.id)).all()
        second.number = first.number
    result = written(house, first.number)
    assert (result.exit_code, first.id in result.output and second.id in result.output) == (2, True)


def test_what_is_not_there_has_no_evidence(house):
    assert written(house, "N-1999-0001").exit_code == 2


def test_a_changed_record_of_the_hub_is_named(house, tmp_path):
    contract = house.contract(HAIDI)
    with house.hub.database.write() as session:
        changed = text("UPDATE statement SET text = 'never said' WHERE deal_id = :deal AND number = 2")
        session.execute(changed, {"deal": contract.deal_id})
    result = written(house, contract.deal_id, "--out", str(tmp_path / "e.zip"))
    assert result.exit_code == 1
    assert "statement 2 is not sound" in result.output
