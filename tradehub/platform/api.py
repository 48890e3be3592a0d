"""The REST API's side of the platform: how a request is read, made once, and answered.

An endpoint takes a session and a checked body or query and returns an answer; ``Api`` does the rest, and notes what
``openapi`` says of it. What goes wrong is a problem document (RFC 9457, ``problems``). A write is one transaction
together with its ``Idempotency-Key``: the same key again is given the first answer, whoever came first, and a request
that was refused leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, request
from flask_babel import gettext
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import ColumnElement, String, Text, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.exceptions import RequestEntityTooLarge

from tradehub.platform import clock, faults, http, openapi
from tradehub.platform.db import Base, Database, Scoped
from tradehub.platform.faults import FAULTS_MAX, NUMBER_DIGITS
from tradehub.platform.limits import Allowance, Limiter
from tradehub.platform.openapi import Described
from tradehub.platform.problems import Problem

PREFIX = "/api/v1"

KEY_MIN, KEY_MAX = 8, 128
"""Shortest and longest Idempotency-Key: a UUID has 36 characters, a counter too few to be anybody's own."""

KEPT = timedelta(hours=24)
"""How long an answer is given again under its key; a client that comes back later asks anew."""

BODY_MAX = 4 * 1024 * 1024
"""Bytes of a body: ten thousand lines with all of their terms."""

DEPTH_MAX = 40
"""Nesting of a body: the deepest document has a dozen levels."""

WITHIN = timedelta(seconds=10)
"""How long a write is tried again where another transaction is in its way; the client waits."""


class Entry(BaseModel):
    """A body or a query: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What is answered. ``etag`` is the version of the thing shown, where it has one that ``If-Match`` may name."""

    @property
    def etag(self) -> str | None:
        return None


def example(body: dict[str, Any]) -> ConfigDict:
    """Return what puts an example of an entry into its schema."""
    return ConfigDict(json_schema_extra={"examples": [body]})


class ApiRequest(Scoped, Base):
    """A request that was acted on, and what it was answered."""

    __tablename__ = "api_request"

    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_MAX), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(default=0)
    answer: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


Read = Callable[..., Answer]
"""``(session, query, **path) -> answer``."""

Write = Callable[..., tuple[int, Answer]]
"""``(session, body, **path) -> (status, answer)``."""

Labour = Callable[..., tuple[int, Answer]]
"""``(body, **path) -> (status, answer)``."""


@dataclass(frozen=True)
class File:
    """Bytes to keep, as they stand with us."""

    content: bytes
    name: str


@dataclass(frozen=True)
class Api:
    """Adds endpoints to a blueprint. ``told`` turns what a service raises into a problem, None where it is not its own."""

    routes: Blueprint
    database: Database
    told: Callable[[Exception], Problem | None]
    raised: tuple[type[Exception], ...]
    tag: str

    def read(
        self, path: str, view: Read, *, permission: str, answer: type[Answer], query: type[Entry] | None = None
    ) -> None:
        """Add a GET that answers out of a read session of the token's organisation."""

        def run(**place: Any) -> Response:
            asked = (_read_query(query),) if query is not None else ()
            with self.database.read(org=http.principal().org) as session:
                return _json(200, view(session, *asked, **place))

        self._add(path, view, run, _described("GET", self.tag, view.__name__, permission, 200, answer, query=query))

    def download(self, path: str, view: Callable[..., File], *, permission: str, media_type: str) -> None:
        """Add a GET of a file. It is never shown in place: what a partner sent might be a page with a script."""

        def run(**place: Any) -> Response:
            with self.database.read(org=http.principal().org) as session:
                found = view(session, **place)
            headers = http.download_headers(found.name)
            return Response(found.content, mimetype=media_type, headers=headers)

        described = Described("GET", self.tag, view.__name__, permission, 200, None, media_type=media_type)
        self._add(path, view, run, described)

    def write(
        self,
        path: str,
        view: Write,
        *,
        permission: str,
        body: type[Entry],
        answer: type[Answer],
        status: int = 201,
        name: str | None = None,
        is_secret: bool = False,
        body_max: int = BODY_MAX,
    ) -> None:
        """Add a POST that runs in a write session, once for each Idempotency-Key. ``body_max``: bytes of its body.

        Of a secret one no key is taken, and no value is told back: nothing of the request may be kept, its hash included.
        """

        def run(**place: Any) -> Response:
            given = _read_body(body, body_max, tells=not is_secret)

            def work(session: Session) -> Response:
                if is_secret:
                    return _json(*view(session, given, **place))
                return _once(session, lambda: view(session, given, **place), answer)

            return self.database.transact(work, org=http.principal().org, within=WITHIN)

        named = name or view.__name__
        described = _described("POST", self.tag, named, permission, status, answer, body=body, takes_key=not is_secret)
        self._add(path, view, run, described)

    def labour(self, path: str, view: Labour, *, permission: str, body: type[Entry], answer: type[Answer]) -> None:
        """Add a POST whose work takes longer than a transaction may: it opens sessions of its own, before and after.

        No Idempotency-Key is taken, for its row is of the transaction that this does without. Made twice, the work must
        change nothing the second time.
        """

        def run(**place: Any) -> Response:
            return _json(*view(_read_body(body, BODY_MAX, tells=True), **place))

        self._add(path, view, run, _described("POST", self.tag, view.__name__, permission, 201, answer, body=body))

    def _add(self, path: str, view: Callable[..., Any], run: Callable[..., Response], described: Described) -> None:
        @wraps(view)
        def endpoint(**place: Any) -> Response:
            allowance = _take()
            try:
                if allowance.is_spent:
                    raise Problem("too-many")
                answer = run(**place)
            except Problem as problem:
                answer = problem.answer()
            except self.raised as error:
                told = self.told(error)
                if told is None:
                    raise
                answer = told.answer()
            answer.headers.extend(allowance.headers)
            return answer

        endpoint.__name__ = described.name
        openapi.describe(endpoint, described)
        marked = http.requires_token(described.permission)(endpoint)
        self.routes.add_url_rule(path, described.name, marked, methods=[described.method])


def _described(
    method: str, tag: str, name: str, permission: str, status: int, answer: type[Answer], **taken: Any
) -> Described:
    versioned = answer.etag is not Answer.etag
    return Described(method, tag, name, permission, status, answer, has_etag=versioned, **taken)


def _take() -> Allowance:
    limiter: Limiter | None = current_app.extensions.get("api_limiter")
    if limiter is None:
        limit = int(current_app.config["API_REQUESTS_PER_MINUTE"])
        limiter = current_app.extensions.setdefault("api_limiter", Limiter(limit))
    return limiter.take(http.principal().user_id, clock.now())


def _once(session: Session, act: Callable[[], tuple[int, Answer]], answer: type[Answer]) -> Response:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return _json(*act())
    if not KEY_MIN <= len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
        why = gettext("Idempotency-Key: %(least)s to %(most)s printable ASCII characters.", least=KEY_MIN, most=KEY_MAX)
        raise Problem("malformed-header", why)
    org, mark = http.principal().org, _fingerprint()
    session.execute(delete(ApiRequest).where(ApiRequest.org == org, ApiRequest.at < clock.now() - KEPT))
    kept = ApiRequest(org=org, key=key, fingerprint=mark, at=clock.now())
    try:
        with session.begin_nested():
            session.add(kept)
    except IntegrityError:
        earlier = session.get_one(ApiRequest, (org, key))
        if earlier.fingerprint != mark:
            raise Problem("key-used") from None
        response = _json(earlier.status, answer.model_validate_json(earlier.answer))
        response.headers["Idempotency-Replayed"] = "true"
        return response
    status, found = act()
    kept.status, kept.answer = status, found.model_dump_json()
    return _json(status, found)


def if_match() -> int | None:
    """Return the version of the deal that ``If-Match`` names. Raises Problem for what is none."""
    tag = request.headers.get("If-Match")
    if tag is None:
        return None
    bare = tag.strip().removeprefix('"').removesuffix('"')
    if f'"{bare}"' != tag.strip() or not (bare.isascii() and bare.isdecimal()) or len(bare) > 9:
        why = gettext('If-Match: the version of the deal in quotes, as in ETag, for instance "7".')
        raise Problem("malformed-header", why)
    return int(bare)


def expected_version(stated: int | None) -> int | None:
    """Return the version of the deal that the client speaks of: the body's, else that of ``If-Match``."""
    named = if_match()
    return named if stated is None else stated


def _json(status: int, answer: Answer) -> Response:
    response = Response(answer.model_dump_json(), status=status, mimetype="application/json")
    if answer.etag is not None:
        response.headers["ETag"] = f'"{answer.etag}"'
    return response


def _fingerprint() -> str:
    seen = f"{request.method} {request.full_path}\n".encode() + request.get_data(cache=True)
    return hashlib.sha256(seen).hexdigest()


def _read_query(model: type[Entry]) -> Entry:
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        twice = [
            faults.fault(f"/{faults.escaped(name)}", "given_twice", faults.WORDS["given_twice"]) for name in repeated
        ]
        raise Problem("malformed-query", errors=twice[:FAULTS_MAX])
    return _checked(model, request.args.to_dict(), "malformed-query")


def _read_body(model: type[Entry], body_max: int, *, tells: bool) -> Entry:
    if request.mimetype != "application/json":
        raise Problem("not-json")
    request.max_content_length = body_max
    try:
        raw = json.loads(
            request.get_data(cache=True).decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=Decimal,
        )
    except RequestEntityTooLarge:
        raise Problem("too-large", gettext("At most %(most)s bytes.", most=body_max)) from None
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise Problem("malformed-json", _why_no_json(error)) from None
    _check_plain(raw)
    return _checked(model, raw, "does-not-fit", tells=tells)


def _checked(model: type[Entry], raw: Any, problem: str, *, tells: bool = True) -> Entry:
    try:
        made = model.model_validate(raw)
    except ValidationError as error:
        raise Problem(problem, errors=faults.found(error, tells=tells)) from None
    if odd := faults.odd(made, raw, tells=tells):
        raise Problem(problem, errors=odd)
    return made


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in {each for each, _ in pairs[:place]})
        raise Problem("malformed-json", gettext("The name “%(name)s” stands twice in one object.", name=twice[:80]))
    return found


def _why_no_json(error: Exception) -> str:
    """Say where the text stops being JSON."""
    if isinstance(error, json.JSONDecodeError):
        at = {"line": error.lineno, "column": error.colno}
        return str(gettext("It stops being JSON at line %(line)s, column %(column)s.", **at))
    if isinstance(error, UnicodeDecodeError):
        return str(gettext("Byte %(place)s is not UTF-8.", place=error.start + 1))
    if isinstance(error, RecursionError):
        return str(gettext("Nested deeper than %(most)s.", most=DEPTH_MAX))
    return str(faults.WORDS["number_size"])


def _no_constant(name: str) -> object:
    raise Problem("malformed-json", gettext("%(name)s is not JSON.", name=name))


def _check_plain(value: object) -> None:
    """Refuse what no document holds: deep nesting, half a surrogate pair, U+0000, a number of absurd size."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        each, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise Problem("malformed-json", gettext("Nested deeper than %(most)s.", most=DEPTH_MAX))
        if isinstance(each, dict):
            waiting += [(inner, depth + 1) for pair in each.items() for inner in pair]
        elif isinstance(each, list):
            waiting += [(inner, depth + 1) for inner in each]
        elif isinstance(each, str) and _is_no_text(each):
            raise Problem("malformed-json", gettext("A text holds U+0000 or half of a surrogate pair."))
        elif isinstance(each, Decimal) and not -NUMBER_DIGITS < each.adjusted() < NUMBER_DIGITS:
            raise Problem("malformed-json", str(faults.WORDS["number_size"]))


def _is_no_text(text: str) -> bool:
    return _NO_TEXT.search(text) is not None


_NO_TEXT = re.compile("[\0\ud800-\udfff]")
