"""The application with tenders alone in it, and the people of the buyer and two suppliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flask import Blueprint, Flask

from tests.negotiation.pages import Browser
from tests.people import CHEAP, let_in
from tests.sourcing.tenders.conftest import DELTA, HAIDI, NAMES, NINGBO, House
from tradehub.documents import PartyId
from tradehub.partners.authority import Wanted
from tradehub.platform.db import Database
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section
from tradehub.sourcing.tenders import api, web
from tradehub.web import create_app

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
class Asked:
    """Remembers what approval was asked for, and with which note."""

    wanted: list[tuple[Wanted, str]] = field(default_factory=list)

    def ask(self, session, asker, wanted: Wanted, note: str, key: str) -> str:
        self.wanted.append((wanted, note))
        return "/"


@dataclass
class Hub:
    house: House
    settings: Settings
    asked: Asked = field(default_factory=Asked)

    @property
    def database(self) -> Database:
        return self.house.database

    def blueprints(self) -> Sequence[Blueprint]:
        return (
            web.blueprint(self.house.service, self.house.database, suggest=suggest, ask=self.asked.ask),
            api.blueprint(self.house.service, self.house.database, suggest=suggest, ask=self.asked.ask),
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
        for name, org in PEOPLE:
            let_in(security, session, org, f"{name}@{org}.example", list(ROLES))
    return app


class Window(Browser):
    """A browser in which one of the people is signed in."""

    def __init__(self, app: Flask, name: str) -> None:
        super().__init__(app, f"{name}@{dict(PEOPLE)[name]}.example")
