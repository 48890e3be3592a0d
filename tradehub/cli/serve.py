"""``tradehub serve``: pages, jobs and clock of one hub. ``tradehub worker``: jobs and clock alone, beside other ones.

The pages run in a Granian process of their own with threads; jobs and clock run here, in the parent, so that a page
that hangs holds up no message and a busy job no page.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import click
from flask import Flask

from tradehub.cli import tether
from tradehub.platform.settings import Settings

WEB_THREADS = 8
"""Requests served at once: pages wait for the database, not for the processor."""

CONNECTIONS_MAX = 1_024
"""Connections let in at once. Granian counts one as long as it is kept open, not as long as a request takes: with no
more than threads, two browsers' idle connections would keep everybody else waiting until they time out."""

STOP_S = 10

PAGES = "tradehub.cli.serve:application"
"""Where the web server finds the pages."""

STREAMS = "tradehub.sourcing.auctions.live:application"
"""Where it finds the live streams of auctions."""

STREAMS_MAX = 4_096
"""Streams that the server itself lets in; the application turns away some sooner, with a word."""


def application() -> Flask:
    """Return the pages, for a WSGI server. Settings come from the environment."""
    from tradehub.hub import Hub
    from tradehub.web import create_app
    from tradehub.web.language import in_all

    app = create_app(Hub(Settings(), in_all))
    settle()
    return app


def settle() -> None:
    """Let the collector of garbage pass over what has been loaded so far, for it lives as long as the process does.
    Else each long page waits for it: a seventh of the time of a deal of 1,000 rounds."""
    gc.collect()
    gc.freeze()


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data folder.  [TRADEHUB_DATA_DIR]")
@click.option("--host", help="Address to listen on.  [TRADEHUB_HOST]")
@click.option("--port", type=int, help="Port to listen on.  [TRADEHUB_PORT]")
def serve(data: Path | None, host: str | None, port: int | None) -> None:
    """Run the hub: pages, jobs and clock."""
    remember(data_dir=data, host=host, port=port)
    settings = Settings()
    background = Background(settings)
    live = start_live(settings)
    web = start_web(settings)
    stopped = stop_on_signal()
    background.start()
    try:
        while not stopped.wait(0.3):
            if web.poll() is not None:
                raise click.ClickException(f"the web server ended with status {web.returncode}")
    finally:
        for each in (live, web):
            if each is not None:
                end(each)
        background.stop()


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data folder.  [TRADEHUB_DATA_DIR]")
@click.option("--host", help="Address to listen on.  [TRADEHUB_HOST]")
@click.option("--port", type=int, required=True, help="Port to listen on.")
def live(data: Path | None, host: str | None, port: int) -> None:
    """Run the live streams of auctions alone, behind a proxy that sends /auctions/stream here."""
    remember(data_dir=data, host=host)
    settings = Settings()
    claim(settings.host, port)
    os.execv(sys.executable, [sys.executable, "-m", "granian", *live_options(settings.host, port)])  # noqa: S606


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data folder.  [TRADEHUB_DATA_DIR]")
@click.option("--slot", help="Lasting name of this worker among its equals.  [TRADEHUB_SLOT]")
def worker(data: Path | None, slot: str | None) -> None:
    """Run jobs and clock, without pages; as many of them as there is work for."""
    remember(data_dir=data, slot=slot)
    background = Background(Settings())
    stopped = stop_on_signal()
    background.start()
    try:
        stopped.wait()
    finally:
        background.stop()


class Background:
    """Migrations on start, then job worker and clock in threads of this process."""

    def __init__(self, settings: Settings) -> None:
        from tradehub.hub import Hub
        from tradehub.platform import logs
        from tradehub.platform.mail import NoMailServer
        from tradehub.platform.schedules import Clock
        from tradehub.platform.schema import upgrade
        from tradehub.web import create_app
        from tradehub.web.language import in_all
        from tradehub.web.notices import Notices

        logs.configure(settings.log_level, as_json=settings.log_json)
        try:
            self.hub = Hub(settings, in_all)
        except NoMailServer as wrong:
            raise click.ClickException(str(wrong)) from wrong
        upgrade(self.hub.database)
        self.clock = Clock(self.hub.jobs)
        pages = cache(lambda: create_app(self.hub))
        self.notices = Notices(self.hub.database, self.hub.mail, self.hub.sections(), pages)
        self.notices.register(self.hub.jobs)

    def start(self) -> None:
        self.hub.warm()
        self.hub.database.transact(self.notices.schedule)
        settle()
        self.hub.jobs.run_worker(self.hub.settings.slot)
        self.clock.start()

    def stop(self) -> None:
        self.clock.stop()
        self.hub.jobs.stop()
        self.hub.database.dispose()


def remember(**given: object) -> None:
    """Put options into the environment, where this process and those it starts read their settings."""
    for name, value in given.items():
        if value is not None:
            os.environ[f"TRADEHUB_{name.upper()}"] = str(value)


def start_web(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the web server. Raises ClickException where the port is taken."""
    claim(settings.host, settings.port)
    return start([sys.executable, "-m", "granian", *web_options(settings)])


def start_live(settings: Settings) -> subprocess.Popen[bytes] | None:
    """Start the live streams beside the pages and tell these where; None where there are to be none.

    On the second port after the pages' unless another one is set (the demo's robot has the first). Where that is taken,
    screens ask for themselves.
    """
    port = settings.port + 2 if settings.live_port is None else settings.live_port
    remember(live_port=0)
    if port == 0 or not settings.secret_key:  # the key is made here, before two processes look for it at once
        return None
    try:
        claim(settings.host, port)
    except click.ClickException as taken:
        click.echo(f"No live streams: {taken.message}. Auctions update every second instead.", err=True)
        return None
    remember(live_port=port)
    return start([sys.executable, "-m", "granian", *live_options(settings.host, port)])


def live_options(host: str, port: int) -> list[str]:
    """Return what Granian is told for the live streams. They are cut on stop: a screen loses nothing, it asks anew."""
    options = {
        "interface": "rsgi", "workers": 1, "host": host, "port": port, "backlog": STREAMS_MAX,
        "backpressure": STREAMS_MAX, "log-level": "error", "loop": "asyncio", "workers-kill-timeout": 1,
    }  # fmt: skip
    given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return [*given, "--factory", "--no-ws", "--http", "1", "--respawn-failed-workers", STREAMS]


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a program of ours as a process group of its own, which ends when this process does, however it does.

    To be called from a thread that lives as long as the process: Linux takes the end of that thread for the parent's.
    """
    tethered = [sys.executable, "-IS", tether.__file__, str(os.getpid()), *command]
    return subprocess.Popen(tethered, start_new_session=True)  # noqa: S603 - our own command


def web_options(settings: Settings, pages: str = PAGES) -> list[str]:
    """Return what Granian is told on its command line."""
    options = {
        "interface": "wsgi", "workers": 1, "blocking-threads": WEB_THREADS, "backpressure": CONNECTIONS_MAX,
        "host": settings.host, "port": settings.port, "log-level": "error",
    }  # fmt: skip
    given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return [*given, "--factory", "--no-ws", "--respawn-failed-workers", pages]


def claim(host: str, port: int) -> None:
    """Make sure that nobody listens there. Granian itself would share the port, and half the requests be lost to us."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process of ours to end, and end it with all that it started where it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def stop_on_signal() -> threading.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    return stopped
