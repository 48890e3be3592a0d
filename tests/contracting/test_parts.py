"""An offer that is accepted in parts makes a contract, and an order, of each (R22)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Boolean, Connection, DateTime, Integer, MetaData, Table, select, text

from tests.contracting import proven as made
from tests.contracting.proven import ASKED, DELTA, HAIDI, Proven, window
from tests.negotiation.pages import form_fields, text_of
from tests.negotiation.words import Deal
from tests.people import PASSWORD
from tests.trade_fulfilment import AT, NINGBO, Trade, concluded, offer, ordered
from tests.web.house import post
from tradehub.cli.verify import examine
from tradehub.contracting.evidence import SignedContract, write
from tradehub.contracting.jcs import canonical
from tradehub.contracting.model import State
from tradehub.contracting.verify_evidence import Pins, verify
from tradehub.contracting.verify_evidence import Refused as NotSound
from tradehub.documents import Offer
from tradehub.hub import Hub
from tradehub.negotiation import drafting
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.model import Refused, lines_of
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import DealRow
from tradehub.ordering.model import Standing
from tradehub.partners.profile import Negotiation
from tradehub.platform import clock, schema
from tradehub.platform.db import Database
from tradehub.platform.sealing import Sealer


def part(*lines: str, **more) -> Offer:
    return offer(lines=tuple(ordered(each, "100", "12.40") for each in lines), **more)


def taken(acceptance: str, *lines: str, **more):
    return concluded(contract=acceptance, offer=part(*lines), **more)


def contracts_of(trade: Trade, deal: str = "deal-1") -> list[tuple[str, str, State]]:
    with trade.database.read() as session:
        return [(each.number, each.acceptance, each.is_in) for each in trade.contracts.of_deal(session, deal)]


def orders_of(trade: Trade, deal: str = "deal-1") -> list[tuple[str, str, Standing]]:
    with trade.database.read() as session:
        return [(each.number, each.acceptance, each.stands) for each in trade.orders.of_deal(session, deal)]


def test_each_acceptance_makes_a_contract_of_its_own_and_an_order_on_it(trade):
    trade.conclude(taken("a-1", "1"))
    trade.conclude(taken("a-2", "2"))
    trade.conclude(taken("a-3", "3"))
    trade.conclude(taken("a-2", "2"))
    first = "C-2026-00001"
    assert contracts_of(trade) == [
        (first, "a-1", State.CONCLUDED), (f"{first}-2", "a-2", State.CONCLUDED), (f"{first}-3", "a-3", State.CONCLUDED)
    ]  # fmt: skip
    assert [each[:2] for each in orders_of(trade)] == [
        ("PO-2026-00001", "a-1"), ("PO-2026-00002", "a-2"), ("PO-2026-00003", "a-3")
    ]  # fmt: skip
    trade.conclude(concluded(deal="deal-2"))
    assert contracts_of(trade, "deal-2")[0][0] == "C-2026-00002"


def test_the_orders_of_a_buyer_that_numbers_its_own_are_told_apart(trade):
    for acceptance, line in (("a-1", "1"), ("a-2", "2")):
        trade.conclude(taken(acceptance, line, seller=HAIDI, buyer=NINGBO))
    assert [each[0] for each in orders_of(trade)] == ["Q-7781", "Q-7781-2"]


def test_what_happens_to_one_contract_happens_to_no_other(trade):
    trade.conclude(taken("a-1", "1"))
    trade.conclude(taken("a-2", "2"))
    dearer = offer(lines=(ordered("2", "100", "13.00"),))
    with trade.database.write() as session:
        trade.contracts.move_on(session, "a-1", "terminated", AT)
        trade.orders.undo(session, "a-1", AT)
        trade.contracts.amend(session, "a-2", dearer, HAIDI, AT)
        trade.orders.amend(session, "a-2", dearer, by=HAIDI, at=AT)
        one, other = trade.contracts.of_deal(session, "deal-1")
        assert (one.is_in, one.version, other.is_in, other.version) == (State.TERMINATED, 1, State.CONCLUDED, 2)
        assert all(each.is_intact for row in (one, other) for each in row.versions)
    assert [each[2] for each in orders_of(trade)] == [Standing.CANCELLED, Standing.AGREED]


@pytest.mark.parametrize(
    ("lines", "numbers"),
    [(("1",), ["C-2026-00001"]), (("1", "2"), ["C-2026-00001"]), (("2",), ["C-2026-00001", "C-2026-00001-2"])],
)
def test_lines_of_a_contract_that_came_to_nothing_are_taken_up_under_its_number(trade, lines, numbers):
    trade.conclude(taken("a-1", "1"))
    again = taken("a-2", *lines)
    with trade.database.write() as session:
        trade.contracts.move_on(session, "a-1", "objected", AT)
        trade.orders.undo(session, "a-1", AT)
        before = trade.contracts.taken_up(session, again)
        instead_of = before.acceptance if before else None
        trade.contracts.record(session, again)
        trade.orders.place(session, again, instead_of=instead_of)
        assert trade.contracts.taken_up(session, again) is None
    assert [each[0] for each in contracts_of(trade)] == numbers
    assert contracts_of(trade)[-1][1:] == ("a-2", State.CONCLUDED)
    assert len(orders_of(trade)) == len(numbers)
    assert orders_of(trade)[-1][1:] == ("a-2", Standing.AWAITING)


PARTS = st.lists(
    st.dictionaries(st.sampled_from(["1", "2"]), st.one_of(st.none(), st.integers(1, 120)), min_size=1), max_size=5
)


@given(PARTS)
def test_contracts_on_parts_never_come_to_more_than_was_offered(parts):
    deal = Deal()
    about = deal.offer(divisible=True)
    offered = deal.value.offer(about).lines
    for each in parts:
        lines = tuple((name, None if amount is None else Decimal(amount)) for name, amount in each.items())
        try:
            deal.accept(about, lines=lines)
        except Refused:
            continue
    bound = dict.fromkeys(offered, Decimal(0))
    for contract in deal.contracts:
        for line in lines_of(drafting.agreed(contract)):
            assert line.number is not None
            bound[line.number] += line.quantity.value
    assert all(bound[name] <= offered[name] for name in offered)


# --- walked on the pages ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    proven = made.build(tmp_path_factory.mktemp("parts") / "data")
    made.let_in(proven)
    return proven


@pytest.fixture(scope="module")
def deal(house: Proven) -> str:
    """A deal of which Haidi has accepted the valves, and then some of the gaskets."""
    id = offered(house)
    for lines in ((("1", None),), (("2", Decimal(400)),)):
        accept(house.hub, id, lines)
    return id


def offered(house: Proven, **agreed: str) -> str:
    """Let Delta make Haidi an offer that may be accepted in parts, under what the two have ``agreed`` about it."""
    hub = house.hub
    with hub.database.write() as session:
        profile = hub.partners.profile(session, DELTA)
        assert profile is not None
        hub.partners.hand_over(session, DELTA, "web", by="test", at=clock.now())
        profile = profile.model_copy(update={"negotiation": Negotiation(**agreed)})
        hub.partners.save(session, profile, by="test", at=clock.now())
    with hub.database.write(org=HAIDI) as session:
        hub.negotiation.send_inquiry(session, Actor(HAIDI, name="Lin Hai"), ASKED, [DELTA])
        id = session.scalars(select(DealRow.id).where(DealRow.seller_id == DELTA).order_by(DealRow.id.desc())).first()
    assert id is not None
    prices = (LineDraft("1", price=Decimal(70)), LineDraft("2", price=Decimal("0.80")))
    with hub.database.write(org=DELTA) as session:
        terms = Draft(lines=prices, currency="USD", divisible=True)
        hub.negotiation.make_offer(session, Actor(DELTA, name="Dana Whitfield"), id, terms)
    hub.jobs.drain()
    return id


def accept(hub: Hub, deal: str, lines: tuple[tuple[str, Decimal | None], ...]) -> None:
    with hub.database.write(org=HAIDI) as session:
        view = hub.negotiation.deal(session, deal)
        about = view.standing.offer
        hub.negotiation.accept(
            session, Actor(HAIDI, name="Lin Hai"), deal, about.id, expected_version=view.version,
            terms_hash=about.terms_hash, lines=lines,
        )  # fmt: skip
    hub.jobs.drain()


def test_a_part_that_is_accepted_alone_says_what_it_is(house):
    id = offered(house)
    accept(house.hub, id, (("2", Decimal(400)),))
    page = text_of(window(house, "lin").get(f"/deals/{id}").text)
    assert "Flange gasket DN50 ( 400 pcs )" in page.split("Contract C-")[1].split("Concluded")[1]


def test_each_contract_is_shown_signed_and_proven(house, deal):
    lin = window(house, "lin")
    post(lin, "/contracts/keys", page="/contracts/keys", origin="made", password=PASSWORD)
    with house.hub.database.read() as session:
        found = [(each.id, each.number, each.acceptance) for each in house.hub.contracts.of_deal(session, deal)]
    (one, first, _), (two, second, accepted) = found
    assert second == f"{first}-2"
    page = lin.get(f"/deals/{deal}").text
    assert all(f'href="/contracts/{each}"' in page for each in (one, two))
    assert "Gate valve DN50 ( 240 pcs )" in text_of(page)
    assert "Flange gasket DN50 ( 400 pcs )" in text_of(page)
    assert lin.get(f"/contracts/deal/{deal}").headers["Location"] == f"/deals/{deal}#contract"
    assert lin.get(f"/contracts/deal/{deal}?acceptance={accepted}").headers["Location"] == f"/contracts/{two}"

    shown = text_of(lin.get(f"/contracts/{two}").text)
    assert "Terms intact" in shown
    assert "Flange gasket DN50" in shown
    assert "Gate valve" not in shown
    order = lin.get(f"/orders/deal/{deal}?acceptance={accepted}").headers["Location"]
    assert "Gate valve" not in text_of(lin.get(order).text)
    for contract in (one, two):
        assert post(lin, f"/contracts/{contract}/prepare", page=f"/contracts/{contract}").status_code == 303
        form = dict(form_fields(lin.get(f"/contracts/{contract}/sign").text, f"/contracts/{contract}/sign"))
        signed = lin.post(f"/contracts/{contract}/sign", data={**form, "password": PASSWORD})
        assert signed.status_code == 303, text_of(signed.text)

    proof = [
        each.what for each in verify(lin.get(f"/contracts/{two}/evidence").data, Pins(house.hub.contracts.hub_key()))
    ]
    assert [each for each in proof if each.startswith("contract")] == [
        f"contract {first} version 1", f"contract {first} version 1, buyer",
        f"contract {second} version 1", f"contract {second} version 1, buyer",
    ]  # fmt: skip
    assert [each for each in examine(house.hub, everything=True) if each.wrong] == []


def test_the_second_contract_is_amended_and_the_first_one_stays(house, deal):
    hub = house.hub
    with hub.database.read() as session:
        one, two = hub.contracts.of_deal(session, deal)
        was = (one.version, two.version)
    with hub.database.write(org=HAIDI) as session:
        hub.negotiation.amend(session, Actor(HAIDI, name="Lin Hai"), deal, text="Sooner", acceptance=two.acceptance,
                              document=_dearer(hub, session, two.id))  # fmt: skip
    with hub.database.write(org=DELTA) as session:
        view = hub.negotiation.deal(session, deal)
        amendment = view.negotiation.offers[-1]
        assert amendment.amends == two.acceptance
        assert [each.number for each in lines_of(amendment.document)] == ["2"]
        hub.negotiation.accept(session, Actor(DELTA, name="Dana Whitfield"), deal, amendment.id,
                               terms_hash=amendment.terms_hash, expected_version=view.version)  # fmt: skip
    hub.jobs.drain()
    with hub.database.read() as session:
        assert [each.version for each in hub.contracts.of_deal(session, deal)] == [was[0], was[1] + 1]
        assert [each.version for each in hub.ordering.of_deal(session, deal)] == [1, 2]
    assert [each for each in examine(hub, everything=False) if each.wrong] == []


def _dearer(hub, session, contract_id: str) -> Offer:
    document = Offer.model_validate(hub.contracts.contract(session, contract_id).versions[-1].document)
    price = document.lines[0].price.model_copy(update={"amount": Decimal("0.85")})
    return document.model_copy(update={"lines": (document.lines[0].model_copy(update={"price": price}),)})


def test_a_contract_that_names_an_acceptance_nobody_made_is_refused(house, deal):
    hub = house.hub
    with hub.database.read() as session:
        contract = hub.contracts.of_deal(session, deal)[1]
    with house.app.app_context():
        plain = json.loads(hub.contracts.draft(contract.id, 1, with_pdf=False).json)
    sealer = Sealer(hub.settings.secret_key).signing_key("evidence")
    record, key = hub.record_of(deal), hub.contracts.hub_key()
    for named, is_sound in ((contract.acceptance, True), ("nobody's", False)):
        stated = SignedContract(contract.number, 1, canonical({**plain, "acceptance": named}))
        archive = write(record, [stated], at=T0, hub_key=key, sign=sealer.sign)
        if is_sound:
            assert verify(archive, Pins(key))
            continue
        with pytest.raises(NotSound) as refused:
            verify(archive, Pins(key))
        assert refused.value.record == "contract.json"


def test_more_bound_than_was_offered_is_found_by_verify(house, deal):
    hub = house.hub
    with hub.database.write() as session:
        version = hub.contracts.of_deal(session, deal)[1].versions[0]
        kept = version.document
        line = {**kept["lines"][0], "quantity": {**kept["lines"][0]["quantity"], "value": "601"}}
        version.document = {**kept, "lines": [line]}
    (wrong,) = [each for each in examine(hub, everything=False) if each.wrong]
    assert "of line 2 more is bound than was offered" in wrong.wrong[0]
    with hub.database.write() as session:
        hub.contracts.of_deal(session, deal)[1].versions[0].document = kept


def test_r21_parts_that_both_must_sign_come_about_one_by_one(house):
    hub = house.hub
    id = offered(house, formation="signature")
    for line in ("1", "2"):
        accept(hub, id, ((line, None),))
    with hub.database.read() as session:
        one, two = hub.contracts.of_deal(session, id)
        assert (one.is_in, two.is_in) == (State.AWAITING_CONFIRMATION, State.AWAITING_CONFIRMATION)
    for contract, states in (
        (two, (State.AWAITING_CONFIRMATION, State.CONCLUDED)), (one, (State.CONCLUDED, State.CONCLUDED))
    ):  # fmt: skip
        bundle = house.prepare(contract)
        for org in (HAIDI, DELTA):
            house.sign(contract, org, bundle)
        hub.jobs.drain()
        with hub.database.read() as session:
            assert tuple(each.is_in for each in hub.contracts.of_deal(session, id)) == states
    assert "Concluded" in text_of(window(house, "lin").get(f"/deals/{id}").text)


# --- what was there before ----------------------------------------------------------------------------------------------

T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_contracts_and_orders_of_before_get_the_acceptance_that_made_them(database_url):
    database = Database(database_url)
    schema.upgrade(database, "0012")
    rows = [
        # contract, concluded after (h), its statements (id, after, kind, about, by), expected
        ("c-1", 2, [("s-1", 2, "accept", "o-1", "haidi")], "s-1"),
        ("c-2", 5, [("s-2", 1, "accept", "o-2", "haidi"), ("s-3", 5, "accept", "o-2", "haidi"),
                    ("s-4", 6, "accept", "o-2", "haidi")], "s-3"),
        ("c-3", 5, [("s-5", 1, "accept", "o-3", "haidi"), ("s-6", 2, "accept", "a-3", "haidi")], "s-5"),
        ("c-4", 3, [("s-7", 1, "comment", "o-4", "haidi")], "o-4:silence"),
    ]  # fmt: skip
    with database.engine.begin() as connection:
        for place, (contract, after, said, _) in enumerate(rows, 1):
            _insert(connection, "negotiation", id=f"d-{place}", number=f"N-{place}", buyer_id="haidi",
                    seller_id="delta")  # fmt: skip
            _insert(connection, "offer", id=f"o-{place}", deal_id=f"d-{place}", by_id="delta", number="Q-1")
            _insert(connection, "offer", id=f"a-{place}", deal_id=f"d-{place}", by_id="delta", number="Q-2",
                    particulars='{"amends":"o"}')  # fmt: skip
            for number, (id, at, kind, about, by) in enumerate(said, 1):
                _insert(connection, "statement", id=id, deal_id=f"d-{place}", number=number, kind=kind, about=about,
                        by_id=by, at=T0 + timedelta(hours=at))  # fmt: skip
            _insert(connection, "contracts", id=contract, number=contract, deal_id=f"d-{place}", buyer="haidi",
                    seller="delta", accepted_by="haidi", offer_number="Q-1",
                    concluded_at=T0 + timedelta(hours=after))  # fmt: skip
        for order, deal in (("p-1", "d-1"), ("p-2", "release-1")):
            _insert(connection, "orders", id=order, number=order, deal_id=deal, buyer="haidi", seller="delta")
    schema.upgrade(database)
    with database.engine.connect() as connection:
        kept = dict(connection.execute(text("SELECT id, acceptance FROM contracts")).all())
        orders = dict(connection.execute(text("SELECT id, acceptance FROM orders")).all())
    database.dispose()
    assert kept == {contract: expected for contract, *_, expected in rows}
    assert orders == {"p-1": "s-1", "p-2": "release-1"}


@pytest.mark.parametrize("table", ["contracts", "orders"])
def test_deals_with_several_contracts_are_not_taken_back_to_before_there_were_several(database_url, table):
    database = Database(database_url)
    schema.upgrade(database, "0013")
    with database.engine.begin() as connection:
        _insert(connection, "negotiation", id="d-1", number="N-1", buyer_id="haidi", seller_id="delta")
        for each in ("1", "2"):
            _insert(
                connection,
                table,
                id=each,
                number=each,
                deal_id="d-1",
                acceptance=f"s-{each}",
                buyer="haidi",
                seller="delta",
            )

    def take_back() -> None:
        with schema._connection(database) as connection:
            command.downgrade(schema._config(connection), "0012")

    with pytest.raises(RuntimeError, match=f"nothing was changed: .* one of the {table}, and 1 of yours have several"):
        take_back()
    assert schema.current(database) == "0013"
    with database.engine.begin() as connection:
        assert connection.execute(text(f"SELECT acceptance FROM {table} ORDER BY id")).scalars().all() == ["s-1", "s-2"]
        connection.execute(text(f"DELETE FROM {table} WHERE id = '2'"))
    take_back()
    assert schema.current(database) == "0012"
    database.dispose()


def _insert(connection: Connection, name: str, **values: object) -> None:
    """Insert a row, with something in every other column that must hold something."""
    table = Table(name, MetaData(), autoload_with=connection)
    usual = {Integer: 0, Boolean: False, DateTime: T0}
    filled = {
        each.name: next((value for kind, value in usual.items() if isinstance(each.type, kind)), "{}")
        for each in table.columns
        if not each.nullable
    }
    connection.execute(table.insert(), {**filled, **values})
