"""Every route and every id, tried as the owner, as a member without roles, as a stranger, and by nobody at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Blueprint

from tests.web.house import OURS, House, build, post
from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.web import UnguardedView

OPEN_TO_ALL = {
    "home.health", "metrics", "signin.sign_in", "signin.sign_in_by_password", "signin.link", "signin.open_link",
    "signin.ask_passkey", "signin.sign_in_by_passkey", "signin.speak", "signin.colours", "static", "crates.broken",
    "apidoc.openapi", "apidoc.reference", "notices.stop", "notices.stopped",
}  # fmt: skip
"""The only doors that open without signing in. A new one is a decision, so it is written here too."""


def routes(house: House) -> list[tuple[str, str, str]]:
    """Return (endpoint, method, url) of every route; a route whose ids have no sample is an error of the test."""
    found = []
    with house.app.test_request_context():
        for rule in house.app.url_map.iter_rules():
            missing = rule.arguments - house.samples.keys()
            assert not missing, f"give tests/web/house.py a sample of {missing} for {rule.rule}"
            url = house.app.url_map.bind("localhost").build(
                rule.endpoint, {n: house.samples[n] for n in rule.arguments}
            )
            found += [(rule.endpoint, method, url) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def test_nobody_gets_in_without_signing_in(house: House) -> None:
    for endpoint, method, url in routes(house):
        answer = house.client().open(url, method=method, buffered=True)
        if endpoint in OPEN_TO_ALL:
            assert answer.status_code not in (302, 401, 403), (method, url)
        else:
            assert answer.status_code in (302, 401), (method, url, answer.status_code)


def test_a_form_without_the_sessions_token_is_refused(house: House) -> None:
    client = house.signed_in("owner")
    for endpoint, method, url in routes(house):
        if method != "GET" and endpoint != "crates.intake":
            assert client.open(url, method=method).status_code == 400, (method, url)


def test_a_member_without_roles_may_do_nothing_that_needs_one(house: House) -> None:
    client = house.signed_in("member")
    for endpoint, method, url in routes(house):
        access = http.access_of(house.app.view_functions[endpoint])
        if access is not None and access.permission and not access.token_only:
            answer = client.get(url) if method == "GET" else post(client, url)
            assert answer.status_code == 403, (method, url, answer.status_code)


def test_a_stranger_finds_nothing_of_another_organisation(house: House) -> None:
    client = house.signed_in("stranger")
    for endpoint, method, url in routes(house):
        access = http.access_of(house.app.view_functions[endpoint])
        if access is not None and access.permission and not access.token_only and "-1" in url + house.people["member"]:
            if not any(each in url for each in ("crate-1", house.people["member"])):
                continue
            answer = client.get(url) if method == "GET" else post(client, url)
            assert answer.status_code == 404, (method, url, answer.status_code)


def test_the_owner_gets_all_pages(house: House) -> None:
    client = house.signed_in("owner")
    for endpoint, method, url in routes(house):
        if method == "GET" and endpoint not in ("signin.sign_in", "signin.link", "notices.stop", "crates.broken"):
            assert client.get(url, buffered=True).status_code == 200, url


def test_a_list_shows_ones_own_alone(house: House) -> None:
    assert house.signed_in("stranger").get("/deals").text == "Theirs"


def test_a_view_that_names_no_permission_keeps_the_house_closed(database: Database, tmp_path: Path) -> None:
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", view_func=lambda: "all partners", endpoint="view")
    with pytest.raises(UnguardedView, match=r"forgotten\.view"):
        build(database, tmp_path, extra=(forgotten,))


def test_a_view_added_after_the_start_is_not_run(house: House) -> None:
    house.app.view_functions["crates.listed"] = lambda: "all partners"
    answer = house.client().get("/deals")
    assert answer.status_code == 500
    assert "all partners" not in answer.text


def test_a_token_opens_its_own_door_and_no_other(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.token(OURS, 'exchange.send')}"}
    assert house.client().post("/exchange/http/nordic", headers=headers).text == "nordic haidi"
    for endpoint, method, url in routes(house):
        if endpoint not in OPEN_TO_ALL | {"crates.intake", "home.queue", "home.search"}:
            answer = house.client().open(url, method=method, headers=headers)
            assert answer.status_code in (400, 403, 422), (method, url, answer.status_code)


def test_a_cookie_does_not_open_the_door_of_tokens(house: House) -> None:
    assert house.signed_in("owner").post("/exchange/http/nordic").status_code == 401
