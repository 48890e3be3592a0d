"""What may go wrong with a request of a program, as a table: problem documents (RFC 9457) are made of it and nothing else.

The ``type`` of a problem is the address of its row on the reference page, ``/api/docs#problem-<name>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.platform import http

REFERENCE = "/api/docs"


@dataclass(frozen=True)
class Row:
    """A status, what happened, and what to do about it."""

    status: int
    title: LazyString
    advice: LazyString


PROBLEMS: Mapping[str, Row] = {
    "malformed-json": Row(
        400,
        lazy_gettext("The body is not JSON as we take it"),
        lazy_gettext("Send UTF-8, each name once in an object, no NaN or Infinity, and no deep nesting."),
    ),
    "malformed-query": Row(
        400,
        lazy_gettext("The query does not fit"),
        lazy_gettext("Look under “errors”: each names a parameter."),
    ),
    "malformed-header": Row(
        400,
        lazy_gettext("A header cannot be read"),
        lazy_gettext("Look at the detail for the header and the form that it has."),
    ),
    "malformed-request": Row(
        400, lazy_gettext("This request could not be understood"), lazy_gettext("Mend it before you send it again.")
    ),
    "no-token": Row(
        401,
        lazy_gettext("A token is needed"),
        lazy_gettext("Send “Authorization: Bearer …” with a token that is neither revoked nor over."),
    ),
    "not-allowed": Row(
        403,
        lazy_gettext("This token may not do that"),
        lazy_gettext("Use one with the scope that is named, or let somebody act who may."),
    ),
    "needs-approval": Row(
        403,
        lazy_gettext("Others must approve this first"),
        lazy_gettext(
            "It is above what this token may bind to. “approvers” may approve it; send the same body to the address "
            "under “approval”, with a “note” to them, or let somebody ask on the pages where there is none."
        ),
    ),
    "not-found": Row(
        404,
        lazy_gettext("There is nothing here"),
        lazy_gettext("It does not exist, or it belongs to somebody else; we do not tell which."),
    ),
    "wrong-method": Row(
        405,
        lazy_gettext("This address does not take that method"),
        lazy_gettext("The header Allow names those it does."),
    ),
    "refused": Row(
        409,
        lazy_gettext("The rules of formation refuse it"),
        lazy_gettext("“code”, “rule” and “article” say why; “actions” of the deal say what may be done instead."),
    ),
    "other-version": Row(
        409,
        lazy_gettext("The deal has moved on"),
        lazy_gettext("“changes” says what came in between; decide again on “version”. 412 where If-Match named it."),
    ),
    "too-large": Row(
        413, lazy_gettext("Too large"), lazy_gettext("Send less in one piece; the largest body is named in the detail.")
    ),
    "not-json": Row(
        415, lazy_gettext("The body is not declared as JSON"), lazy_gettext("Send “Content-Type: application/json”.")
    ),
    "does-not-fit": Row(
        422,
        lazy_gettext("The body is not what this endpoint takes"),
        lazy_gettext("Look under “errors”: each has a JSON pointer (RFC 6901) into the body."),
    ),
    "key-used": Row(
        422,
        lazy_gettext("This Idempotency-Key was used for another request"),
        lazy_gettext("Take a new key for a new request."),
    ),
    "too-many": Row(
        429, lazy_gettext("Too many requests"), lazy_gettext("Come back after the seconds in Retry-After.")
    ),
    "our-fault": Row(
        500, lazy_gettext("Something broke on our side"), lazy_gettext("It has been noted. Nothing was changed.")
    ),
    "busy": Row(
        503,
        lazy_gettext("Too much at once"),
        lazy_gettext("The database is busy. Nothing was changed; try again in a few seconds."),
    ),
}
"""Name -> what it is. Of several with one status the first stands for the status itself."""

_BY_STATUS = {row.status: name for name, row in reversed(list(PROBLEMS.items()))} | {
    400: "malformed-request", 409: "refused", 422: "does-not-fit"
}  # fmt: skip


class Problem(Exception):
    """What is answered instead: a row of ``PROBLEMS``, with another status, title or detail where one says more."""

    def __init__(
        self, name: str, detail: str | None = None, *, status: int | None = None, title: str | None = None, **more: Any
    ) -> None:
        super().__init__(name)
        self.name, self.detail, self.status, self.title, self.more = name, detail, status, title, more

    def answer(self) -> Response:
        row = PROBLEMS[self.name]
        return http.problem(
            self.status or row.status, self.title or str(row.title), self.detail or str(row.advice),
            type=type_of(self.name), instance=request.path, **self.more,
        )  # fmt: skip


def of_status(status: int, **more: Any) -> Response:
    """Return the problem document that stands for a status."""
    name = _BY_STATUS.get(status, "malformed-request" if status < 500 else "our-fault")
    return Problem(name, status=status, **more).answer()


def type_of(name: str) -> str:
    return f"{REFERENCE}#problem-{name}"
