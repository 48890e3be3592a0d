"""What the REST API says of itself: the OpenAPI document for programs, and a page made of it for people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask_babel.speaklater import LazyString

from tradehub.negotiation import api as negotiation
from tradehub.negotiation.model.refusals import RULES
from tradehub.negotiation.wording import REFUSALS
from tradehub.platform import api, http, openapi
from tradehub.platform.problems import PROBLEMS

METHODS = ("get", "post", "put", "patch", "delete")


def blueprint(public_url: str) -> Blueprint:
    pages = Blueprint("apidoc", __name__)

    @pages.get(f"{api.PREFIX}/openapi.json", endpoint="openapi")
    @http.public
    def described() -> Response:
        return jsonify(openapi.document(current_app, [public_url]))

    @pages.get("/api/docs")
    @http.public
    def reference() -> str:
        made = openapi.document(current_app, [public_url])
        return render_template(
            "apidoc.html", groups=_groups(made), schemas=_schemas(made), problems=PROBLEMS, refusals=_refusals()
        )

    return pages


def _groups(made: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The operations by tag, in the order of their paths."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in sorted(made["paths"].items()):
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                shown = {**operation, "path": path, "method": method.upper(), "body": _body(operation)}
                for tag in operation.get("tags", ["other"]):
                    found.setdefault(str(tag), []).append(shown)
    return sorted(found.items())


def _refusals() -> list[tuple[str, int, str, LazyString | str]]:
    """Each refusal by the rules of formation: its code, status, rule and sentence."""
    return [(code, negotiation.STATUSES.get(code, 409), rule, REFUSALS.get(code, code)) for code, rule in RULES.items()]


def _body(operation: dict[str, Any]) -> str | None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return _name(content.get("schema", {}))


def _schemas(made: dict[str, Any]) -> list[tuple[str, str, list[tuple[str, str, bool, str]]]]:
    """Each schema: its name, what it is, and its fields with type, whether required, and description."""
    found = []
    for name, schema in sorted(made["components"]["schemas"].items()):
        required = set(schema.get("required", ()))
        fields = [
            (field, _type(of), field in required, of.get("description", ""))
            for field, of in schema.get("properties", {}).items()
        ]
        if fields:
            found.append((_plain(name), schema.get("description", ""), fields))
    return found


def _name(schema: dict[str, Any]) -> str | None:
    reference = schema.get("$ref")
    return _plain(reference.rsplit("/", 1)[-1]) if isinstance(reference, str) else None


def _plain(name: str) -> str:
    """The name without the suffix that keeps schemas of one name apart."""
    return name.split(".")[0]


def _type(schema: dict[str, Any]) -> str:
    """What a field holds, in one line."""
    if name := _name(schema):
        return name
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(each) for each in schema[several]))
    kind = schema.get("format") or schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(kind)
