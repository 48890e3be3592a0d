"""The door: links, passwords, limits, sessions."""

from __future__ import annotations

import json
from datetime import timedelta
from statistics import median
from time import perf_counter
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from tests.device import Device
from tests.people import PASSWORD
from tests.web.house import OURS, THEIRS, House, later, post, sign_in, token_in
from tradehub.platform import audit, clock, security
from tradehub.platform.http import Principal, local_path
from tradehub.platform.passkeys import Passkeys, Site
from tradehub.platform.security import LinkRefused, PasswordRefused, check_password

FAR_FROM_HOME = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\evil.example", "https:evil.example",
    "https://evil.example", "javascript:alert(1)", "/%09/evil.example\t", "/\t/evil.example", "/\n/evil.example",
    "evil.example", "", "  /", "/a\\..\\b", "\x00/", "/ok\r\nSet-Cookie: a=b",
)  # fmt: skip


def test_a_link_works_once_and_sets_the_password(house: House) -> None:
    secret = house.link_for("member")
    client = house.client()
    page = client.get(f"/sign-in/{secret}")
    assert page.headers["Referrer-Policy"] == "strict-origin"
    form = {"csrf_token": token_in(page), "password": "another fine day"}
    assert client.post(f"/sign-in/{secret}", data=form).status_code == 303
    assert client.get("/account").status_code == 200

    other = house.client()
    assert other.get(f"/sign-in/{secret}").status_code == 404
    assert sign_in(house.client(), "member@example.com", PASSWORD).status_code == 401
    assert sign_in(house.client(), "Member@Example.com ", "another fine day").status_code == 303


def test_looking_at_a_link_does_not_use_it_up(house: House) -> None:
    secret = house.link_for("member")
    assert [house.client().get(f"/sign-in/{secret}").status_code for _ in range(3)] == [200, 200, 200]


def test_a_link_ends_after_a_day_and_with_the_next_one(house: House) -> None:
    first = house.link_for("member")
    second = house.link_for("member")
    assert house.client().get(f"/sign-in/{first}").status_code == 404
    with later(security.LINK_LIFE):
        assert house.client().get(f"/sign-in/{second}").status_code == 404


def test_a_refused_password_leaves_the_link_good(house: House) -> None:
    secret = house.link_for("member")
    client = house.client()
    form = {"csrf_token": token_in(client.get(f"/sign-in/{secret}")), "password": "short"}
    assert client.post(f"/sign-in/{secret}", data=form).status_code == 422
    assert client.get(f"/sign-in/{secret}").status_code == 200


def test_no_organisation_gets_a_link_into_another_one(house: House) -> None:
    with house.hub.database.write() as session:
        house.security.add_user(session, OURS, "stranger@example.com", "Stranger", ["viewer"])
    with house.hub.database.write(org=OURS) as session, pytest.raises(LinkRefused):
        house.security.issue_link(session, house.people["stranger"], OURS)
    with house.hub.database.write() as session:
        assert house.security.issue_link(session, house.people["stranger"], THEIRS)


def test_signing_in_gives_a_new_session_whatever_the_client_brought(house: House) -> None:
    client = house.client()
    client.set_cookie("session", "chosen-by-an-attacker")
    sign_in(client, "owner@example.com", PASSWORD)
    mine = client.get_cookie("session")
    assert mine is not None
    assert mine.value != "chosen-by-an-attacker"
    assert len(mine.value) >= 43
    before = mine.value
    sign_out(client)
    sign_in(client, "owner@example.com", PASSWORD)
    again = client.get_cookie("session")
    assert again is not None
    assert again.value != before


def test_the_password_given_again_gives_the_session_a_new_secret_and_the_old_one_is_dead(house: House) -> None:
    """ASVS 7.2.4; the forms of other tabs, made before that, stay good."""
    client, thief = house.signed_in("owner"), house.client()
    before = client.get_cookie("session")
    assert before is not None
    thief.set_cookie("session", before.value)
    other_tab = token_in(client.get("/account"))
    for _ in range(2):
        answer = post(client, "/confirm-it-is-you", confirm_password=PASSWORD, next="/account")
        assert answer.headers["Location"] == "/account"
    after = client.get_cookie("session")
    assert after is not None
    assert after.value != before.value
    assert thief.get("/account").status_code == 302
    assert client.get("/account").text.count(">This one<") == 1
    assert client.post("/account/zone", data={"csrf_token": other_tab}).status_code == 303


def test_signing_out_kills_the_session_on_the_server(house: House) -> None:
    client = house.signed_in("owner")
    stolen = client.get_cookie("session")
    assert stolen is not None
    sign_out(client)
    thief = house.client()
    thief.set_cookie("session", stolen.value)
    assert thief.get("/account").status_code == 302


@pytest.mark.parametrize("idle", [security.SESSION_IDLE, security.SESSION_LIFE])
def test_a_session_ends_when_it_lies_idle(house: House, idle: timedelta) -> None:
    client = house.signed_in("owner")
    with later(idle):
        assert client.get("/account").status_code == 302


def test_a_session_in_use_ends_after_a_week_all_the_same(house: House) -> None:
    client = house.signed_in("owner")
    with clock.frozen(clock.now()) as standing:
        for _ in range(27):
            standing.move(timedelta(hours=6))
            assert client.get("/account").status_code == 200
        standing.move(timedelta(hours=6))
        assert client.get("/account").status_code == 302


def test_a_changed_password_ends_every_other_session(house: House) -> None:
    here, there = house.signed_in("owner"), house.signed_in("owner")
    answer = post(here, "/account/password", old=PASSWORD, new="a better one by far")
    assert answer.status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302


def test_who_is_removed_or_disabled_is_out_at_once(house: House) -> None:
    client = house.signed_in("member")
    assert post(house.signed_in("owner"), f"/users/{house.people['member']}/leave").status_code == 303
    assert client.get("/account").status_code == 302
    stranger = house.signed_in("stranger")
    with house.hub.database.write() as session:
        house.security.disable(session, house.people["stranger"])
    assert stranger.get("/account").status_code == 302
    assert sign_in(house.client(), "stranger@example.com", PASSWORD).status_code == 401


@pytest.mark.parametrize("email", ["owner@example.com", "nobody@example.com"])
def test_guessing_at_one_account_is_stopped(house: House, email: str) -> None:
    client = house.client()
    answers = [sign_in(client, email, f"wrong {n}") for n in range(security.ATTEMPTS_PER_ACCOUNT + 1)]
    assert [each.status_code for each in answers] == [401] * security.ATTEMPTS_PER_ACCOUNT + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= security.ATTEMPT_WINDOW.total_seconds()
    assert sign_in(client, "owner@example.com", PASSWORD).status_code == (429 if email.startswith("owner") else 303)


def test_guessing_at_many_accounts_from_one_address_is_stopped(house: House) -> None:
    client = house.client()
    form = {"csrf_token": token_in(client.get("/sign-in")), "password": "wrong"}
    statuses = [
        client.post("/sign-in", data=form | {"email": f"{n}@example.com"}).status_code
        for n in range(security.ATTEMPTS_PER_ADDRESS + 1)
    ]
    assert statuses == [401] * security.ATTEMPTS_PER_ADDRESS + [429]
    with later(security.ATTEMPT_WINDOW):
        assert sign_in(house.client(), "owner@example.com", PASSWORD).status_code == 303


def test_an_unknown_account_gets_the_same_answer_in_the_same_time(house: House) -> None:
    from argon2 import PasswordHasher

    house.security._hasher = PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1)
    house.security._dummy = house.security._hasher.hash("x" * 43)
    house.security.open_link(house.link_for("owner"), PASSWORD)
    times: dict[str, list[float]] = {"owner@example.com": [], "nobody@example.com": []}
    for n in range(8):
        for email in times:
            start = perf_counter()
            with pytest.raises(security.SignInRefused):
                house.security.sign_in(email, f"wrong {n}", address=f"10.0.0.{n}")
            times[email].append(perf_counter() - start)
    known, unknown = (median(each) for each in times.values())
    assert abs(known - unknown) < 0.5 * max(known, unknown), (known, unknown)


def with_passkey(house: House, name: str) -> Device:
    """Give a person a passkey for this host."""
    device, passkeys = Device(Site("localhost")), Passkeys(house.hub.database)
    who = Principal(house.people[name], OURS, name.capitalize(), email=f"{name}@example.com", session="s")
    passkeys.add(who, device.site, device.make(passkeys.invite(who, device.site)), "Phone")
    return device


def sign_in_with(client: FlaskClient, device: Device, owner: str, **form: str):
    token = token_in(client.get("/sign-in"))
    asked = client.post("/sign-in/passkey/ask", data={"csrf_token": token})
    assert json.loads(asked.text)["userVerification"] == "required"
    answer = device.answer(asked.text, owner=owner)
    return client.post("/sign-in/passkey", data={"csrf_token": token, "passkey": answer, **form})


def test_a_passkey_opens_a_session_like_a_password(house: House) -> None:
    """It is a new one, fresh, leads on to the page that was wanted, and stands in the record."""
    device, client = with_passkey(house, "member"), house.client()
    answer = sign_in_with(client, device, house.people["member"], next="/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert "session=" in answer.headers["Set-Cookie"]
    assert "member@example.com" in client.get("/account").text
    with house.hub.database.read() as session:
        actions = session.scalars(select(audit.AuditEntry.action).where(audit.AuditEntry.chain == "security"))
        assert "sign-in.passkey" in set(actions)
        assert audit.verify(session, "security") is None


def test_no_passkey_lets_in_who_is_disabled_or_another(house: House) -> None:
    device, member = with_passkey(house, "member"), house.people["member"]
    assert sign_in_with(house.client(), device, house.people["owner"]).status_code == 401
    with house.hub.database.write() as session:
        house.security.disable(session, member)
    refused = sign_in_with(house.client(), device, member)
    assert refused.status_code == 401
    assert "The passkey was not accepted." in refused.text


def test_trying_passkeys_from_one_address_is_stopped(house: House) -> None:
    client = house.client()
    form = {"csrf_token": token_in(client.get("/sign-in")), "passkey": "{}"}
    found = [client.post("/sign-in/passkey", data=form) for _ in range(security.ATTEMPTS_PER_ADDRESS + 1)]
    assert [each.status_code for each in found] == [401] * security.ATTEMPTS_PER_ADDRESS + [429]
    assert 0 < int(found[-1].headers["Retry-After"]) <= security.ATTEMPT_WINDOW.total_seconds()


def test_sign_ins_stand_in_the_record(house: House) -> None:
    house.signed_in("owner")
    with house.hub.database.read() as session:
        assert audit.verify(session, "security") is None


@pytest.mark.parametrize("target", FAR_FROM_HOME)
def test_an_address_elsewhere_is_not_local(target: str) -> None:
    assert local_path(target) == "/"


def test_nobody_is_sent_to_another_site(house: House) -> None:
    for target in FAR_FROM_HOME:
        client = house.client()
        assert sign_in(client, "owner@example.com", PASSWORD, onward=target).headers["Location"] == "/", target
        assert client.get(f"/sign-in?next={quote(target)}").headers["Location"] == "/", target
        assert post(client, "/theme", theme="dark", next=target).headers["Location"] == "/", target


@given(st.text())
def test_a_local_path_starts_with_one_slash(target: str) -> None:
    path = local_path(target)
    assert path[0] == "/"
    assert path[1:2] not in ("/", "\\")
    assert not any(each.isspace() and ord(each) < 0x80 for each in path)


def test_who_was_sent_to_sign_in_comes_back_to_the_page(house: House) -> None:
    client = house.client()
    where = client.get("/deals?only=late&page=2").headers["Location"]
    assert where == "/sign-in?next=%2Fdeals%3Fonly%3Dlate%26page%3D2"
    assert sign_in(client, "owner@example.com", PASSWORD, "/deals?only=late&page=2").headers["Location"].endswith("=2")


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("1234567", "short"),
        ("x" * 129, "long"),
        ("password", "common"),
        ("Baseball", "common"),
        ("aaaaaaaaaa", "common"),
        ("tradehub1", "personal"),
        ("LinHaidi!", None),
        ("haiyan.lin2026", "personal"),
        ("aaa bbb c", None),
        ("密码是一句很长的话", None),
        ("密码", "short"),
    ],
)
def test_a_password_is_judged_by_length_and_by_how_well_known_it_is(password: str, rule: str | None) -> None:
    if rule is None:
        check_password(password, personal=("haiyan.lin",))
    else:
        with pytest.raises(PasswordRefused) as refused:
            check_password(password, personal=("haiyan.lin",))
        assert refused.value.rule == rule


@given(st.text(min_size=1, max_size=64))
def test_a_password_is_the_same_however_it_is_typed(password: str) -> None:
    import unicodedata

    spellings = {unicodedata.normalize(form, password) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    outcomes = set()
    for each in spellings:
        try:
            outcomes.add(check_password(each))
        except PasswordRefused as refused:
            outcomes.add(refused.rule)
    assert len(outcomes) == 1


def sign_out(client: object) -> None:
    post(client, "/sign-out")  # type: ignore[arg-type]
