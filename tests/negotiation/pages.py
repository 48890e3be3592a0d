"""The application with negotiation alone in it, two parties' people, and a browser of sorts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from flask import Blueprint, Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.negotiation.conftest import DELTA, NAMES, House
from tests.negotiation.words import HAIDI
from tests.people import CHEAP, PASSWORD, let_in
from tradehub.documents import PartyId
from tradehub.negotiation import api, web
from tradehub.platform.db import Database
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section
from tradehub.web import create_app


@dataclass(frozen=True)
class Suggestion:
    id: PartyId
    name: str
    hint: str = ""


def suggest(session, text) -> list[Suggestion]:
    wanted = text.casefold()
    return [
        Suggestion(PartyId(id), name)
        for id, name in NAMES.items()
        if id != HAIDI and (wanted in name.casefold() or wanted in id)
    ]


@dataclass
class Hub:
    house: House
    settings: Settings

    @property
    def database(self) -> Database:
        return self.house.database

    def blueprints(self) -> Sequence[Blueprint]:
        service, database = self.house.service, self.house.database
        return (web.blueprint(service, database, suggest=suggest), api.blueprint(service, database, suggest=suggest))

    def sections(self) -> Sequence[Section]:
        return web.sections(self.house.service)

    def searches(self) -> Sequence[Search]:
        return (web.search(self.house.service),)


def build(house: House, folder: Path) -> Flask:
    """Return the application; li@haidi and ann@delta may do everything, eve@haidi may only look."""
    app = create_app(Hub(house, Settings(data_dir=folder, _env_file=None)), hasher=CHEAP)
    security = Security(house.database, CHEAP)
    people = (
        ("li", HAIDI, list(ROLES)),
        ("ann", DELTA, list(ROLES)),
        ("eve", HAIDI, ["viewer"]),
        ("max", "rhein", list(ROLES)),
    )
    with house.database.write() as session:
        for org, name in NAMES.items():
            security.add_organisation(session, PartyId(org), name)
        for name, org, roles in people:
            let_in(security, session, org, f"{name}@{org}.example", roles)
    return app


class Browser:
    """A test client that fills in forms as the page has them."""

    def __init__(self, app: Flask, email: str) -> None:
        self.client: FlaskClient = app.test_client()
        page = self.client.get("/sign-in")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token
        answer = self.client.post(
            "/sign-in", data={"email": email, "password": PASSWORD, "next": "/", "csrf_token": token[1]}
        )
        assert answer.status_code == 303, answer.text

    def get(self, url: str, status: int = 200) -> str:
        answer = self.client.get(url)
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:2000]}"
        return answer.text

    def send(self, page: str, action: str, changes: dict | None = None, status: int = 303) -> TestResponse:
        """Post the form of ``page`` that goes to ``action`` with some fields changed (a list sets a column)."""
        fields = form_fields(page, action)
        for name, value in (changes or {}).items():
            values = value if isinstance(value, list) else [value]
            fields = [each for each in fields if each[0] != name] + [(name, each) for each in values]
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        answer = self.client.post(action, data=data)
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:3000]}"
        return answer

    def follow(self, answer: TestResponse) -> str:
        return self.get(answer.headers["Location"])


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


def text_of(page: str) -> str:
    """Return what a reader sees, spaces closed up."""
    main = page.split('<main id="main"', 1)[-1].split("</main>")[0]
    bare = re.sub(r"<(script|style|template).*?</\1>", " ", main, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", bare)))
