"""The pages as an owner and its bidders use them, without a script."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from tests.negotiation.pages import Browser, form_fields, text_of
from tests.sourcing.auctions.pages import build, email
from tests.sourcing.auctions.words import ANN, BEN, OWNER, TEN
from tradehub.platform import clock
from tradehub.sourcing.auctions import tickets
from tradehub.sourcing.auctions.rules import ActKind, Display, Kind

FORM = {
    "title": "Valves for spring", "kind": "reverse", "starts": "2026-11-27T10:30", "ends": "2026-11-27T11:30", "step": "1",
    "step_unit": "percent", "line_name": ["Valve V-22", "Seal kit"], "line_item": ["V-22", ""],
    "line_quantity": ["24 000", "1000"], "line_unit": ["C62", "C62"], "line_opening": ["12.40", "0.95"],
    "line_reserve": ["11.33", "0.91"], "bidders": [ANN, BEN], "by_line": [], "payment": "net 30", "delivery": "2027-01-20",
}  # fmt: skip


@pytest.fixture
def database_kind() -> str:
    """The pages are tried on SQLite alone; the service under them on both databases."""
    return "sqlite"


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


def browser(app, name: str) -> Browser:
    return Browser(app, email(name))


def test_from_the_form_to_the_winners_offer(house, app, at_ten) -> None:
    owner, ann, ben = (browser(app, name) for name in ("li", "ann", "ben"))
    page = owner.get("/auctions/new")
    review = owner.send(page, "/auctions/new", {**FORM, "step_of_form": "review"}, 200).text
    assert "USD 298,550.00" in text_of(review)
    assert "Reserve, seen by you alone USD 272,830.00" in text_of(review)
    room = owner.follow(owner.send(review, "/auctions/new", {"step_of_form": "hold"}))
    id = re.search(r"/auctions/([0-9a-f]{32})/bid|data-url=\"/auctions/([0-9a-f]{32})", room)
    path = f"/auctions/{next(filter(None, id.groups()))}"
    assert "starting soon" in text_of(ann.get("/"))
    assert "Not yet begun" in text_of(ann.get(path))

    at_ten.move(timedelta(minutes=31))
    page = ann.get(path)
    assert ("amount", "298550.00") in form_fields(page, f"{path}/bid")
    page = ann.follow(ann.send(page, f"{path}/bid", {"amount": "290,000.00", "limit": "275000"}))
    assert "You lead" in text_of(page)
    page = ben.follow(ben.send(ben.get(path), f"{path}/bid", {"amount": "280000"}))
    assert "You do not lead" in text_of(page)
    page = ann.follow(ann.send(ann.get(path), f"{path}/bid", {"limit": "270000"}))
    assert "USD 272,830.00" in text_of(page)
    assert "Outbid" in text_of(ben.get("/"))

    at_ten.move(timedelta(hours=1))
    house.jobs.drain()
    assert "You have won" in text_of(ann.get(f"{path}/result"))
    assert "/deals/deal-1" in ann.get(f"{path}/result")
    assert "You have won" not in text_of(ben.get(f"{path}/result"))
    assert "Ann Armaturen has made a firm offer" in text_of(owner.get(f"{path}/result"))
    assert "Ann Armaturen" in owner.get(f"{path}/bids.csv")


def test_a_bad_form_says_where_and_loses_nothing(app, at_ten) -> None:
    owner = browser(app, "li")
    changes = {
        **FORM, "title": "", "starts": "x", "step": "-1", "line_opening": ["12,4", "0.95"], "bidders": ["nobody-known"],
        "incoterm": "FOB", "soft_by": "1.5", "step_of_form": "review",
    }  # fmt: skip
    text = owner.send(owner.get("/auctions/new"), "/auctions/new", changes, 422).text
    for name in ("title", "starts", "step", "place", "soft_by"):
        assert f'id="f-{name}-error"' in text, name
    assert "24 000" in text
    late = owner.send(owner.get("/auctions/new"), "/auctions/new",
                      {**FORM, "starts": "2026-11-26T10:00", "step_of_form": "hold"}, 422).text  # fmt: skip
    assert "This moment has passed" in late


def test_every_kind_of_auction_can_be_entered(house, app) -> None:
    owner = browser(app, "li")
    for kind in Kind:
        up = kind in (Kind.ENGLISH, Kind.VICKREY, Kind.DUTCH_REVERSE)
        changes = {**FORM, "kind": str(kind), "line_reserve": ["13", "1"] if up else ["11", "0.90"]}
        review = owner.send(
            owner.get("/auctions/new"), "/auctions/new", {**changes, "step_of_form": "review"}, 200
        ).text
        owner.follow(owner.send(review, "/auctions/new", {"step_of_form": "hold"}))


def test_a_refused_bid_keeps_what_was_typed_and_says_the_rule(house, app) -> None:
    path = f"/auctions/{house.hold()}"
    ann = browser(app, "ann")
    text = ann.send(ann.get(path), f"{path}/bid", {"amount": "1234.56"}, 422).text
    assert "The bid does not reach the start price. Valid is USD 1,000.00. (rule A4)" in text_of(text)
    assert ("amount", "1234.56") in form_fields(text, f"{path}/bid")
    assert "Write an amount" in text_of(ann.send(ann.get(path), f"{path}/bid", {"amount": "1.2.3"}, 422).text)
    for field in ("amount", "limit"):
        unclear = ann.send(ann.get(path), f"{path}/bid", {field: "1,010"}, 422).text
        assert "Write it without a comma: 1010 or 1.010." in text_of(unclear), "a thousand, or a little more than one?"
        assert 'aria-invalid="true"' in unclear


def test_a_large_step_is_confirmed_by_its_amount(house, app) -> None:
    path = f"/auctions/{house.hold()}"
    ann = browser(app, "ann")
    text = ann.send(ann.get(path), f"{path}/bid", {"amount": "100"}, 422).text
    assert "Do you mean it?" in text_of(text)
    assert ("confirmed", "100") not in form_fields(text, f"{path}/bid"), "nothing is confirmed until it is ticked"
    assert re.search(r'name="confirmed" value="100"', text)
    ann.send(text, f"{path}/bid", {"amount": "100"}, 422)
    ann.send(text, f"{path}/bid", {"amount": "99", "confirmed": "100"}, 422)
    ann.send(text, f"{path}/bid", {"amount": "100", "confirmed": "100"})


def test_a_result_says_when_an_auction_ends_ended_or_was_called_off(house, app, at_ten) -> None:
    path = f"/auctions/{house.hold()}"
    owner = browser(app, "li")
    assert "Ends at" in text_of(owner.get(f"{path}/result")), "what lies ahead has not ended"
    owner.send(owner.get(path), f"{path}/acts", {"kind": "cancel", "text": "The order was withdrawn."})
    for page in ("", "/result"):
        assert "in 1 hour" not in text_of(owner.get(f"{path}{page}")), "what was called off has no end ahead of it"


def test_a_form_that_is_sent_twice_bids_once(house, app) -> None:
    id = house.hold()
    ann = browser(app, "ann")
    page = ann.get(f"/auctions/{id}")
    for _ in range(2):
        ann.send(page, f"/auctions/{id}/bid", {"amount": "1000"})
    assert house.load(id).version == 1


def state_of(browser: Browser, id: str, **headers):
    answer = browser.client.get(f"/auctions/{id}/state", headers={"Accept": "application/json", **headers})
    return answer, json.loads(answer.text) if answer.text else None


def test_the_script_is_answered_in_its_own_tongue(house, app) -> None:
    id = house.hold()
    ann = browser(app, "ann")
    form = dict(form_fields(ann.get(f"/auctions/{id}"), f"/auctions/{id}/bid"))
    said = []
    for changes in ({"amount": "2000"}, {"amount": "100"}, {"amount": "100", "confirmed": "100"}):
        answer = ann.client.post(
            f"/auctions/{id}/bid", data={**form, "confirmed": "", **changes}, headers={"Accept": "application/json"}
        )
        said.append(json.loads(answer.text))
    assert [each["kind"] for each in said] == ["bad", "ask", "ok"]
    assert said[-1]["state"]["lots"][0]["price"] == "100.00" or said[-1]["state"]["lots"][0]["price"] == "100"
    assert said[-1]["form_id"] != form["form_id"]


def test_an_unchanged_state_is_not_sent_again(house, app, at_ten) -> None:
    id = house.hold(display=Display.PRICE)
    ann = browser(app, "ann")
    first, state = state_of(ann, id)
    assert state["at"] == TEN.timestamp() * 1000
    mark = first.headers["ETag"]
    again, _ = state_of(ann, id, **{"If-None-Match": mark})
    assert (again.status_code, again.headers["X-Hub-Time"]) == (304, str(state["at"]))
    house.bid(id, BEN, "1000")
    changed, state = state_of(ann, id, **{"If-None-Match": mark})
    assert (changed.status_code, state["lots"][0]["price"]) == (200, "1000")


def test_nothing_secret_is_in_what_a_bidder_gets(house, app) -> None:
    id = house.hold(Kind.REVERSE)
    house.bid(id, BEN, "1000", limit="950.12")
    ann = browser(app, "ann")
    for path in (f"/auctions/{id}", f"/auctions/{id}/state", f"/auctions/{id}/result", f"/auctions/{id}/bids.csv"):
        text = ann.client.get(path).text
        for secret in ("950.12", "Ben Valves", "Cai Metals", "900.00", BEN + '"'):
            assert secret not in text, (path, secret)


def test_sealed_bids_are_in_no_page_before_the_end(house, app, at_ten) -> None:
    id = house.hold(Kind.VICKREY)
    house.bid(id, ANN, "1234.56")
    for name in ("li", "ann", "ben"):
        for path in ("", "/state", "/result", "/bids.csv"):
            text = browser(app, name).client.get(f"/auctions/{id}{path}").text
            assert "1234.56" not in text, (name, path)
            assert "1,234.56" not in text, (name, path)
    assert "Your bid is in" in browser(app, "ann").get(f"/auctions/{id}")
    at_ten.move(timedelta(hours=1))
    assert "1,234.56" in browser(app, "li").get(f"/auctions/{id}/result")


def test_a_stranger_finds_nothing(house, app) -> None:
    id, stranger = house.hold(), browser(app, "sam")
    for path in ("", "/state", "/result", "/bids.csv"):
        stranger.get(f"/auctions/{id}{path}", 404)
    assert house.load(id).version == 0


def test_who_may_only_look_cannot_bid(house, app) -> None:
    id = house.hold()
    page = browser(app, "eve").get(f"/auctions/{id}")
    assert f'action="/auctions/{id}/bid"' not in page
    browser(app, "eve").get("/auctions/new", 403)


def test_the_owner_pauses_and_goes_on_and_answers_for_a_slip(house, app, at_ten) -> None:
    id = house.hold()
    path = f"/auctions/{id}"
    owner, ann = browser(app, "li"), browser(app, "ann")
    house.bid(id, ANN, "100")
    page = ann.follow(ann.send(ann.get(path), f"{path}/acts", {"text": "one nought too few"}))
    assert "The owner is asked" in text_of(page)
    page = owner.get(path)
    assert "one nought too few" in text_of(page)
    page = owner.follow(owner.send(page, f"{path}/acts"))
    assert house.load(id).ledger.withdrawn == {1}
    owner.send(page, f"{path}/acts", {"kind": "pause", "text": "a wrong drawing"})
    assert "a wrong drawing" in text_of(ann.get(path))
    owner.send(owner.get(path), f"{path}/acts")
    assert [each.kind for each in house.load(id).events[1:]] == [
        ActKind.ASK, ActKind.CONSENT, ActKind.PAUSE, ActKind.RESUME,
    ]  # fmt: skip
    assert "(rule A9)" in text_of(owner.send(owner.get(path), f"{path}/acts", {"kind": "pause", "text": " "}, 409).text)


def test_the_list_is_filtered_and_searched(house, app) -> None:
    house.hold(title="Pumps")
    house.hold(title="Pipes", starts_at=TEN + timedelta(days=2), ends_at=TEN + timedelta(days=3))
    ann = browser(app, "ann")
    assert "Pumps" in text_of(ann.get("/auctions?only=running"))
    assert "Pipes" not in text_of(ann.get("/auctions?only=running"))
    assert "No auction fits" in text_of(ann.get("/auctions?q=nothing"))
    assert "Pipes" in ann.get("/auctions.csv?only=scheduled")
    assert ann.client.get("/search?q=pumps").status_code == 302


def test_where_streams_are_served_the_page_may_reach_them_with_a_ticket(house, tmp_path, at_ten) -> None:
    id = house.hold()
    app = build(house, tmp_path, live_port=8099)
    ann = browser(app, "ann")
    policy = ann.client.get(f"/auctions/{id}").headers["Content-Security-Policy"]
    assert "connect-src 'self' http://localhost:8099;" in policy
    assert "8099" not in ann.client.get("/auctions").headers["Content-Security-Policy"]
    _, state = state_of(ann, id)
    address, _, ticket = state["stream"].partition("?ticket=")
    assert address == "http://localhost:8099/auctions/stream"
    key = app.config["SECRET_KEY"]
    assert tickets.read(key, ticket) == tickets.Ticket(id, ANN, "http://localhost")
    assert tickets.read(b"another", ticket) is None
    assert tickets.read(key, ticket[:-1]) is None


def test_behind_a_proxy_the_streams_have_the_pages_own_address(house, tmp_path) -> None:
    app = build(house, tmp_path, live_url="/live")
    ann = browser(app, "ann")
    id = house.hold(starts_at=clock.now(), ends_at=clock.now() + timedelta(hours=1))
    assert state_of(ann, id)[1]["stream"].startswith("/live/auctions/stream?ticket=")
    assert "connect-src 'self';" in ann.client.get(f"/auctions/{id}").headers["Content-Security-Policy"]
    assert OWNER not in ann.get(f"/auctions/{id}").split("</title>")[1].split("data-auction")[1][:200]
