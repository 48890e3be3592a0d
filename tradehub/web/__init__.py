"""The pages: one application made of the capabilities' blueprints, behind one guard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from flask import Blueprint, Flask

from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.passkeys import Passkeys
from tradehub.platform.security import Security
from tradehub.platform.settings import Settings
from tradehub.platform.worklist import Search, Section
from tradehub.web import (
    apidoc,
    errors,
    headers,
    home,
    language,
    metrics,
    navigation,
    notices,
    passkeys,
    people,
    signin,
    terms,
    tokens,
    words,
)

REQUEST_MAX = 10 * 1024 * 1024
"""Bytes of a request body: the largest interchange taken over HTTP, with room. A view may lower or raise its own."""

FORM_MAX = 2 * 1024 * 1024
"""Bytes of a form's text fields: a page of 1,000 lines is under 1 MB."""

FORM_PARTS_MAX = 20_000


class Hub(Protocol):
    """What the pages need of the hub that they show."""

    @property
    def database(self) -> Database: ...
    @property
    def settings(self) -> Settings: ...
    def blueprints(self) -> Sequence[Blueprint]: ...
    def sections(self) -> Sequence[Section]: ...
    def searches(self) -> Sequence[Search]: ...


class UnguardedView(Exception):
    """A view names no permission, so the application does not start."""


def create_app(hub: Hub, *, hasher: PasswordHasher | None = None) -> Flask:
    """Return the application. Raises UnguardedView where a route has no ``requires``, ``signed_in`` or ``public``."""
    app = Flask(__name__)
    _configure(app, hub.settings)
    security, devices = Security(hub.database, hasher), Passkeys(hub.database)
    metrics.install(app)
    headers.install(app)
    language.install(app)
    words.install(app)
    terms.install(app)
    navigation.install(app, test_mode=hub.settings.demo)
    http.install(app, lambda: signin.authenticate(security), lambda: signin.confirm(security, devices))
    passkeys.install(app, devices)
    errors.install(app)
    app.register_blueprint(signin.blueprint(security, devices, hub.database))
    app.register_blueprint(passkeys.blueprint(devices))
    app.register_blueprint(people.blueprint(security, hub.database, hub.settings.public_url))
    app.register_blueprint(tokens.blueprint(security, hub.database))
    app.register_blueprint(notices.blueprint(app, security, hub.database))
    app.register_blueprint(home.blueprint(hub.database, hub.sections(), hub.searches()))
    app.register_blueprint(apidoc.blueprint(hub.settings.public_url))
    for each in hub.blueprints():
        app.register_blueprint(each)
    if found := http.unmarked(app):
        raise UnguardedView(f"no permission is named by: {', '.join(found)}")
    return app


def _configure(app: Flask, settings: Settings) -> None:
    public = urlsplit(settings.public_url)
    secure = public.scheme == "https"
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=sorted({str(public.hostname), settings.host, "127.0.0.1", "localhost"}),
        SESSION_COOKIE_NAME="__Host-notice" if secure else "notice",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=REQUEST_MAX,
        MAX_FORM_MEMORY_SIZE=FORM_MAX,
        API_REQUESTS_PER_MINUTE=settings.api_requests_per_minute,
        MAX_FORM_PARTS=FORM_PARTS_MAX,
        PUBLIC_URL=settings.public_url,
        MAILS=bool(settings.mail_server.get_secret_value()),
    )
    app.jinja_options = {**app.jinja_options, "autoescape": True}
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.json.sort_keys = False  # type: ignore[attr-defined]
