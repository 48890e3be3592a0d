"""Spending limits in auctions: who may bid how far, what a refusal says, and bids that others approve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.negotiation.pages import text_of
from tests.people import CHEAP, PASSWORD, let_in
from tests.sourcing.auctions.house import draft
from tests.sourcing.canary import DELTA, HAIDI, NINGBO, whole_hub
from tests.web.house import post, sign_in
from tradehub.approvals.model import TOKEN_ROLE, Limit, Person, Policy, Threshold, most_alone
from tradehub.partners.authority import Act, Asker
from tradehub.platform import clock
from tradehub.platform.security import Security
from tradehub.sourcing.auctions.drafting import DraftLine
from tradehub.sourcing.auctions.rules import Kind
from tradehub.sourcing.auctions.service import Actor

POLICY = Policy(
    "USD",
    limits=(
        Limit("buyer", "USD", Decimal(5_000)), Limit("seller", "USD", Decimal(5_000)), Limit("approver", "USD", None),
        Limit(TOKEN_ROLE, "USD", Decimal(2_000)),
    ),
)  # fmt: skip


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


class Scene:
    def __init__(self, hub, app, users) -> None:
        self.hub, self.app, self.users = hub, app, users
        security = Security(hub.database, CHEAP)
        for name, lang in (("bo", "en"), ("qiu", "zh_Hans")):
            with hub.database.write() as session:
                roles = ["buyer", "seller"]
                let_in(security, session, DELTA, f"{name}@example.com", roles, lang=lang)
        with hub.database.write() as session:
            self.token = security.issue_token(
                session, DELTA, "erp", ["deal.negotiate", "deal.bind", "deal.read"], life=timedelta(days=1)
            )
        with hub.database.write(DELTA) as session:
            hub.approvals.state_policy(session, Asker(DELTA, users["dan"], "Dan"), POLICY, expected_version=0)

    def hold(self, kind: Kind = Kind.ENGLISH, lots: int = 1, **more) -> str:
        now = clock.now()
        more = {"starts_at": now, "ends_at": now + timedelta(hours=1), "by_line": lots > 1, **more}
        lines = tuple(DraftLine(f"Valve {number}", Decimal(100), "C62", Decimal("10.00")) for number in range(lots))
        with self.hub.database.write(HAIDI) as session:
            wanted = draft(kind, bidders=(DELTA, NINGBO), lines=lines, **more)
            return self.hub.auctions.hold(session, Actor(HAIDI, self.users["li"], "Li"), wanted)

    def client(self, name: str):
        client = self.app.test_client()
        assert sign_in(client, f"{name}@example.com", PASSWORD).status_code == 303
        return client

    def bids(self, id: str) -> list[tuple[str, Decimal | None]]:
        with self.hub.database.read(HAIDI) as session:
            return [(each.by, each.amount) for each in self.hub.auctions.room(session, id, HAIDI).auction.events]


@pytest.fixture
def scene(database_url: str, tmp_path: Path) -> Iterator[Scene]:
    with whole_hub(database_url, tmp_path / "data") as (hub, app, users):
        yield Scene(hub, app, users)


def test_a_bid_above_the_limit_is_refused_with_rule_and_limit_in_both_languages(scene: Scene) -> None:
    id, bo = scene.hold(), scene.client("bo")
    path = f"/auctions/{id}/bid"
    for amount, limit in (("5010", ""), ("", "5000.01")):
        refused = post(bo, path, amount=amount, limit=limit, confirmed=amount)
        assert refused.status_code == 422
        assert "Your limit is USD 5,000.00. (rule A11)" in text_of(refused.text)
        assert "Approver" in text_of(refused.text)
        assert "Your bid stands." not in text_of(refused.text)
    chinese = text_of(post(scene.client("qiu"), path, amount="9000", confirmed="9000").text)
    assert "规则 A11" in chinese
    assert "USD 5,000.00" in chinese
    assert post(bo, path, amount="5000", confirmed="5000").status_code == 303
    assert scene.bids(id) == [(DELTA, 5000)]


def test_the_api_names_rule_and_limit_of_a_token(scene: Scene) -> None:
    id, client = scene.hold(), scene.app.test_client()
    head = {"Authorization": f"Bearer {scene.token}"}
    url = f"/api/v1/auctions/{id}"
    answer = client.post(f"{url}/bids", json={"amount": "2000.01", "confirmed": True}, headers=head)
    assert answer.status_code == 403
    told = answer.json
    assert (told["code"], told["rule"]) == ("OVER_LIMIT", "A11")
    assert told["most"] == {"amount": "2000.00", "currency": "USD"}
    taken = client.post(f"{url}/bids", json={"amount": "2000", "confirmed": True}, headers=head)
    assert taken.status_code == 201
    assert taken.json["auction"]["lots"][0]["is_leading"]
    assert client.get(url, headers=head).json["lots"][0]["price"] == "2000"
    worse = client.post(f"{url}/bids", json={"amount": "1999"}, headers=head).json
    assert (worse["code"], worse["rule"]) == ("YOU_LEAD", "A5")


def test_what_is_led_on_other_lots_counts_too(scene: Scene) -> None:
    id, bo = scene.hold(lots=2), scene.client("bo")
    assert post(bo, f"/auctions/{id}/bid", lot="1", amount="3000", confirmed="3000").status_code == 303
    assert post(bo, f"/auctions/{id}/bid", lot="2", amount="2001", confirmed="2001").status_code == 422
    assert post(bo, f"/auctions/{id}/bid", lot="2", amount="2000", confirmed="2000").status_code == 303


def test_a_seller_is_bound_by_its_bid_and_not_by_its_limit(scene: Scene) -> None:
    id, bo = scene.hold(Kind.REVERSE), scene.client("bo")
    assert post(bo, f"/auctions/{id}/bid", amount="1000", limit="800").status_code == 303
    assert scene.bids(id) == [(DELTA, 1000)]


def test_the_last_approval_places_the_bid_up_to_its_limit(scene: Scene) -> None:
    id, bo, nina = scene.hold(), scene.client("bo"), scene.client("nina")
    asked = post(bo, f"/auctions/{id}/bid/ask", lot="1", amount="1000", limit="6000", approval_note="Last chance")
    assert asked.status_code == 303
    request = asked.headers["Location"]
    assert post(nina, f"/auctions/{id}/bid", amount="2000", confirmed="2000").status_code == 303
    dan = scene.client("dan")
    assert "To approve" in text_of(dan.get("/").text)
    shown = text_of(dan.get(request).text)
    assert "USD 6,000.00" in shown
    assert "The lot ends at" in shown
    assert post(dan, f"{request}/decide", word="approve").status_code == 303
    assert "Approved and done" in text_of(dan.get(request).text)
    assert scene.bids(id) == [(NINGBO, 2000), (DELTA, 2010)]


def test_who_asks_for_what_needs_no_approval_is_told_and_led_back(scene: Scene) -> None:
    """The limits, or the bid to beat, may have changed since the page was shown."""
    id, bo = scene.hold(), scene.client("bo")
    asked = post(bo, f"/auctions/{id}/bid/ask", lot="1", amount="1000")
    assert (asked.status_code, asked.headers["Location"]) == (303, f"/auctions/{id}")
    assert "You may do this without approval." in text_of(bo.get(f"/auctions/{id}").text)
    assert scene.bids(id) == []


def test_an_approval_that_comes_after_the_end_does_nothing_and_says_why(scene: Scene) -> None:
    id, bo = scene.hold(), scene.client("bo")
    asked = post(bo, f"/auctions/{id}/bid/ask", lot="1", amount="6000")
    request = asked.headers["Location"]
    with clock.frozen(clock.now() + timedelta(hours=2)):
        dan = scene.client("dan")
        post(dan, f"{request}/decide", word="approve")
        page = text_of(dan.get(request).text)
    assert "Overtaken" in page
    assert "A1" in page
    assert scene.bids(id) == []


@pytest.mark.parametrize(
    ("roles", "currency", "most"),
    [
        ({"buyer"}, "USD", "5000.00"), ({"buyer", TOKEN_ROLE}, "USD", "5000.00"), ({TOKEN_ROLE}, "USD", "2000.00"),
        ({"approver"}, "USD", "90000.00"), ({"buyer"}, "EUR", None), ({"viewer"}, "USD", None),
    ],
)  # fmt: skip
def test_the_most_that_somebody_may_bind_alone(roles, currency, most) -> None:
    policy = Policy(POLICY.currency, POLICY.limits, thresholds=(Threshold("USD", Decimal(90_000)),))
    found = most_alone(policy, Act.BID, currency, Person("p", frozenset(roles)))
    assert (found and str(found.amount)) == most
