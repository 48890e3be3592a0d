"""API tokens on their page: shown once, good for what was chosen, ended by a click."""

from __future__ import annotations

import re

import pytest

from tests.web.house import House, post
from tradehub.platform.security import PEOPLE_ONLY, ROLES

MADE = {"name": "ERP", "days": "90", "scopes": ["deal.read"]}


def test_a_token_is_shown_once_works_and_ends(house: House) -> None:
    owner = house.signed_in("owner")
    page = post(owner, "/tokens", page="/tokens", **MADE)
    secret = re.search(r"th_[^<\s]+", page.text)
    assert secret
    held = house.security.principal_of_token(secret[0])
    assert held is not None
    assert held.permissions == {"deal.read"}
    listed = owner.get("/tokens").text
    assert secret[0] not in listed
    token = re.search(r"/tokens/([^/]+)/revoke", listed)
    assert token
    assert post(owner, f"/tokens/{token[1]}/revoke", page="/tokens").status_code == 303
    assert house.security.principal_of_token(secret[0]) is None


def test_a_token_may_do_what_a_role_may_and_shows_when_it_was_used(house: House) -> None:
    owner = house.signed_in("owner")
    page = post(owner, "/tokens", page="/tokens", **{**MADE, "roles": ["seller"], "scopes": ["exchange.send"]})
    secret = re.search(r"th_[^<\s]+", page.text)
    assert secret
    assert "never" in owner.get("/tokens").text
    held = house.security.principal_of_token(secret[0])
    assert held is not None
    assert held.permissions == {*ROLES["seller"], "exchange.send"} - PEOPLE_ONLY
    assert "never" not in owner.get("/tokens").text


@pytest.mark.parametrize("wrong", [{"name": " "}, {"scopes": ["root"]}, {"days": "36500"}])
def test_what_is_missing_is_told(house: House, wrong: dict[str, object]) -> None:
    answer = post(house.signed_in("owner"), "/tokens", page="/tokens", **{**MADE, **wrong})
    assert answer.status_code == 422


def test_another_organisations_token_is_none_of_ours(house: House) -> None:
    page = post(house.signed_in("stranger"), "/tokens", page="/tokens", **MADE).text
    token = re.search(r"/tokens/([^/]+)/revoke", page)
    assert token
    assert post(house.signed_in("owner"), f"/tokens/{token[1]}/revoke", page="/tokens").status_code == 404
