"""A small house to try the web shell on: a hub without a trade, one page of each kind, three people."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.test import TestResponse

from tests.people import CHEAP, PASSWORD, let_in
from tradehub.documents import PartyId
from tradehub.platform import clock, http, ids
from tradehub.platform.db import Base, Database, Scoped
from tradehub.platform.http import Principal
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Entry, Search, Section
from tradehub.web import create_app

OURS, THEIRS = PartyId("haidi"), PartyId("delta")


class Crate(Scoped, Base):
    """Something that belongs to one organisation; it stands for everything that a capability keeps."""

    __tablename__ = "test_crate"

    id: Mapped[str] = mapped_column(primary_key=True)
    org: Mapped[str]
    label: Mapped[str]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


def crates(database: Database) -> Blueprint:
    pages = Blueprint("crates", __name__)

    @pages.get("/deals/<crate_id>")
    @http.requires("deal.read")
    def crate(crate_id: str) -> str:
        with database.read(org=http.principal().org) as session:
            return _show(_found(session, crate_id))

    @pages.post("/deals/<crate_id>/label")
    @http.requires("deal.negotiate")
    def label(crate_id: str) -> object:
        with database.write(org=http.principal().org) as session:
            found = _found(session, crate_id)

            def act() -> str:
                found.label += "!"
                return f"/deals/{crate_id}"

            return http.once(session, act)

    @pages.get("/deals")
    @http.requires("deal.read")
    def listed() -> str:
        with database.read(org=http.principal().org) as session:
            return " ".join(each.label for each in session.query(Crate))

    @pages.post("/exchange/http/<partner>")
    @http.requires_token("exchange.send")
    def intake(partner: str) -> str:
        return f"{partner} {http.principal().org}"

    @pages.get("/broken")
    @http.public
    def broken() -> str:
        raise ZeroDivisionError("a secret detail")

    return pages


def _found(session: Session, crate_id: str) -> Crate:
    from flask import abort

    return session.get(Crate, crate_id) or abort(404)


def _show(crate: Crate) -> str:
    return render_template_string(
        '{% extends "layout.html" %}{% block main %}{{ kit.head(label) }}'
        '{{ kit.act("/deals/" ~ id ~ "/label", _("Keep")) }}{% endblock %}',
        label=crate.label,
        id=crate.id,
    )


@dataclass
class SmallHub:
    database: Database
    settings: Settings
    extra: Sequence[Blueprint] = ()
    entries: Callable[[Session, Principal], Sequence[Entry]] = lambda _session, _who: ()
    search: Search = lambda _session, _who, _words: ()
    is_ours: bool = True

    def blueprints(self) -> Sequence[Blueprint]:
        return (*self.extra, crates(self.database))

    def sections(self) -> Sequence[Section]:
        return (
            Section("turn", "Your turn", "deal.read", self.entries, "Nobody waits for you.", "/deals", self.is_ours),
        )

    def searches(self) -> Sequence[Search]:
        return (self.search,)


@dataclass
class House:
    """The application with its people: ``owner`` and ``member`` of one organisation, ``stranger`` of another."""

    app: Flask
    hub: SmallHub
    security: Security
    people: dict[str, str] = field(default_factory=dict)
    samples: dict[str, str] = field(default_factory=dict)

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def signed_in(self, name: str) -> FlaskClient:
        client = self.client()
        answer = sign_in(client, f"{name}@example.com", PASSWORD)
        assert answer.status_code == 303, answer.text
        return client

    def link_for(self, name: str) -> str:
        with self.hub.database.write() as session:
            org = THEIRS if name == "stranger" else OURS
            return self.security.issue_link(session, self.people[name], org)

    def token(self, org: PartyId, *scopes: str, life: timedelta = timedelta(days=1)) -> str:
        with self.hub.database.write() as session:
            return self.security.issue_token(session, org, "test", scopes, life=life)


def build(database: Database, folder: Path, *, base_url: str = "", **parts: object) -> House:
    settings = Settings(data_dir=folder, database_url=database.url, base_url=base_url, _env_file=None)
    hub = SmallHub(database, settings, **parts)  # type: ignore[arg-type]
    house = House(create_app(hub, hasher=CHEAP), hub, Security(database, CHEAP))
    people = {"owner": (OURS, list(ROLES)), "member": (OURS, []), "stranger": (THEIRS, list(ROLES))}
    with database.write() as session:
        house.security.add_organisation(session, OURS, "Haidi Trading")
        house.security.add_organisation(session, THEIRS, "Delta Fluid")
        for name, (org, roles) in people.items():
            house.people[name] = let_in(house.security, session, org, f"{name}@example.com", roles)
        session.add(Crate(id="crate-1", org=OURS, label="Ours"))
        session.add(Crate(id="crate-2", org=THEIRS, label="Theirs"))
    house.samples = {
        "crate_id": "crate-1", "partner": "nordic", "code": "en", "secret": "no-such-link",
        "user_id": house.people["member"], "filename": "skin.css",
        "token_id": "no-such-token", "passkey_id": "no-such-passkey",
    }  # fmt: skip
    return house


def token_in(page: TestResponse) -> str:
    """Return the CSRF token that a page's forms carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]


def sign_in(client: FlaskClient, email: str, password: str, onward: str = "/") -> TestResponse:
    form = {"email": email, "password": password, "next": onward, "csrf_token": token_in(client.get("/sign-in"))}
    return client.post("/sign-in", data=form)


def post(client: FlaskClient, url: str, page: str = "/account", **form: object) -> TestResponse:
    """Post as the page's own form would: with its CSRF token and a form id."""
    filled = {"csrf_token": token_in(client.get(page)), "form_id": ids.new_id()} | form
    return client.post(url, data=filled)


def later(by: timedelta) -> object:
    return clock.frozen(clock.now() + by)
