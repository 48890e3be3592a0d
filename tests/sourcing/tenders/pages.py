"""The application with tenders alone in it, and the people of the buyer and two suppliers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from argon2 import PasswordHasher
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.sourcing.tenders.conftest import DELTA, HAIDI, NAMES, NINGBO, House
from tradehub.documents import PartyId
from tradehub.platform.db import Database
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section
from tradehub.sourcing.tenders import api, web
from tradehub.web import create_app

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
PEOPLE = (("li", HAIDI), ("mo", HAIDI), ("yu", HAIDI), ("nina", NINGBO), ("dan", DELTA))


@dataclass(frozen=True)
class Suggestion:
    id: PartyId
    name: str
    hint: str = ""


def suggest(session, text) -> list[Suggestion]:
    wanted = text.casefold()
    return [
        Suggestion(PartyId(i), n) for i, n in NAMES.items() if i != HAIDI and (wanted in n.casefold() or wanted in i)
    ]


@dataclass
class Hub:
    house: House
    settings: Settings

    @property
    def database(self) -> Database:
        return self.house.database

    def blueprints(self) -> Sequence[Blueprint]:
        return (
            web.blueprint(self.house.service, self.house.database, suggest=suggest),
            api.blueprint(self.house.service, self.house.database),
        )

    def sections(self) -> Sequence[Section]:
        return (web.section(self.house.service),)

    def searches(self) -> Sequence[Search]:
        return (web.search(self.house.service),)


def build(house: House, folder: Path) -> Flask:
    """Return the application; everybody in it may do everything for their own house."""
    app = create_app(Hub(house, Settings(data_dir=folder, _env_file=None)), hasher=CHEAP)
    security = Security(house.database, CHEAP)
    with house.database.write() as session:
        for org, name in NAMES.items():
            security.add_organisation(session, PartyId(org), name)
        links = []
        for name, org in PEOPLE:
            user = security.add_user(session, org, f"{name}@{org}.example", name.capitalize(), list(ROLES))
            links.append(security.issue_link(session, user, org))
    for link in links:
        security.open_link(link, PASSWORD)
    return app


def form_fields(page: str, action: str) -> list[tuple[str, str]]:
    """Return what a browser would post from the form of ``page`` that goes to ``action``."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert found, f"no form to {action}"
    body = re.sub(r"<template.*?</template>", "", found[1], flags=re.DOTALL)
    fields = []
    for tag in re.finditer(
        r"<(input|textarea|select)\b([^>]*)>(.*?)(?=<(?:input|textarea|select|button)\b|$)", body, re.DOTALL
    ):
        kind, head, rest = tag.groups()
        name = re.search(r'\bname="([^"]*)"', head)
        if (
            not name
            or ('type="checkbox"' in head and "checked" not in head)
            or ('type="radio"' in head and "checked" not in head)
        ):
            continue
        if kind == "textarea":
            value = rest.split("</textarea>")[0]
        elif kind == "select":
            options = re.findall(r'<option value="([^"]*)"( selected)?', rest)
            value = next((v for v, chosen in options if chosen), options[0][0] if options else "")
        else:
            given = re.search(r'\bvalue="([^"]*)"', head)
            value = given[1] if given else ""
        fields.append((name[1], unescape(value)))
    return fields


class Window:
    """A test client that fills in forms as the page has them."""

    def __init__(self, app: Flask, name: str) -> None:
        self.client: FlaskClient = app.test_client()
        org = dict(PEOPLE)[name]
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/sign-in").text)
        assert token
        entry = {"email": f"{name}@{org}.example", "password": PASSWORD, "next": "/", "csrf_token": token[1]}
        assert self.client.post("/sign-in", data=entry).status_code == 303

    def get(self, url: str, status: int = 200) -> str:
        answer = self.client.get(url)
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:3000]}"
        return answer.text

    def send(self, page: str, action: str, changes: dict | None = None, status: int = 303) -> TestResponse:
        """Post the form of ``page`` that goes to ``action`` with some fields changed (a list sets a column)."""
        fields = form_fields(page, action)
        for name, value in (changes or {}).items():
            values = value if isinstance(value, list) else [value]
            fields = [each for each in fields if each[0] != name] + [(name, each) for each in values]
        posted: dict[str, list[str]] = {}
        for name, value in fields:
            posted.setdefault(name, []).append(value)
        answer = self.client.post(action, data=posted)
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:6000]}"
        return answer
