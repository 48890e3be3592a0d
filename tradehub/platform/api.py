"""The REST API's side of the platform: how a request is read, made once, and answered, and what is said of it in OpenAPI.

An endpoint takes a session and a checked body or query and returns an answer; ``Api`` does the rest. What goes wrong is a
problem document (RFC 9457). A write is one transaction together with its ``Idempotency-Key``: the same key again is given
the first answer, whoever came first, and a request that was refused leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel, ConfigDict, ValidationError
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData
from sqlalchemy import ColumnElement, String, Text, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from tradehub.platform import clock, http
from tradehub.platform.db import Base, Database, Scoped

PREFIX = "/api/v1"

KEY_MAX = 128
"""Longest Idempotency-Key: a UUID has 36 characters."""

KEPT = timedelta(hours=24)
"""How long an answer is given again under its key; a client that comes back later asks anew."""

DEPTH_MAX = 40
"""Nesting of a body: the deepest document has a dozen levels."""

spec = SpecTree(
    "flask",
    title="tradehub",
    version="1",
    description="Negotiate and carry out trades: the same acts as on the pages, under the same rules.",
    mode="strict",
    annotations=False,
    page_templates={},
    security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
    security={"token": []},
)


class Entry(BaseModel):
    """A body or a query: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(BaseModel):
    """One thing wrong with a request, by JSON pointer or name of the parameter."""

    pointer: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457. A refusal by the law of sale carries ``code``, ``rule`` and ``article``."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[Fault] | None = None
    code: str | None = None
    rule: str | None = None
    article: str | None = None
    version: int | None = None


class Problem(Exception):
    """What is answered instead: a status and what to say."""

    def __init__(self, status: int, title: str, detail: str | None = None, **more: Any) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.more = status, title, detail, more

    def answer(self) -> Response:
        return http.problem(self.status, self.title, self.detail, **self.more)


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


Read = Callable[..., BaseModel]
"""``(session, query, **path) -> answer``."""

Write = Callable[..., tuple[int, BaseModel]]
"""``(session, body, **path) -> (status, answer)``."""


@dataclass(frozen=True)
class Api:
    """Adds endpoints to a blueprint. ``told`` turns what a service raises into a problem, None where it is not its own."""

    routes: Blueprint
    database: Database
    told: Callable[[Exception], Problem | None]
    raised: tuple[type[Exception], ...]
    tag: str

    def read(
        self, path: str, view: Read, *, permission: str, answer: type[BaseModel], query: type[Entry] | None = None
    ) -> None:
        """Add a GET that answers out of a read session of the token's organisation."""

        def run(**place: Any) -> Response:
            asked = _read_query(query) if query is not None else None
            with self.database.read(org=http.principal().org) as session:
                found = view(session, asked, **place) if query is not None else view(session, **place)
                return _json(200, found.model_dump_json())

        self._add("GET", path, view, run, permission, {"query": query} if query else {}, {"HTTP_200": answer})

    def write(
        self,
        path: str,
        view: Write,
        *,
        permission: str,
        body: type[Entry],
        answer: type[BaseModel],
        status: int = 201,
        name: str | None = None,
        is_secret: bool = False,
    ) -> None:
        """Add a POST that runs in a write session, once for each Idempotency-Key.

        Of a secret one no key is taken: nothing of the request may be kept, its hash included.
        """

        def run(**place: Any) -> Response:
            given = _read_body(body)
            with self.database.write(org=http.principal().org) as session:
                if is_secret:
                    code, found = view(session, given, **place)
                    return _json(code, found.model_dump_json())
                return self._once(session, lambda: view(session, given, **place))

        self._add("POST", path, view, run, permission, {"json": body}, {f"HTTP_{status}": answer}, name)

    def _once(self, session: Session, act: Callable[[], tuple[int, BaseModel]]) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            status, found = act()
            return _json(status, found.model_dump_json())
        if not 8 <= len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
            raise Problem(400, "Idempotency-Key", f"8 to {KEY_MAX} printable ASCII characters")
        org, mark = http.principal().org, _fingerprint()
        session.execute(delete(ApiRequest).where(ApiRequest.org == org, ApiRequest.at < clock.now() - KEPT))
        kept = ApiRequest(org=org, key=key, fingerprint=mark, at=clock.now())
        try:
            with session.begin_nested():
                session.add(kept)
        except IntegrityError:
            earlier = session.get_one(ApiRequest, (org, key))
            if earlier.fingerprint != mark:
                raise Problem(422, "Idempotency-Key", "used before for another request") from None
            return _json(earlier.status, earlier.answer, replayed=True)
        status, found = act()
        kept.status, kept.answer = status, found.model_dump_json()
        return _json(status, kept.answer)

    def _add(
        self,
        method: str,
        path: str,
        view: Callable[..., Any],
        run: Callable[..., Response],
        permission: str,
        taken: dict[str, Any],
        given: dict[str, Any],
        name: str | None = None,
    ) -> None:
        @wraps(view)
        def endpoint(**place: Any) -> Response:
            try:
                return run(**place)
            except Problem as problem:
                return problem.answer()
            except NotFound:
                return http.problem(404, "Not found")
            except self.raised as error:
                told = self.told(error)
                if told is None:
                    raise
                return told.answer()

        endpoint.__name__ = name or view.__name__
        described = {**given, **dict.fromkeys(_PROBLEMS[method], ProblemDocument)}
        checked = spec.validate(
            **taken, resp=Answers(**described), tags=(self.tag,), skip_validation=True,
            operation_id=f"{self.tag}.{endpoint.__name__}", security={"token": [permission]},
        )(endpoint)  # fmt: skip
        marked = http.requires_token(permission)(checked)
        self.routes.add_url_rule(path, endpoint.__name__, marked, methods=[method])


_PROBLEMS = {
    "GET": ("HTTP_400", "HTTP_401", "HTTP_403", "HTTP_404"),
    "POST": ("HTTP_400", "HTTP_401", "HTTP_403", "HTTP_404", "HTTP_409", "HTTP_415", "HTTP_422"),
}


def expected_version(stated: int | None) -> int | None:
    """Return the version of the deal that the client speaks of: the body's, else that of ``If-Match``. 400 for nonsense."""
    tag = request.headers.get("If-Match")
    if stated is not None or tag is None:
        return stated
    bare = tag.strip().removeprefix("W/").strip('"')
    if not bare.isdecimal() or len(bare) > 9:
        raise Problem(400, "If-Match", "the version of the deal in quotes, as in ETag")
    return int(bare)


def document(servers: Sequence[str] = ()) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the running application."""
    made = current_app.extensions.get("openapi")
    if made is None:
        spec.app = current_app._get_current_object()  # type: ignore[attr-defined]
        made = current_app.extensions["openapi"] = spec._generate_spec()
    return {**made, "servers": [{"url": each} for each in servers]} if servers else dict(made)


def _json(status: int, text: str, *, replayed: bool = False) -> Response:
    response = Response(text, status=status, mimetype="application/json")
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _fingerprint() -> str:
    seen = f"{request.method} {request.full_path}\n".encode() + request.get_data(cache=True)
    return hashlib.sha256(seen).hexdigest()


def _read_query(model: type[Entry]) -> Entry:
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise Problem(400, "Query", errors=[{"pointer": name, "detail": "given more than once"} for name in repeated])
    return _checked(model, request.args.to_dict(), 400)


def _read_body(model: type[Entry]) -> Entry:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        raw = json.loads(
            request.get_data(cache=True).decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=Decimal,
        )
    except (ValueError, RecursionError) as error:
        raise Problem(400, "Malformed JSON", str(error)[:300]) from None
    if _depth(raw) > DEPTH_MAX:
        raise Problem(400, "Malformed JSON", f"nested deeper than {DEPTH_MAX}")
    return _checked(model, raw, 422)


def _checked(model: type[Entry], raw: object, status: int) -> Entry:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = [
            {"pointer": "/" + "/".join(map(str, each["loc"])), "detail": each["msg"]}
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Problem(status, "Invalid request", errors=faults[:100]) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in {each for each, _ in pairs[:place]})
        raise ValueError(f"the name {twice[:80]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _depth(value: object) -> int:
    deepest, waiting = 0, [(value, 1)]
    while waiting and deepest <= DEPTH_MAX:
        each, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(each, dict):
            waiting += [(inner, depth + 1) for inner in each.values()]
        elif isinstance(each, list):
            waiting += [(inner, depth + 1) for inner in each]
    return deepest
