"""What the REST API says of itself: an OpenAPI 3.1 document, made by spectree of the endpoints that an application has.

It is made when somebody first asks for it, on a bare application beside the running one: to describe all schemas takes
seconds, and neither starting nor serving has to wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from pydantic import BaseModel, ConfigDict
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from tradehub.platform.problems import PROBLEMS

_MARK = "described"

STATUSES = {
    "GET": (400, 401, 403, 404, 429, 500, 503),
    "POST": (400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503),
}
"""The problems that an endpoint of this method may answer with."""


@dataclass(frozen=True)
class Described:
    """An endpoint: what it demands, takes and gives. ``answer`` is None for a file."""

    method: str
    tag: str
    name: str
    permission: str
    status: int
    answer: type[BaseModel] | None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    has_etag: bool = False
    takes_key: bool = False
    media_type: str = "application/json"


class Fault(BaseModel):
    """One thing wrong with a request: where, by JSON pointer (RFC 6901), what, and the value there where it is plain.

    ``line`` and ``column``, counted from 1, are of a place in a longer text.
    """

    pointer: str
    code: str
    detail: str
    value: str | int | float | bool | None = None
    line: int | None = None
    column: int | None = None


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457). A refusal by the rules of formation carries ``code``, ``rule`` and ``article``.

    Where the deal moved on: ``version`` is its new one, ``latest`` its latest round, ``changes`` what differs in terms.
    ``approval`` is the address at which approval is asked for.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] | None = None
    scope: str | None = None
    code: str | None = None
    rule: str | None = None
    article: str | None = None
    expected_version: int | None = None
    version: int | None = None
    latest: dict[str, Any] | None = None
    changes: list[dict[str, Any]] | None = None
    approval: str | None = None


def describe(view: Callable[..., Any], described: Described) -> None:
    setattr(view, _MARK, described)


def described_of(view: Callable[..., Any] | None) -> Described | None:
    """Return what was said of a view; None for a page."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Described) else None


def document(app: Flask, servers: Sequence[str] = ()) -> dict[str, Any]:
    """Return the OpenAPI document of an application; it is made once."""
    made: dict[str, Any] | None = app.extensions.get("openapi")
    if made is None:
        made = app.extensions.setdefault("openapi", _made(app))
    return {**made, "servers": [{"url": each} for each in servers]} if servers else dict(made)


def _made(app: Flask) -> dict[str, Any]:
    bare = Flask("openapi", static_folder=None)
    scheme = SecuritySchemeData(type=SecureType.HTTP, scheme="bearer", description="An API token of one organisation")
    spec = SpecTree(
        "flask", app=bare, title="tradehub", version="1", mode="strict", annotations=False, page_templates={},
        description="Negotiate and carry out trades: the same acts as on the pages, under the same rules.",
        security_schemes=[SecurityScheme(name="token", data=scheme)], security={"token": []},
        openapi_version="3.1.0", naming_strategy=_name, nested_naming_strategy=lambda _parent, child: child,
        validation_error_model=ProblemDocument,
    )  # fmt: skip
    operations: dict[str, Described] = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if (each := described_of(view)) is None:
            continue
        id = f"{each.tag}.{each.name}"
        operations[id] = each
        given: dict[str, Any] = {f"HTTP_{each.status}": each.answer} if each.answer else {}
        shown = spec.validate(
            query=each.query, json=each.body, resp=Answers(**given, HTTP_400=ProblemDocument), tags=(each.tag,),
            skip_validation=True, operation_id=id, security={"token": [each.permission]},
        )(_stand_in(view, each.name))  # fmt: skip
        bare.add_url_rule(rule.rule, id, shown, methods=[each.method])
    with bare.app_context():
        made: dict[str, Any] = spec.spec
    for operation in _operations(made):
        _finish(operation, operations[operation["operationId"]])
    made["components"] |= {"headers": _HEADERS, "parameters": _PARAMETERS, "responses": _problems()}
    return made


def _name(model: Any) -> str:
    return str(model.__name__)


def _stand_in(view: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function that carries the view's docstring and is never called."""

    def stand_in() -> None:
        return None

    stand_in.__doc__, stand_in.__name__ = view.__doc__, name
    return stand_in


def _operations(made: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in made["paths"].values():
        yield from methods.values()


def _finish(operation: dict[str, Any], described: Described) -> None:
    """Add what spectree does not know: headers, files, and problems of their own media type."""
    responses = {str(each): {"$ref": f"#/components/responses/{each}"} for each in STATUSES[described.method]}
    if described.answer is None:
        is_json = described.media_type == "application/json"
        file = {"schema": {"type": "object"} if is_json else {"type": "string", "format": "binary"}}
        good: dict[str, Any] = {"description": "The file", "content": {described.media_type: file}}
    else:
        good = operation["responses"][str(described.status)]
    limits = _headers("RateLimit", "RateLimit-Policy")
    headers = _headers("ETag") if described.has_etag else {}
    if described.method == "POST":
        operation["requestBody"]["required"] = True
        wanted = []
        if described.takes_key:
            wanted.append("Idempotency-Key")
            headers |= _headers("Idempotency-Replayed")
        if described.body is not None and "expected_version" in described.body.model_fields:
            wanted.append("If-Match")
        operation["parameters"] += [{"$ref": f"#/components/parameters/{each}"} for each in wanted]
    operation["parameters"].append({"$ref": "#/components/parameters/Accept-Language"})
    operation["responses"] = {str(described.status): {**good, "headers": limits | headers}, **responses}
    if not operation["description"]:
        del operation["description"]


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _problems() -> dict[str, Any]:
    """The answers that say what went wrong, one for each status. Who has no token has no limit to be told."""
    found: dict[str, Any] = {}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    for status in sorted({each for statuses in STATUSES.values() for each in statuses}):
        names = [name for name, row in PROBLEMS.items() if row.status == status] or ["other-version"]
        told = ("RateLimit", "RateLimit-Policy") if status < 500 and status != 401 else ()
        waits = ("Retry-After",) if status in (429, 503) else ()
        found[str(status)] = {
            "description": ", ".join(names), "headers": _headers(*told, *waits), "content": content
        }  # fmt: skip
    return found


_HEADERS = {
    "ETag": {
        "description": "The version of the deal in quotes; good for If-Match",
        "schema": {"type": "string", "examples": ['"7"']},
    },
    "Idempotency-Replayed": {
        "description": "Stands where the answer is the first one's under this key",
        "schema": {"type": "string", "const": "true"},
    },
    "RateLimit": {"description": "Requests left (r), and seconds of the window (t)", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "Requests (q) in a window of seconds (w)", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which to come back", "schema": {"type": "integer"}},
}

_PARAMETERS = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Makes the request once: the same key and body again are given the first answer, for 24 hours",
        "schema": {"type": "string", "minLength": 8, "maxLength": 128},
    },
    "If-Match": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The version of the deal that the client saw, as in ETag; 412 where it moved on",
        "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
    },
    "Accept-Language": {
        "name": "Accept-Language",
        "in": "header",
        "required": False,
        "description": "The language of sentences: en or zh-Hans",
        "schema": {"type": "string", "examples": ["zh-Hans"]},
    },
}
