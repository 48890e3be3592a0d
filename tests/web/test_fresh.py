"""Before an act that binds the password is asked for once more (ASVS 7.5.1), and nothing that was typed is lost."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from flask import Blueprint, request

from tests.people import PASSWORD
from tests.web.house import OURS, House, build, later, post, sign_in, token_in
from tradehub.platform import audit, clock, http, security
from tradehub.platform.security import FRESH_FOR, SignInRefused, TooManyAttempts

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""How a session is renewed in the database stands in test_sign_in.py, for both."""

INVITE = {"email": "new@example.com", "name": "New <One>", "roles": ["viewer", "operator"]}


@pytest.fixture
def noted() -> list[dict[str, list[str]]]:
    return []


@pytest.fixture
def house(database, tmp_path, noted) -> House:
    """A house with one act that binds; it notes each form that it was given."""
    pages = Blueprint("binding", __name__)

    @pages.post("/bind")
    @http.requires_fresh
    @http.requires("deal.bind")
    def bind() -> str:
        noted.append(request.form.to_dict(flat=False))
        return "bound"

    @pages.get("/bind")
    @http.requires_fresh
    @http.requires("deal.bind")
    def look() -> str:
        return "look"

    return build(database, tmp_path, extra=(pages,))


def carried(page: str) -> dict[str, list[str]]:
    """The hidden fields of the page that asks for the password."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r'<input type="hidden"[^>]*>', page[page.index("<main") :]):
        name, value = (re.search(rf'{each}="([^"]*)"', tag)[1] for each in ("name", "value"))
        found.setdefault(name, []).append(unescape(value))
    return found


def test_whoever_has_just_signed_in_is_not_asked_again(house, noted):
    with clock.frozen(clock.now()) as standing:
        client = house.signed_in("owner")
        standing.move(FRESH_FOR - timedelta(microseconds=1))
        assert post(client, "/bind", price="12.40").text == "bound"
        standing.move(timedelta(microseconds=1))
        assert post(client, "/bind").status_code == 403
    assert noted[0]["price"] == ["12.40"]


def test_a_link_that_set_the_password_counts_as_well(house):
    client = house.client()
    secret = house.link_for("owner")
    form = {"csrf_token": token_in(client.get(f"/sign-in/{secret}")), "password": PASSWORD}
    client.post(f"/sign-in/{secret}", data=form)
    assert post(client, "/bind").text == "bound"


def test_after_a_while_the_page_asks_and_its_one_button_does_the_act(house, noted):
    client = house.signed_in("owner")
    with later(FRESH_FOR):
        page = post(client, "/bind", price='12.40 "x"', line=["a", "b"], form_id="form-1234")
        assert page.status_code == 403
        assert "Confirm that it is you" in page.text
        assert noted == []
        form = carried(page.text)
        assert (form["price"], form["line"], form["form_id"]) == (['12.40 "x"'], ["a", "b"], ["form-1234"])
        assert 'action="/bind"' in page.text
        done = client.post("/bind", data={**form, "confirm_password": PASSWORD})
        assert done.text == "bound"
        assert noted[0]["line"] == ["a", "b"]
        assert post(client, "/bind").text == "bound"


def test_looking_is_not_acting(house):
    client = house.signed_in("owner")
    with later(FRESH_FOR):
        assert client.get("/bind").text == "look"


def test_a_wrong_password_keeps_the_form_and_does_nothing(house, noted):
    client = house.signed_in("owner")
    with later(FRESH_FOR):
        page = post(client, "/bind", price="12.40", confirm_password="wrong")
        assert page.status_code == 403
        assert "This is not your password." in page.text
        assert carried(page.text)["price"] == ["12.40"]
        assert "wrong" not in page.text
        assert noted == []
        assert post(client, "/bind").status_code == 403


def test_the_password_of_somebody_else_is_a_wrong_one(house):
    client = house.signed_in("owner")
    post(house.signed_in("member"), "/account/password", old=PASSWORD, new="another fine day")
    with later(FRESH_FOR):
        assert post(client, "/bind", confirm_password="another fine day").status_code == 403


def test_guessing_is_limited_together_with_signing_in(house, noted):
    client = house.signed_in("owner")
    with later(FRESH_FOR):
        for _ in range(security.ATTEMPTS_PER_ACCOUNT // 2):
            assert post(client, "/bind", confirm_password="guess").status_code == 403
            assert sign_in(house.client(), "owner@example.com", "guess").status_code == 401
        answer = post(client, "/bind", confirm_password=PASSWORD, price="1")
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert carried(answer.text)["price"] == ["1"]
        assert noted == []


def test_a_renewed_session_ends_when_the_first_one_would_have(house):
    client = house.signed_in("owner")
    with clock.frozen(clock.now()) as standing:
        for _ in range(27):
            standing.move(timedelta(hours=6))
            assert post(client, "/confirm-it-is-you", confirm_password=PASSWORD).status_code == 303
        standing.move(timedelta(hours=6))
        assert client.get("/account").status_code == 302


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
def test_the_page_leads_back_into_this_site_alone(house, onward):
    client = house.signed_in("owner")
    answer = post(client, "/confirm-it-is-you", confirm_password=PASSWORD, next=onward)
    assert answer.headers["Location"] == "/"
    assert post(client, "/confirm-it-is-you", confirm_password=PASSWORD, next="/deals").headers["Location"] == "/deals"
    page = client.get("/confirm-it-is-you?next=/deals")
    assert (page.status_code, carried(page.text)["next"]) == (200, ["/deals"])


def test_permission_and_token_of_the_form_come_first(house):
    member, owner = house.signed_in("member"), house.signed_in("owner")
    with later(FRESH_FOR):
        refused = post(member, "/bind", confirm_password=PASSWORD)
        assert refused.status_code == 403
        assert "Confirm that it is you" not in refused.text
        assert owner.post("/bind", data={"confirm_password": PASSWORD}).status_code == 400


def test_a_program_is_not_asked_but_needs_the_scope(house):
    for scope, status in (("deal.bind", 200), ("deal.read", 403)):
        headers = {"Authorization": f"Bearer {house.token(OURS, scope)}"}
        assert house.client().post("/bind", headers=headers).status_code == status
    headers = {"Authorization": f"Bearer {house.token(OURS, 'deal.bind')}"}
    assert house.client().get("/confirm-it-is-you", headers=headers).status_code == 403


def test_a_client_that_wants_data_gets_a_problem(house):
    client = house.signed_in("owner")
    token = token_in(client.get("/account"))
    with later(FRESH_FOR):
        answer = client.post("/bind", data={"csrf_token": token}, headers={"Accept": "application/json"})
        assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
        assert "confirm_password" in answer.json["detail"]


def test_htmx_and_files_are_led_over_a_page_of_its_own(house):
    client = house.signed_in("owner")
    token = token_in(client.get("/account"))
    with later(FRESH_FOR):
        headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/deals"}
        answer = client.post("/bind", data={"csrf_token": token}, headers=headers)
        assert answer.headers["HX-Redirect"] == "/confirm-it-is-you?next=%2Fdeals"
        upload = {"csrf_token": token, "file": (BytesIO(b"x"), "x.txt")}
        page = client.post("/bind", data=upload, headers={"Referer": "http://localhost/deals"})
        assert 'action="/confirm-it-is-you"' in page.text
        assert carried(page.text)["next"] == ["/deals"]


def test_it_is_on_record(house):
    post(house.signed_in("owner"), "/confirm-it-is-you", confirm_password=PASSWORD)
    with house.hub.database.read() as session:
        last = session.query(audit.AuditEntry).filter_by(chain="security").order_by(audit.AuditEntry.number.desc())
        assert (last.first().action, last.first().actor) == ("sign-in.confirmed", house.people["owner"])


def test_a_session_that_was_ended_elsewhere_is_not_renewed(house):
    client = house.signed_in("owner")
    secret = client.get_cookie("session").value
    who = house.security.principal_of(secret)
    with house.hub.database.write() as session:
        house.security.sign_out(session, who.session)
    with pytest.raises(SignInRefused):
        house.security.confirm(who, PASSWORD, address="192.0.2.1")


def test_the_limit_counts_before_the_password_is_looked_at(house):
    who = house.security.principal_of(_secret(house))
    for _ in range(security.ATTEMPTS_PER_ACCOUNT):
        with pytest.raises(SignInRefused):
            house.security.confirm(who, "guess", address="192.0.2.1")
    with pytest.raises(TooManyAttempts):
        house.security.confirm(who, PASSWORD, address="192.0.2.2")


def _secret(house: House) -> str:
    return house.signed_in("owner").get_cookie("session").value


def test_roles_are_given_by_somebody_who_has_just_given_the_password(house):
    client = house.signed_in("owner")
    with later(FRESH_FOR):
        page = post(client, "/users", **INVITE)
        assert page.status_code == 403
        form = carried(page.text)
        assert client.post("/users", data={**form, "confirm_password": PASSWORD}).status_code == 200
    with house.hub.database.read() as session:
        assert {user.name: sorted(of.roles) for user, of in house.security.members(session, OURS)}["New <One>"] == [
            "operator",
            "viewer",
        ]


def test_nobody_gives_roles_to_themselves(house):
    answer = post(house.signed_in("owner"), "/users", email="Owner@example.com", name="Me", roles=["viewer"])
    assert answer.status_code == 422
    assert "Nobody gives roles to themselves" in answer.text
