"""The monitor and the intake, as owner, as member without rights, as stranger, and as a partner's program."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import g
from werkzeug.test import TestResponse

from tests.exchange.conftest import Bench
from tests.exchange.plain import PlainCodec, message, transmission
from tests.web.house import House, build, post
from tradehub.documents import PartyId
from tradehub.exchange import secrets, web
from tradehub.exchange.codec import Codec
from tradehub.exchange.service import POLL
from tradehub.platform import clock, schedules
from tradehub.platform.http import Principal


@pytest.fixture
def bench(make_bench: Callable[[Codec], Bench]) -> Bench:
    return make_bench(PlainCodec())


@pytest.fixture
def house(bench: Bench, tmp_path: Path) -> House:
    secrets.make_missing(["file:keys/nordic-send.token", "file:keys/nordic-receive.token"], tmp_path)
    pages = web.blueprint(bench.exchange, bench.database, name_of=bench.exchange.partners.name_of)
    return build(bench.database, tmp_path, extra=[pages])


@pytest.fixture
def rejected(bench: Bench, house: House) -> str:
    receipt = bench.receive(transmission(message(fault="invalid_date")))
    bench.jobs.drain()
    return receipt.message_id


def test_the_monitor_shows_three_statuses_and_the_reason(bench: Bench, house: House, rejected: str) -> None:
    page = house.signed_in("owner").get("/messages").text
    for word in (
        "Rejected",
        "Not delivered",
        "Refused by us",
        "Ningbo Valves",
        "PO102 names a day that does not exist.",
    ):
        assert word in page
    detail = house.signed_in("owner").get(f"/messages/{rejected}").text
    assert "The message breaks a rule of its standard. PO102 names a day that does not exist." in detail
    assert "Fix and replay" in detail


def test_an_acknowledgement_tells_what_it_is_about(bench: Bench, house: House, rejected: str) -> None:
    ours = next(row.id for row in bench.messages("out") if row.answers == rejected)
    page = house.signed_in("owner").get(f"/messages/{ours}").text
    about = page[page.index("Business data") : page.index("Findings")]
    assert f"/messages/{rejected}" in about
    assert "Refused by us" in about


def test_filters_and_search_narrow_the_list(bench: Bench, house: House, rejected: str) -> None:
    bench.put("PO-77")
    bench.jobs.drain()
    client = house.signed_in("owner")
    assert f"/messages/{rejected}" in client.get("/messages?only=attention").text
    assert f"/messages/{rejected}" not in client.get("/messages?only=out").text
    assert "PO-77" in client.get("/messages?q=po-77").text
    assert "No message fits" in client.get("/messages?q=nowhere").text
    assert rejected in client.get(f"/messages?q={rejected[:16]}").text
    assert rejected not in client.get(f"/messages?q={rejected[9:]}").text  # who looks for 840 means no id that has it


def test_a_stranger_sees_no_message_in_any_way(bench: Bench, house: House, rejected: str) -> None:
    client = house.signed_in("stranger")
    assert rejected not in client.get("/messages").text
    assert rejected not in client.get("/messages.csv").text
    for path in ("", "/raw", "/fix"):
        assert client.get(f"/messages/{rejected}{path}").status_code == 404
    for path in ("fix", "replay", "resend", "settle"):
        assert post(client, f"/messages/{rejected}/{path}", text="x").status_code == 404
    assert bench.message(rejected).settled_at is None


def test_a_member_without_the_right_may_not(house: House, rejected: str) -> None:
    client = house.signed_in("member")
    assert client.get("/messages").status_code == 403
    assert post(client, f"/messages/{rejected}/replay").status_code == 403


def test_fix_and_replay_in_two_steps_from_the_message(bench: Bench, house: House, rejected: str) -> None:
    client = house.signed_in("owner")
    assert 'data-selects="' in client.get(f"/messages/{rejected}/fix").text
    mended = transmission(message()).decode()
    answer = post(client, f"/messages/{rejected}/fix", text=mended)
    assert answer.status_code == 303
    bench.jobs.drain()
    assert bench.booked() == ["PO-1"]
    assert bench.message(answer.location.rsplit("/", 1)[1]).replay_of == rejected
    assert bench.message(rejected).settled_at is not None


def test_one_form_posted_twice_replays_once(bench: Bench, house: House, rejected: str) -> None:
    client = house.signed_in("owner")
    first = post(client, f"/messages/{rejected}/replay", form_id="0123456789")
    again = post(client, f"/messages/{rejected}/replay", form_id="0123456789")
    assert first.location == again.location
    assert len([row for row in bench.messages() if row.replay_of == rejected]) == 1


def test_a_replay_without_change_is_judged_anew(bench: Bench, house: House, rejected: str) -> None:
    post(house.signed_in("owner"), f"/messages/{rejected}/replay")
    bench.jobs.drain()
    assert [row.validation for row in bench.messages()] == ["rejected", "rejected"]


def test_the_raw_message_is_a_download_that_cannot_run(bench: Bench, house: House, rejected: str) -> None:
    answer = house.signed_in("owner").get(f"/messages/{rejected}/raw")
    assert answer.data == transmission(message(fault="invalid_date"))
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


def test_what_a_partner_writes_is_shown_and_not_run(bench: Bench, house: House) -> None:
    evil = "<script>alert(1)</script>"
    receipt = bench.receive(transmission(message(document=evil)))
    bench.jobs.drain()
    page = house.signed_in("owner").get(f"/messages/{receipt.message_id}").text
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_a_csv_cell_is_never_a_formula(bench: Bench, house: House) -> None:
    bench.receive(transmission(message(document='=HYPERLINK("http://evil")')))
    bench.jobs.drain()
    text = house.signed_in("owner").get("/messages.csv").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert '\'=HYPERLINK("http://evil")' in [row["reference"] for row in rows]


# the panel of the deal page


def panel(bench: Bench, house: House, deal: str, *permissions: str, org: str = "haidi") -> str:
    who = Principal("u-1", PartyId(org), "Mei", permissions=frozenset(permissions))
    with house.app.test_request_context(), bench.database.read(org) as session:
        g.principal = who
        return str(web.panel()(session, deal))


def test_a_deals_messages_are_listed_both_ways(bench: Bench, house: House) -> None:
    came = bench.receive(transmission(message())).message_id
    bench.put("PO-9")
    bench.jobs.drain()
    (left,) = (row.id for row in bench.messages("out") if row.reference == "PO-9")
    shown = panel(bench, house, "deal-1", "message.read")
    for words in (
        f"/messages/{came}",
        f"/messages/{left}",
        "Inbound",
        "Outbound",
        "Handed on",
        "Confirmed by us",
        "Awaited",
    ):
        assert words in shown, words
    assert shown.count("data-row") == 2  # and not once more for each acknowledgement


def test_the_panel_shows_nothing_to_who_may_not_and_nothing_of_others(bench: Bench, house: House) -> None:
    bench.receive(transmission(message()))
    bench.jobs.drain()
    assert panel(bench, house, "deal-1", "message.read") != ""
    assert panel(bench, house, "deal-1", "deal.read") == ""
    assert panel(bench, house, "deal-1", "message.read", org="delta") == ""
    assert panel(bench, house, "deal-2", "message.read") == ""


# the door for programs


def send(
    house: House, payload: bytes, *, token: str | None = None, partner: str = "nordic", **headers: str
) -> TestResponse:
    folder = house.hub.settings.data_dir
    token = secrets.resolve("file:keys/nordic-receive.token", folder) if token is None else token
    return house.client().post(
        f"/exchange/http/{partner}", data=payload, headers={"Authorization": f"Bearer {token}", **headers}
    )


def invoice(document: str = "INV-1", number: str = "1", **facts: str) -> bytes:
    envelope = {"standard": "ubl", "number": number, "from": "0088|7301234000006", "to": "0088|6901234000016", **facts}
    return transmission(message(type="Invoice", document=document), **envelope)


def test_a_posted_message_is_kept_before_it_is_answered(bench: Bench, house: House) -> None:
    answer = send(house, invoice())
    assert answer.status_code == 202
    assert answer.json == {"message": bench.messages()[0].id, "duplicate": False}
    assert bench.payloads.get(str(bench.messages()[0].payload_sha256)) == invoice()


def test_the_same_bytes_again_get_the_first_answer(bench: Bench, house: House) -> None:
    first = send(house, invoice())
    assert first.json is not None
    assert send(house, invoice()).json == {"message": first.json["message"], "duplicate": True}
    bench.jobs.drain()
    assert bench.booked() == ["INV-1"]


def test_one_idempotency_key_is_one_row_and_never_hides_other_bytes(bench: Bench, house: House) -> None:
    key = {"Idempotency-Key": "k-1"}
    first, again = send(house, invoice(), **key), send(house, invoice(), **key)
    assert first.json == again.json
    send(house, invoice("INV-2", "2"), **key)
    bench.jobs.drain()
    assert sorted(map(str, bench.booked())) == ["INV-1", "INV-2"]


@pytest.mark.parametrize("token", ["", "wrong", "ключ"])
@pytest.mark.parametrize("partner", ["nordic", "ningbo", "nobody", "haidi"])
def test_without_the_partners_token_nothing_is_taken(bench: Bench, house: House, token: str, partner: str) -> None:
    answer = send(house, invoice(), token=token.encode().decode("latin-1"), partner=partner)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert bench.messages() == []


def test_one_partners_token_opens_no_other_door(bench: Bench, house: House) -> None:
    assert send(house, invoice(), partner="ningbo").status_code == 401


def test_what_is_no_edi_is_a_problem_and_kept(bench: Bench, house: House) -> None:
    answer = send(house, b"Dear Haidi")
    assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")
    body = json.loads(answer.data)
    assert body["rule"] == "not-edi"
    assert bench.message(body["message"]).validation_reason == "not-edi"
    findings = house.signed_in("owner").get(f"/messages/{body['message']}").text.split("Findings")[1].split("Steps")[0]
    assert "This is neither EDI nor XML." in findings
    assert "Nothing was found." not in findings


def test_an_empty_and_an_oversized_body_are_problems(bench: Bench, house: House) -> None:
    assert send(house, b"").status_code == 400
    assert send(house, b"x" * (20 * 1024**2 + 1)).status_code == 413
    assert bench.messages() == []


# schedules


@pytest.fixture
def scheduled(bench: Bench) -> str:
    with bench.database.write() as session:
        schedules.put(
            session, "poll:ningbo.drop", kind=POLL, target="ningbo.drop", owner="haidi", every_s=2, late_after_s=60
        )
    return "poll:ningbo.drop"


def test_a_channel_not_looked_into_for_long_is_late(
    bench: Bench, house: House, scheduled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = house.signed_in("owner")
    page = client.get("/schedules").text
    assert "Ningbo Valves" in page
    assert "Not yet" in page
    assert "ningbo.drop" not in client.get("/schedules?only=late").text
    later = clock.now() + timedelta(minutes=5)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "ningbo.drop" in client.get("/schedules?only=late").text
    with bench.database.read("haidi") as session:
        (entry,) = web.late_section(bench.exchange.partners.name_of).entries(session, None)  # type: ignore[arg-type]
    assert entry.title == "Ningbo Valves"


def test_sync_now_looks_into_the_channel_at_once(bench: Bench, house: House, scheduled: str) -> None:
    path = bench.drop(transmission(message()))
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 60))
    assert post(house.signed_in("owner"), f"/schedules/{scheduled}/sync").status_code == 303
    bench.jobs.drain()
    assert bench.booked() == ["PO-1"]


def test_a_stranger_neither_sees_nor_starts_a_sync(bench: Bench, house: House, scheduled: str) -> None:
    client = house.signed_in("stranger")
    assert "ningbo" not in client.get("/schedules").text.lower()
    assert post(client, f"/schedules/{scheduled}/sync").status_code == 404
