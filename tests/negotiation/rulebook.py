"""Makes docs/negotiation.md and its drawing: ``python -m tests.negotiation.rulebook``. Between marks the page is the rules' own data."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.negotiation.mutants import MUTANTS
from tradehub.negotiation import printing
from tradehub.negotiation.drawing import diagram
from tradehub.negotiation.printing import Table
from tradehub.negotiation.simulation import simulate

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/negotiation.md"
DRAWING = ROOT / "docs/images/offer-states.svg"

MARKED = re.compile(r"<!-- (?!end)(\w+) -->\n.*?<!-- end -->", re.DOTALL)
EXAMPLE = re.compile(r"```jsonl\n(?P<history>.*?)```\n(?:\n```json\n.*?```\n)?", re.DOTALL)


def made(page: str) -> str:
    """Return the page with its tables and the outcomes of its examples as they are now."""
    tables = {each.name: each for each in (*printing.tables(), mutants())}
    page = MARKED.sub(lambda mark: f"<!-- {mark[1]} -->\n{printing.markdown_rows(tables[mark[1]])}\n<!-- end -->", page)
    return EXAMPLE.sub(
        lambda found: f"```jsonl\n{found['history']}```\n\n```json\n{outcome(found['history'])}```\n", page
    )


def outcome(history: str) -> str:
    return "".join(json.dumps(short(each)) + "\n" for each in simulate(history.splitlines()))


def short(answer: dict) -> dict:
    """What matters of an answer: what was said, what became of it, how things stand."""
    if answer.get("kind") == "award" and answer["outcome"] == "accepted":
        states = {deal: stand["states"] for deal, stand in answer["negotiations"].items()}
        contracts = {
            each["id"]: each["lines"] for deal in answer["negotiations"].values() for each in deal["contracts"]
        }
        return {"id": answer["id"], "outcome": answer["outcome"], "states": states, "contracts": contracts}
    kept = {name: answer[name] for name in ("id", "outcome", "code", "article") if name in answer}
    if "id" not in answer:
        kept = {"kind": answer["kind"], **kept}
    if answer.get("states"):
        kept["states"] = answer["states"]
    if answer.get("contracts"):
        kept["contracts"] = {each["id"]: _fate(each) for each in answer["contracts"]}
    return kept


def _fate(contract: dict) -> str:
    parts = [contract["state"]]
    if contract["concluded_at"]:
        parts.append(contract["concluded_at"])
    if contract["version"] > 1:
        parts.append(f"version {contract['version']}")
    parts += [f"{amount} of line {line}" for line, amount in contract["lines"].items()]
    if contract["knocked_out"]:
        parts.append(f"without {', '.join(contract['knocked_out'])}")
    return ", ".join(parts)


def mutants() -> Table:
    rows = tuple((each.name, each.file, each.killed_by) for each in MUTANTS)
    return Table("mutants", "Mutants", ("the rules made wrong", "in", "a test that fails"), rows)


def main() -> None:
    PAGE.write_text(made(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    DRAWING.write_text(diagram(), encoding="utf-8")


if __name__ == "__main__":
    main()
