"""What the REST API says of itself: the OpenAPI document for programs, and a page made of it for people."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

from tradehub.negotiation import api as negotiation
from tradehub.negotiation.model.refusals import RULES
from tradehub.negotiation.wording import REFUSALS
from tradehub.platform import api, http, openapi
from tradehub.platform.problems import PROBLEMS

METHODS = ("get", "post", "put", "patch", "delete")


def blueprint(public_url: str) -> Blueprint:
    pages = Blueprint("apidoc", __name__)
    pages.add_app_template_filter(as_code)

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


def as_code(text: str) -> Markup:
    """Return a docstring with the names in it, which stand between doubled backticks, set as code."""
    parts = [escape(each) for each in text.split("``")]
    return Markup("").join(
        Markup("<code>{}</code>").format(each) if place % 2 else each for place, each in enumerate(parts)
    )


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


def _schemas(made: dict[str, Any]) -> list[tuple[str, str, list[tuple[str, str, bool, str]], str]]:
    """Each schema: its name, what it is, its fields with type, whether required and description, and an example."""
    found = []
    for name, schema in sorted(made["components"]["schemas"].items()):
        required = set(schema.get("required", ()))
        fields = [
            (field, _type(of), field in required, of.get("description", ""))
            for field, of in schema.get("properties", {}).items()
        ]
        if fields:
            samples = schema.get("examples", [])
            sample = json.dumps(samples[0], indent=2, ensure_ascii=False) if samples else ""
            found.append((name, schema.get("description", ""), fields, sample))
    return found


def _name(schema: dict[str, Any]) -> str | None:
    reference = schema.get("$ref")
    return reference.rsplit("/", 1)[-1] if isinstance(reference, str) else None


def _type(schema: dict[str, Any]) -> str:
    """What a field holds, in one line."""
    if name := _name(schema):
        return name
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_type(each) for each in schema[several]))
    if "enum" in schema:
        return " | ".join(json.dumps(each) for each in schema["enum"])
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    kind = schema.get("format") or schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(kind)
