"""Errors as people and programs see them: a page, or a problem document (RFC 9457). Neither tells how we are built."""

from __future__ import annotations

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask_babel import lazy_gettext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from tradehub.platform import http, problems
from tradehub.platform.db import is_transient

SENTENCES = {
    400: (
        lazy_gettext("This request could not be understood"),
        lazy_gettext("Go back, reload the page and try again."),
    ),
    401: (lazy_gettext("Please sign in"), lazy_gettext("Your session has ended, or there was none.")),
    403: (
        lazy_gettext("You may not do this"),
        lazy_gettext("Your role does not include it. Ask the person who manages your organisation's people."),
    ),
    404: (lazy_gettext("There is nothing here"), lazy_gettext("It may have moved, or it is not yours to see.")),
    405: (lazy_gettext("This request could not be understood"), lazy_gettext("Go back and try again.")),
    409: (
        lazy_gettext("Somebody was faster"),
        lazy_gettext("This changed while you were looking at it. Reload the page and decide again."),
    ),
    413: (lazy_gettext("Too large"), lazy_gettext("This is more than we take in one piece.")),
    429: (lazy_gettext("Too many attempts"), lazy_gettext("Wait a few minutes, then try again.")),
    503: (
        lazy_gettext("Too much at once"),
        lazy_gettext("The database is busy. Nothing was changed; try again in a few seconds."),
    ),
    500: (lazy_gettext("Something broke on our side"), lazy_gettext("It has been noted. Nothing was changed.")),
}
"""Status -> what happened, and what to do. Other statuses show the nearest of their class."""

RETRY_AFTER_S = 5
"""When a client should come back that found the database busy."""

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(StaleDataError, lambda _error: page(409))
    app.register_error_handler(DBAPIError, busy)


def answer(error: HTTPException) -> BaseResponse:
    if error.response is not None:
        return error.get_response()
    lacking = {"scope": error.permission} if isinstance(error, http.Lacking) else {}
    response = page(error.code or 500, **lacking)
    kept = [(name, value) for name, value in error.get_headers() if name in ("Allow", "Retry-After", "Content-Range")]
    response.headers.extend(kept)
    if response.status_code == 401:
        invalid = ', error="invalid_token"' if request.authorization else ""
        response.headers["WWW-Authenticate"] = f'Bearer realm="tradehub"{invalid}'
    return response


def busy(error: DBAPIError) -> Response:
    """Answer that the database is busy, where it is; any other fault of it is one of ours, and raised again."""
    if not is_transient(error):
        raise error
    log.warning("the database was busy for too long", path=request.path)
    response = page(503)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def page(status: int, **more: str) -> Response:
    """Return the page or problem document of a status. ``more`` is for programs alone."""
    if request.path.startswith("/api/"):
        return problems.of_status(status, **more)
    title, advice = SENTENCES.get(status) or SENTENCES[400 if status < 500 else 500]
    if http.wants_problem():
        return http.problem(status, str(title), str(advice))
    return make_response(render_template("error.html", status=status, title=title, advice=advice), status)
