"""``tradehub demo``: one buyer, four suppliers on four channels, and a deal that was worked through between them.

Three suppliers are played by robots in processes of their own; the buyer and the fourth supplier are people on the
pages, each with a one-time sign-in link. What is in the data folder is found again by the next run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple

import click

from tradehub.cli import demo_auction
from tradehub.cli.serve import Background, end, remember, start, start_live, start_web, stop_on_signal
from tradehub.documents.parts import PartyId
from tradehub.exchange import secrets
from tradehub.hub import Hub
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.model import State
from tradehub.negotiation.reading import DealView, Round
from tradehub.negotiation.recording import Actor
from tradehub.partners import files
from tradehub.platform import clock, resources
from tradehub.platform.security import ROLES, Security
from tradehub.platform.settings import Settings

HOME = PartyId("haidi")
ROBOTS = ("ningbo", "rhein", "nordic")
START_S = 120
PATIENCE_S = 60
"""How long the worked deal waits for a robot's answer before it leaves the deal as it is."""


class Person(NamedTuple):
    org: PartyId
    name: str
    email: str
    lang: str
    roles: tuple[str, ...]


PEOPLE = (
    Person(HOME, "Lin Hai", "lin.hai@haidi.example", "en", tuple(ROLES)),
    Person(PartyId("delta"), "Dana Whitfield", "dana@delta-fluid.example", "en", ("seller", "approver", "viewer")),
)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path("var/demo"), help="Data folder.")
@click.option("--port", type=int, default=8000)
@click.option("--seed", type=int, default=1, help="Decides the robots' prices and dates.")
@click.option("--robot-port", type=int, default=8001, help="Where the robot of Nordic Flow listens.")
@click.option("--deal/--no-deal", default=True, help="Work a first deal through, or start empty.")
def demo(data: Path, port: int, seed: int, robot_port: int, deal: bool) -> None:
    """Start the hub with a buyer, four suppliers and a worked deal."""
    began = time.monotonic()
    robot_url = f"http://127.0.0.1:{robot_port}/"
    remember(data_dir=data, port=port, demo="true", log_level=os.environ.get("TRADEHUB_LOG_LEVEL", "WARNING"))
    remember(home_org=HOME, nordic_url=robot_url)
    settings = Settings()
    data.mkdir(parents=True, exist_ok=True)
    background = Background(settings)
    hub = background.hub
    links = settle(hub)
    live = start_live(settings)
    web = start_web(settings)
    stopped = stop_on_signal()
    robots = None
    try:
        robots = start_robots(data, settings.public_url, seed)
        background.start()
        wait_until_up(settings, web)
        welcome(settings, links, time.monotonic() - began)
        if deal and is_new(hub):
            threading.Thread(target=Story(hub, stopped, click.echo).tell, daemon=True).start()
            auction = demo_auction.hold(hub, HOME)
            threading.Thread(target=demo_auction.bid_along, args=(hub, auction, stopped), daemon=True).start()
        while not stopped.wait(0.3):
            if web.poll() is not None:
                raise click.ClickException(f"the web server ended with status {web.returncode}")
    finally:
        for each in (robots, live, web):
            if each is not None:
                end(each)
        background.stop()


def settle(hub: Hub) -> dict[str, str]:
    """Bring partners and people in, and return a fresh sign-in link for each person."""
    profiles = files.read_folder(resources.folder("partners"))
    channels = [each for profile in profiles.profiles.values() for each in profile.channels.values()]
    tokens = [token for each in channels if each.kind == "http" for token in (each.send_token, each.receive_token)]
    secrets.make_missing(tokens, hub.settings.data_dir)
    security = Security(hub.database)
    links = {}
    with hub.database.write() as session:
        hub.partners.apply(session, profiles.incoming, by="demo", at=clock.now())
        hub.schedule_polls(session)
        for person in PEOPLE:
            security.add_organisation(session, person.org, hub.partners.name_of(session, person.org))
            user = security.add_user(session, person.org, person.email, person.name, person.roles, lang=person.lang)
            secret = security.issue_link(session, user, person.org, life=timedelta(days=1))
            links[f"{person.name}, {hub.partners.name_of(session, person.org)}"] = (
                f"{hub.settings.public_url}/sign-in/{secret}"
            )
    return links


def is_new(hub: Hub) -> bool:
    with hub.database.read(org=HOME) as session:
        return not hub.negotiation.inquiries(session, size=1)[0]


def start_robots(data: Path, hub: str, seed: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tradehub", "robot", *ROBOTS]
    command += ["--data", str(data), "--hub", hub, "--seed", str(seed), "--quiet"]
    return start(command)


def wait_until_up(settings: Settings, web: subprocess.Popen[bytes]) -> None:
    """Return once the pages answer."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and web.poll() is None:
        connection = HTTPConnection(settings.host, settings.port, timeout=2)
        try:
            connection.request("GET", "/sign-in")
            if connection.getresponse().status < 500:
                return
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise click.ClickException(f"nothing answers on {settings.public_url}: is the port taken?")


def welcome(settings: Settings, links: dict[str, str], took: float) -> None:
    click.echo()
    click.secho(f"tradehub is up on {settings.public_url} ({took:.1f} s)", bold=True)
    click.echo("Sign in with one of these links, each good once:")
    for who, link in links.items():
        click.echo(f"  {who}\n    {link}")
    click.echo("Robots play Ningbo Valves (X12), Rhein Armaturen (EDIFACT) and Nordic Flow (UBL). Ctrl-C stops all.")
    click.echo()


class Story:
    """The first deal, told through the services that the pages use: inquire, counter, accept, and leave one open."""

    def __init__(self, hub: Hub, stopped: threading.Event, say: Callable[[str], None]) -> None:
        self.hub = hub
        self.stopped = stopped
        self.say = say
        self.actor = Actor(HOME, name=PEOPLE[0].name)

    def tell(self) -> None:
        self.say("A first deal is being worked through; look at it grow.")
        inquiry = self.inquire()
        ningbo = self.deal_with(inquiry, "ningbo")
        offer = self.wait_for_offer(ningbo)
        if offer is None:
            return
        self.counter(ningbo, offer)
        better = self.wait_for_offer(ningbo, after=offer.number)
        if better is None:
            return
        self.accept(ningbo, better)
        self.say("The first deal is concluded; its order, despatch advice and invoice arrive in the next seconds.")

    def inquire(self) -> str:
        today = clock.now().date()
        lines = (
            LineDraft("1", Decimal(240), "C62", name="Gate valve DN50 PN16", item_number="V-22"),
            LineDraft("2", Decimal(120), "C62", name="Ball valve DN25 PN40", item_number="B-07"),
            LineDraft("3", Decimal(600), "C62", name="Flange gasket DN50", item_number="G-50"),
        )
        draft = Draft(
            lines=lines,
            currency="USD",
            delivery_on=today + timedelta(days=35),
            respond_by=today + timedelta(days=10),
            text="Annual maintenance; one delivery preferred.",
        )
        suppliers = [PartyId(each) for each in (*ROBOTS, "delta")]
        with self.hub.database.write(org=HOME) as session:
            return self.hub.negotiation.send_inquiry(
                session, self.actor, draft, suppliers, note="Budget 31,000; Ningbo was late twice last year."
            )

    def deal_with(self, inquiry: str, supplier: str) -> str:
        with self.hub.database.read(org=HOME) as session:
            deals = self.hub.negotiation.deals(session).lines
            return next(
                each.row.id for each in deals if each.row.seller_id == supplier and each.row.inquiry_id == inquiry
            )

    def view(self, deal: str) -> DealView:
        with self.hub.database.read(org=HOME) as session:
            return self.hub.negotiation.deal(session, deal)

    def wait_for_offer(self, deal: str, after: int = 0) -> Round | None:
        until = clock.now() + timedelta(seconds=PATIENCE_S)
        while clock.now() < until and not self.stopped.wait(0.5):
            standing = self.view(deal).standing
            if standing is not None and standing.number > after and standing.state is State.EFFECTIVE:
                return standing
        return None

    def counter(self, deal: str, offer: Round) -> None:
        """Ask for six per cent less and a week earlier."""
        lines = tuple(
            LineDraft(number, price=(line.price.amount * Decimal("0.94")).quantize(Decimal("0.01")))
            for number, line in offer.lines
            if line.price is not None
        )
        sooner = (offer.delivery or clock.now().date()) - timedelta(days=7)
        draft = Draft(lines=lines, delivery_on=sooner, valid_until=clock.now().date() + timedelta(days=7))
        view = self.view(deal)
        with self.hub.database.write(org=HOME) as session:
            self.hub.negotiation.counter(
                session, self.actor, deal, draft, about=offer.offer.id, expected_version=view.version
            )

    def accept(self, deal: str, offer: Round) -> None:
        view = self.view(deal)
        with self.hub.database.write(org=HOME) as session:
            self.hub.negotiation.accept(
                session,
                self.actor,
                deal,
                offer.offer.id,
                expected_version=view.version,
                terms_hash=offer.offer.terms_hash,
            )
