"""A contract is changed by agreement on the pages: proposed from its terms, answered by the other side, both versions kept (R25)."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.contracting import proven as made
from tests.contracting.proven import DELTA, HAIDI, Proven, window
from tests.negotiation.pages import form_fields, text_of
from tradehub.contracting.model import State
from tradehub.contracting.store import ContractRow
from tradehub.negotiation.recording import Actor
from tradehub.platform import clock


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    proven = made.build(tmp_path_factory.mktemp("amending") / "data")
    made.let_in(proven)
    return proven


@pytest.fixture
def house(kept: Proven) -> Proven:
    """A contract between Haidi and Delta that nobody has proposed to change: each test makes its own deal."""
    made.by_hand(kept.hub)
    return kept


class Window:
    """A browser of one person, which fills in forms as the page has them."""

    def __init__(self, house: Proven, name: str) -> None:
        self.client = window(house, name)

    def read(self, url: str, status: int = 200) -> str:
        answer = self.client.get(url)
        assert answer.status_code == status, answer.text[:2000]
        return answer.text

    def send(self, page: str, action: str, status: int = 303, **changes: object) -> str:
        """Post the form of a page with some fields changed, and return where it leads, or what it says."""
        data: dict[str, list[str]] = {}
        for name, value in form_fields(page, action):
            data.setdefault(name, []).append(value)
        data |= {name: value if isinstance(value, list) else [value] for name, value in changes.items()}
        answer = self.client.post(action, data=data)
        assert answer.status_code == status, text_of(answer.text)[:3000]
        return answer.headers["Location"] if status == 303 else answer.text


@pytest.fixture
def lin(house) -> Window:
    return Window(house, "lin")


@pytest.fixture
def dana(house) -> Window:
    return Window(house, "dana")


def contract(house: Proven) -> ContractRow:
    with house.hub.database.read() as session:
        row = session.query(ContractRow).filter_by(seller=DELTA).order_by(ContractRow.id.desc()).first()
        assert row is not None
        _ = row.versions
        return row


def propose(window: Window, row: ContractRow, **typed: object) -> str:
    """Propose a change from the contract's page, and return the review that was sent."""
    page = window.read(f"/contracts/{row.id}")
    url = f"/deals/{row.deal_id}/amend?acceptance={row.acceptance}"
    assert f'href="{url}"' in page
    review = window.send(window.read(url), f"/deals/{row.deal_id}/amend", 200, **typed)
    window.send(review, f"/deals/{row.deal_id}/amend", step="send")
    return review


def test_r25_a_change_is_proposed_reviewed_and_accepted_and_both_versions_stay(house, lin, dana):
    row = contract(house)
    form = dict(form_fields(lin.read(f"/deals/{row.deal_id}/amend?acceptance={row.acceptance}"),
                            f"/deals/{row.deal_id}/amend"))  # fmt: skip
    assert (form["payment"], form["incoterm"], form["place"]) == ("net 30", "FOB", "Ningbo"), "the terms agreed"
    review = text_of(
        propose(lin, row, line_price=["75.00", "0.82"], payment="net 60", text="Steel has become cheaper.")
    )
    assert "Delta Fluid must accept this change; until then the contract stands as it is. (R25, CISG 29)" in review
    assert "your words make version 2 of the contract, and version 1 stays on record beside it." in review
    for changed in ("USD 77.05 USD 75.00", "net 30 net 60"):
        assert changed in review
    assert "0.82" not in review.split("What it changes")[1].split("The contract as it would be")[0]
    assert contract(house).version == 1
    shown = text_of(lin.read(f"/contracts/{row.id}"))
    assert "It waits for Delta Fluid." in shown
    assert "USD 77.05 USD 75.00" in shown

    page = dana.read(f"/contracts/{row.id}")
    assert "net 30 net 60" in text_of(page)
    assert "“Steel has become cheaper.”" in text_of(page)
    offer = house.hub.database
    with offer.read(org=DELTA) as session:
        about = house.hub.negotiation.deal(session, row.deal_id).rounds[-1].offer.id
    accepting = f"/deals/{row.deal_id}/accept?offer={about}"
    assert f'href="{accepting}"' in page
    asked = dana.read(accepting)
    assert "these terms make version 2 of it, and version 1 stays on record. (R25, CISG 29)" in text_of(asked)
    assert "USD 77.05 USD 75.00" in text_of(asked)
    dana.send(asked, f"/deals/{row.deal_id}/accept")
    house.hub.jobs.drain()
    after = contract(house)
    assert (after.version, [each.version for each in after.versions]) == (2, [1, 2])
    page = text_of(lin.read(f"/contracts/{row.id}"))
    assert "What this version changed" in page
    assert "net 60" in page
    assert "net 60" not in text_of(lin.read(f"/contracts/{row.id}?version=1")).split("Frozen terms")[1]
    with house.hub.database.read() as session:
        (order,) = house.hub.ordering.of_deal(session, row.deal_id)
        assert order.order.lines[0].price.amount == Decimal("75.00")


@pytest.mark.parametrize("answer", ["declined", "countered"])
def test_r25_what_is_refused_or_countered_leaves_the_contract_as_it_is(house, lin, dana, answer):
    row = contract(house)
    propose(dana, row, line_price=["80.00", "0.82"])
    page = lin.read(f"/contracts/{row.id}")
    with house.hub.database.read(org=HAIDI) as session:
        about = house.hub.negotiation.deal(session, row.deal_id).rounds[-1].offer.id
    if answer == "declined":
        url = f"/deals/{row.deal_id}/reject?offer={about}"
        lin.send(lin.read(url), f"/deals/{row.deal_id}/reject", text="No.")
        assert "Declined" in text_of(lin.read(f"/contracts/{row.id}")).split("Proposed before")[1]
    else:
        url = f"/deals/{row.deal_id}/counter?about={about}"
        form = lin.read(url)
        assert 'name="divisible"' not in form, "a contract has one text"
        lin.send(form, f"/deals/{row.deal_id}/counter", line_price=["78.00", "0.82"], step="send")
        shown = text_of(dana.read(f"/contracts/{row.id}"))
        assert "USD 77.05 USD 78.00" in shown, "held to what was agreed, not to what was proposed"
    assert f'href="{url}"' in page
    assert contract(house).version == 1


def test_r25_a_contract_ends_by_agreement(house, lin, dana):
    row = contract(house)
    with clock.frozen(clock.now() + timedelta(days=60)):  # long after the last day of the offer it came from
        lin, dana = Window(house, "lin"), Window(house, "dana")
        end = f"/deals/{row.deal_id}/amend/end"
        lin.send(lin.read(f"{end}?acceptance={row.acceptance}"), end, step="send", text="The site was sold.")
        page = dana.read(f"/contracts/{row.id}")
        assert "The contract would end." in text_of(page)
        assert "“The site was sold.”" in text_of(page)
        asked = dana.read(f"/deals/{row.deal_id}/accept")
        assert "Delta Fluid proposes" not in text_of(asked)
        assert "Haidi Trading proposes to end the contract." in text_of(asked)
        dana.send(asked, f"/deals/{row.deal_id}/accept")
        house.hub.jobs.drain()
        assert contract(house).is_in is State.TERMINATED
        assert "/amend?" not in dana.read(f"/contracts/{row.id}")
        dana.read(f"{end}?acceptance={row.acceptance}", 409)


FAULTS = [
    ({}, 422, "Nothing is changed: the contract says all of this already."),
    ({"valid_until": "2030-01-01"}, 422, "Nothing is changed: the contract says all of this already."),
    ({"line_price": ["", "0.82"]}, 422, "A counter-offer needs a price."),
    ({"line_price": ["75", "0.82"], "line_quantity": ["none", "600"]}, 422, "This is not a number."),
    ({"leave_out": ["1", "2"]}, 422, "Keep at least one line"),
    ({"payment": "net 60", "expected_version": "1"}, 409, "Your draft is kept below"),
]


@pytest.mark.parametrize(("typed", "status", "sentence"), FAULTS)
def test_what_cannot_be_proposed_is_said_and_what_was_typed_is_kept(house, lin, typed, status, sentence):
    row = contract(house)
    url = f"/deals/{row.deal_id}/amend"
    page = lin.read(f"{url}?acceptance={row.acceptance}")
    answer = lin.send(page, url, status, **typed)
    assert sentence in text_of(answer)
    fields = form_fields(answer, url)
    for name, value in typed.items():
        if name != "expected_version":
            assert [each for key, each in fields if key == name] == (value if isinstance(value, list) else [value])


def test_a_line_is_struck_and_a_term_is_added(house, lin):
    row = contract(house)
    url = f"/deals/{row.deal_id}/amend"
    page = lin.read(f"{url}?acceptance={row.acceptance}")
    page = lin.send(page, url, 200, add="header", add_header_term="warranty")
    review = text_of(lin.send(page, url, 200, leave_out=["2"], term_value=["12 months"]))
    assert "12 months" in review
    assert "Flange gasket" in review.split("What it changes")[1].split("The contract as it would be")[0]
    assert "Flange gasket" not in review.split("The contract as it would be")[1]


def test_a_change_is_proposed_after_the_last_day_of_the_offer(house):
    """What repeats the terms agreed repeats the last day of the offer too: that says nothing of the change."""
    row = contract(house)
    with clock.frozen(clock.now() + timedelta(days=60)):
        with house.hub.database.write(org=HAIDI) as session:
            hub, deal = house.hub, house.hub.negotiation.deal(session, row.deal_id)
            agreed = deal.contract.terms.document.model_copy(update={"warranty": "24 months"})
            hub.negotiation.amend(session, Actor(HAIDI, name="Lin"), row.deal_id, agreed, acceptance=row.acceptance)
        with house.hub.database.read(org=DELTA) as session:
            assert house.hub.negotiation.deal(session, row.deal_id).rounds[-1].is_open


def test_who_only_looks_is_offered_no_change(house):
    row = contract(house)
    vera = Window(house, "vera")
    assert "/amend" not in vera.read(f"/contracts/{row.id}")
    vera.read(f"/deals/{row.deal_id}/amend?acceptance={row.acceptance}", 403)


def test_strangers_find_no_contract_to_change(house):
    row = contract(house)
    zoe = Window(house, "zoe")
    for page in ("amend", "amend/end"):
        zoe.read(f"/deals/{row.deal_id}/{page}?acceptance={row.acceptance}", 404)


def test_r25_a_line_comes_in_by_agreement_and_is_ordered(house, lin, dana):
    row = contract(house)
    url = f"/deals/{row.deal_id}/amend"
    page = lin.send(lin.read(f"{url}?acceptance={row.acceptance}"), url, 200, line_in="1")
    page = lin.send(page, url, 200, line_in="1")
    assert [value for name, value in form_fields(page, url) if name == "line_number"] == ["1", "2", "3", "4"]
    page = lin.send(page, url, 200, line_out="4")
    unsaid = lin.send(page, url, 422)
    assert {"Name the item.", "How many?", "A counter-offer needs a price."} <= set(unsaid_in(unsaid))
    typed = {"line_price": ["77.05", "0.82", "2.15"], "line_quantity": ["500", "600", "30"]}
    with_item = {"line_name": ["", "", "Sealing ring"], "line_item": ["", "", "SR-50"]}
    review = lin.send(page, url, 200, **typed, **with_item)
    assert "Sealing ring" in text_of(review).split("What it changes")[1].split("The contract as it would be")[0]
    lin.send(review, url, step="send")
    asked = dana.read(f"/deals/{row.deal_id}/accept")
    assert "Sealing ring" in text_of(asked)
    dana.send(asked, f"/deals/{row.deal_id}/accept")
    house.hub.jobs.drain()
    assert contract(house).version == 2
    with house.hub.database.read() as session:
        (order,) = house.hub.ordering.of_deal(session, row.deal_id)
        line = order.order.lines[2]
        assert (line.number, line.item.name, line.item.ids[0].value, line.quantity.value, line.price.amount) == (
            "3", "Sealing ring", "SR-50", 30, Decimal("2.15"),
        )  # fmt: skip
        assert [each.ordered for each in order.lines if each.line == "3"] == [30]


def unsaid_in(page: str) -> list[str]:
    return [text_of(each).strip() for each in re.findall(r'<p class="error">([^<]*)</p>', page)]


@pytest.mark.parametrize("number", ["0", "01", "1234567", "x", "-1", "3.1"])
def test_no_line_comes_in_by_a_number_that_is_none_of_the_forms(house, lin, number):
    row = contract(house)
    url = f"/deals/{row.deal_id}/amend"
    page = lin.send(lin.read(f"{url}?acceptance={row.acceptance}"), url, 200, line_in="1")
    typed = {
        "line_price": ["77.05", "0.82", "2.15"],
        "line_name": ["", "", "Sealing ring"],
        "line_quantity": ["500", "600", "30"],
    }
    answer = text_of(lin.send(page, url, 200, line_number=["1", "2", number], **typed))
    assert ("Review your proposal" in answer, "Sealing ring" in answer) == (True, False)
