"""The form of a policy: what is typed, read into rules; every error at its row, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from tradehub.approvals.model import (
    APPROVERS_MAX,
    CHAINS_MAX,
    DAYS,
    ROWS_MAX,
    STEPS_MAX,
    Chain,
    ChainStep,
    Fault,
    Limit,
    Policy,
    Rate,
    Threshold,
)
from tradehub.partners.authority import Act, Approver
from tradehub.platform.entered import Entered

Posted = MultiDict[str, str]

COLUMNS = {
    "limits": ("role", "act", "currency", "kind", "most"),
    "thresholds": ("act", "currency", "above"),
    "rates": ("currency", "value"),
}
"""Part of a policy -> the columns of its table; the first that is typed in freely says whether a row is blank."""

_FILLED_BY = {"limits": "role", "thresholds": "above", "rates": "currency"}
CHAIN_FIELDS = ("name", "above", "up_to", "act", "partner", "category", "always")
TEXT_MAX = 80


@dataclass
class Row:
    """One row of a table as typed, and the code of what is wrong with it."""

    values: dict[str, str]
    error: str = ""


@dataclass
class StepForm:
    rule: str = "any"
    approvers: list[str] = field(default_factory=list)
    error: str = ""


@dataclass
class ChainForm:
    values: dict[str, str]
    steps: list[StepForm] = field(default_factory=list)
    error: str = ""


@dataclass
class PolicyForm:
    """``policy`` is what was typed, where all of it could be read; ``version`` the one that was changed."""

    currency: str = "USD"
    days: str = str(DAYS)
    version: int = 0
    tables: dict[str, list[Row]] = field(default_factory=lambda: {part: [] for part in COLUMNS})
    chains: list[ChainForm] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    policy: Policy | None = None

    @property
    def is_valid(self) -> bool:
        rows = [row.error for table in self.tables.values() for row in table]
        steps = [step.error for chain in self.chains for step in chain.steps]
        return not (self.errors or any(rows) or any(steps) or any(chain.error for chain in self.chains))

    def blame(self, faults: Sequence[Fault]) -> None:
        """Put each fault where it can be mended."""
        for place, code in faults:
            part, *numbers = place.split(".")
            if not numbers:
                self.errors[part] = code
            elif part != "chains":
                self.tables[part][int(numbers[0])].error = code
            elif len(numbers) == 1:
                self.chains[int(numbers[0])].error = code
            else:
                self.chains[int(numbers[0])].steps[int(numbers[1])].error = code

    def hidden_fields(self) -> Iterator[tuple[str, str]]:
        """Return the form once more as (name, value), for the review page that posts it again."""
        yield from (("currency", self.currency), ("days", self.days), ("version", str(self.version)))
        for part, table in self.tables.items():
            yield from ((f"{part}_{name}", row.values[name]) for row in table for name in COLUMNS[part])
        for number, chain in enumerate(self.chains):
            yield "chain", str(number)
            yield from ((f"chain_{number}_{name}", chain.values[name]) for name in CHAIN_FIELDS)
            for place, step in enumerate(chain.steps):
                yield f"chain_{number}_{place}_rule", step.rule
                yield from ((f"chain_{number}_{place}_approver", each) for each in step.approvers)


def shown(policy: Policy | None, version: int) -> PolicyForm:
    """Return the form that states ``policy``; an empty one where none is stated."""
    if policy is None:
        return PolicyForm(version=version)
    form = PolicyForm(policy.currency, str(policy.days), version, policy=policy)
    form.tables["limits"] = [
        Row({
            "role": each.role, "act": each.act or "", "currency": each.currency,
            "kind": "any" if each.most is None else "most", "most": _plain(each.most),
        })
        for each in policy.limits
    ]  # fmt: skip
    form.tables["thresholds"] = [
        Row({"act": each.act or "", "currency": each.currency, "above": _plain(each.above)})
        for each in policy.thresholds
    ]
    form.tables["rates"] = [Row({"currency": each.currency, "value": _plain(each.value)}) for each in policy.rates]
    form.chains = [_shown_chain(each) for each in policy.chains]
    return form


def posted(form: Posted) -> PolicyForm:
    """Return what was typed; blank rows and chains are left out."""
    read = PolicyForm(
        form.get("currency", "").strip().upper()[:TEXT_MAX], form.get("days", "").strip()[:TEXT_MAX],
        form.get("version", 0, type=int),
    )  # fmt: skip
    for part, columns in COLUMNS.items():
        read.tables[part] = _rows(form, part, columns)
    numbers = list(dict.fromkeys(form.getlist("chain")))[:CHAINS_MAX]
    chains = [_posted_chain(form, each) for each in numbers if each.isascii() and each.isdecimal()]
    read.chains = [each for each in chains if each.steps or each.values["name"] or each.values["above"]]
    policy = _policy(read)
    read.policy = policy if read.is_valid else None
    return read


def _rows(form: Posted, part: str, columns: Sequence[str]) -> list[Row]:
    typed = {name: form.getlist(f"{part}_{name}")[:ROWS_MAX] for name in columns}
    rows = []
    for values in zip(*typed.values(), strict=False):
        row = {name: value.strip()[:TEXT_MAX] for name, value in zip(columns, values, strict=True)}
        row["currency"] = row["currency"].upper()
        if row[_FILLED_BY[part]]:
            rows.append(Row(row))
    return rows


def _posted_chain(form: Posted, number: str) -> ChainForm:
    values = {name: form.get(f"chain_{number}_{name}", "").strip()[:TEXT_MAX] for name in CHAIN_FIELDS}
    steps = []
    for place in range(STEPS_MAX):
        named = form.getlist(f"chain_{number}_{place}_approver")[:APPROVERS_MAX]
        approvers = [each for each in named if each]
        if approvers:
            steps.append(StepForm("all" if form.get(f"chain_{number}_{place}_rule") == "all" else "any", approvers))
    return ChainForm(values, steps)


def _policy(form: PolicyForm) -> Policy:
    """Return the policy as far as it can be read, and mark the rows that cannot."""
    limits = [
        Limit(row.values["role"], row.values["currency"], _amount(row, "most") if row.values["kind"] != "any" else None,
              _act(row.values))
        for row in form.tables["limits"]
    ]  # fmt: skip
    thresholds = [
        Threshold(row.values["currency"], _amount(row, "above"), _act(row.values)) for row in form.tables["thresholds"]
    ]
    rates = [Rate(row.values["currency"], _amount(row, "value")) for row in form.tables["rates"]]
    if not (form.days.isascii() and form.days.isdecimal() and len(form.days) < 4):
        form.errors["days"] = "DAYS"
    days = DAYS if "days" in form.errors else int(form.days)
    chains = tuple(_chain(each) for each in form.chains)
    return Policy(form.currency, tuple(limits), tuple(thresholds), chains, tuple(rates), days)


def _chain(form: ChainForm) -> Chain:
    values = form.values
    return Chain(
        values["name"],
        _amount(form, "above", required=False),
        _amount(form, "up_to") if values["up_to"] else None,
        tuple(ChainStep(tuple(map(_approver, each.approvers)), each.rule == "all") for each in form.steps),
        _act(values),
        values["partner"] or None,
        values["category"] or None,
        values["always"] == "1",
    )


def _shown_chain(chain: Chain) -> ChainForm:
    values = {
        "name": chain.name, "above": _plain(chain.above), "up_to": _plain(chain.up_to), "act": chain.act or "",
        "partner": chain.partner or "", "category": chain.category or "", "always": "1" if chain.always else "",
    }  # fmt: skip
    steps = [
        StepForm("all" if step.all_of else "any", [f"{each.kind}:{each.id}" for each in step.approvers])
        for step in chain.steps
    ]
    return ChainForm(values, steps)


def _amount(row: Row | ChainForm, name: str, *, required: bool = True) -> Decimal:
    """Read an amount; nought, and the row marked, where it cannot be read."""
    entered = Entered(row.values)
    value = entered.number(name, required=required)
    row.error = entered.errors.get(name, row.error)
    return Decimal(0) if value is None else value


def _act(values: dict[str, str]) -> Act | None:
    return Act(values["act"]) if values["act"] in set(Act) else None


def _approver(text: str) -> Approver:
    kind, _, id = text.partition(":")
    return Approver("role" if kind == "role" else "person", id)


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


def day(text: str) -> date | None:
    """Return the day of a browser's date field (ISO 8601); None for anything else."""
    entered = Entered({"day": text})
    return entered.day("day")
