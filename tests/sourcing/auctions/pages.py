"""The application with auctions alone in it: an owner, three bidders and a stranger, each with a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask

from tests.people import CHEAP, let_in
from tests.sourcing.auctions.house import NAMES, House
from tests.sourcing.auctions.words import ANN, BEN, CAI, OWNER
from tradehub.documents import PartyId
from tradehub.platform.db import Database
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section
from tradehub.sourcing.auctions import api, web
from tradehub.web import create_app

ALL = list(ROLES)
PEOPLE = (
    ("li", OWNER, ALL), ("ann", ANN, ALL), ("ben", BEN, ALL), ("cai", CAI, ALL), ("eve", ANN, ["viewer"]),
    ("sam", "stranger", ALL),
)  # fmt: skip


@dataclass(frozen=True)
class Suggestion:
    id: PartyId
    name: str
    hint: str = ""


def suggest(session, text) -> list[Suggestion]:
    return [
        Suggestion(PartyId(id), name)
        for id, name in NAMES.items()
        if id != OWNER and (text.casefold() in name.casefold() or text == id)
    ]


@dataclass
class Hub:
    house: House
    settings: Settings

    @property
    def database(self) -> Database:
        return self.house.database

    def blueprints(self) -> Sequence[Blueprint]:
        streams = web.Streams(self.settings.secret_key, self.settings.live_port, self.settings.live_url)
        pages = web.blueprint(
            self.house.service, self.house.database, suggest=suggest,
            name_of=lambda session, party: NAMES.get(party, party), streams=streams,
        )  # fmt: skip
        programs = api.blueprint(
            self.house.service, self.house.database, suggest=suggest, ask=lambda *_asked: "/approvals/1"
        )
        return (pages, programs)

    def sections(self) -> Sequence[Section]:
        return web.sections(self.house.service)

    def searches(self) -> Sequence[Search]:
        return (web.search(self.house.service),)


def email(name: str) -> str:
    return f"{name}@auction.example"


def build(house: House, folder: Path, **settings) -> Flask:
    """Return the application; eve looks on for Ann's organisation, sam belongs to none that is invited."""
    app = create_app(Hub(house, Settings(data_dir=folder, _env_file=None, **settings)), hasher=CHEAP)
    security = Security(house.database, CHEAP)
    with house.database.write() as session:
        for name, org, roles in PEOPLE:
            security.add_organisation(session, PartyId(org), NAMES.get(org, org))
            let_in(security, session, org, email(name), roles)
    return app
