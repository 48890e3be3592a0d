"""The web's side of the platform: who asks, what a view demands, and whether this form was posted before.

A view says what it demands with ``@requires("deal.read")``, ``@signed_in`` or ``@public``, and with ``@requires_fresh``
above that one that the person has shown who it is, by password or passkey, in the last minutes. The marks are read in
one place, the guard that ``install`` puts before every request; a view without a mark is never run, and the application
does not start with one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from flask import Flask, Response, abort, current_app, g, jsonify, redirect, request
from sqlalchemy import ColumnElement, String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.exceptions import BadRequest, Forbidden, NotFound, Unauthorized
from werkzeug.wrappers import Response as BaseResponse

from tradehub.documents.parts import PartyId
from tradehub.platform import clock, ids
from tradehub.platform.db import Base, Scoped

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_ID_MAX = 64
"""Longest form id taken from a page: ours have 32 characters."""

View = TypeVar("View", bound=Callable[..., Any])
_MARK = "access"
_FRESH = "fresh"

CONFIRM_FIELD = "confirm_password"
"""The field of any form in which the password is given once more."""

PASSKEY_FIELD = "confirm_passkey"
"""The field of any form in which a passkey answers instead of the password."""


@dataclass(frozen=True)
class Principal:
    """Who asks: a person in one organisation, or a client with its API token (``user_id`` is then the token's id)."""

    user_id: str
    org: PartyId
    name: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    org_name: str = ""
    email: str = ""
    lang: str | None = None
    time_zone: str | None = None
    session: str | None = None
    family: str | None = None
    """The session through all its renewals: what its forms are bound to."""
    fresh_until: datetime | None = None

    @property
    def is_token(self) -> bool:
        return self.session is None

    def is_fresh(self, at: datetime) -> bool:
        """True for a person who has just given the password, and for a token, which is given with every request."""
        return self.is_token or (self.fresh_until is not None and at < self.fresh_until)

    def may(self, permission: str) -> bool:
        return permission in self.permissions


def download_headers(name: str) -> dict[str, str]:
    """Return the headers of a file that is saved and never shown in place, whatever it is called (RFC 6266)."""
    plain = "".join(each if each.isascii() and each.isprintable() and each not in '"\\%' else "_" for each in name)
    named = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return {
        "Content-Disposition": f'attachment; filename="{plain}"{named}',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }


class Lacking(Forbidden):
    """Who asks lacks a permission."""

    def __init__(self, permission: str) -> None:
        super().__init__()
        self.permission = permission


@dataclass(frozen=True)
class Access:
    """What a view demands. Without ``permission`` being signed in is enough; ``token_only`` closes it to browsers.

    ``own_token``: the view itself asks for a token that is not one of ours; nobody is signed in there.
    """

    permission: str | None = None
    others: tuple[str, ...] = ()
    """Further permissions any of which is as good."""
    public: bool = False
    token_only: bool = False
    own_token: bool = False


def requires(permission: str, *others: str) -> Callable[[View], View]:
    """Demand a permission, or any one of several. Who is not signed in is sent to sign in; who lacks it gets 403."""
    return _marked(Access(permission, others))


def requires_fresh(view: View) -> View:
    """Demand that the person has given the password in the last minutes, before the form of this view is acted on.

    Else the answer is a page (403) that asks for it and carries the form along: the act is done with its one button.
    A form may have the field itself, where ``is_fresh()`` is false (macro ``confirm()``). Tokens are exempt: a program
    proves itself anew with every request. It goes above the mark of access, and not on a form that carries files.
    """
    setattr(view, _FRESH, True)
    return view


def requires_token(permission: str) -> Callable[[View], View]:
    """Demand an API token with this scope (``Authorization: Bearer``). No cookie counts, so no CSRF token is needed."""
    return _marked(Access(permission, token_only=True))


def signed_in(view: View) -> View:
    """Demand a signed-in person, of whatever role."""
    return _marked(Access())(view)


def public(view: View) -> View:
    """Let everybody in. A form on such a page carries the CSRF token all the same."""
    return _marked(Access(public=True))(view)


def _marked(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _MARK, access)
        return view

    return mark


def own_token(view: View) -> View:
    """Let the view judge the request's bearer token itself: a partner's. No cookie counts there, so no CSRF token."""
    return _marked(Access(own_token=True))(view)


def access_of(view: Callable[..., Any] | None) -> Access | None:
    """Return what a view demands; None for a view that does not say."""
    access = getattr(view, _MARK, None)
    return access if isinstance(access, Access) else None


def principal() -> Principal:
    """Return who asks. 401 outside a signed-in request."""
    who = current()
    if who is None:
        raise Unauthorized
    return who


def current() -> Principal | None:
    """Return who asks, or None on a public page."""
    who: Principal | None = g.get("principal")
    return who


def may(permission: str) -> bool:
    """True where who asks has the permission; for templates."""
    who = current()
    return who is not None and who.may(permission)


def is_fresh() -> bool:
    """True where an act that binds needs no password now; for templates."""
    who = current()
    return who is not None and who.is_fresh(clock.now())


# --- the guard ------------------------------------------------------------------------------------


def install(
    app: Flask, authenticate: Callable[[], Principal | None], confirm: Callable[[], BaseResponse | None]
) -> None:
    """Put the guard before every request of ``app``. ``authenticate`` reads cookie or token of the current request.

    ``confirm`` takes the password that the request brings and returns None, or the page that asks for it.
    """

    def guard() -> BaseResponse | None:
        if request.endpoint == "static":
            return None
        if "\0" in request.path:  # nothing is named so, and PostgreSQL takes it for no text at all
            raise NotFound
        if request.endpoint is None:  # an error page is about to be shown, to whom it knows
            g.principal = authenticate()
            return None
        view = app.view_functions.get(request.endpoint)
        access = access_of(view)
        if access is None:
            abort(500, f"the view {request.endpoint} names no permission")
        if not access.public and any("\0" in part for pair in request.args.items(multi=True) for part in pair):
            raise BadRequest  # what a public page takes from its address, it looks up nowhere
        g.principal = None if access.own_token else authenticate()
        if access.own_token:
            return None
        refused = _admit(access)
        if refused is None and getattr(view, _FRESH, False) and request.method not in SAFE_METHODS and not is_fresh():
            return confirm()
        return refused

    app.before_request(guard)
    app.after_request(_remember_visitor)


def unmarked(app: Flask) -> list[str]:
    """Return the endpoints that name no permission; ``create_app`` refuses to start with any."""
    return sorted(
        endpoint for endpoint, view in app.view_functions.items() if endpoint != "static" and access_of(view) is None
    )


def _admit(access: Access) -> BaseResponse | None:
    who = current()
    if access.token_only and (who is None or not who.is_token):
        raise Unauthorized
    if not access.public and who is None:
        return _ask_to_sign_in()
    if request.method not in SAFE_METHODS and (who is None or not who.is_token):
        check_same_site()
        check_csrf()
    if access.permission is not None and not any(map(principal().may, (access.permission, *access.others))):
        raise Lacking(access.permission)
    return None


def _ask_to_sign_in() -> BaseResponse:
    if wants_problem() or request.method not in SAFE_METHODS:
        raise Unauthorized
    here = request.full_path.rstrip("?")
    where = "/sign-in" if here == "/" else f"/sign-in?next={quote(here, safe='')}"
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": where})
    return redirect(where, 302)


# --- forged requests ------------------------------------------------------------------------------


def csrf_token() -> str:
    """Return a token that belongs to this session (before sign-in: to this visitor), spelt anew by each call."""
    nonce = ids.new_secret(9)
    return f"{nonce}.{_csrf_proof(nonce)}"


def check_csrf() -> None:
    """400 where an unsafe request does not bring the token of its session, as form field or ``X-CSRF-Token``."""
    nonce, _, proof = (request.headers.get("X-CSRF-Token") or request.form.get("csrf_token") or "").partition(".")
    if not proof or not hmac.compare_digest(proof.encode(), _csrf_proof(nonce).encode()):
        abort(400, "csrf")


def check_same_site() -> None:
    """400 where the browser says that another site wrote the request."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(400, "cross-site")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(400, "cross-site")


def _csrf_proof(nonce: str) -> str:
    who = current()
    owner = (who.family or who.session) if who is not None and who.session is not None else _visitor()
    secret = current_app.config["SECRET_KEY"]
    key = secret if isinstance(secret, bytes) else str(secret).encode()
    return hmac.new(key, f"csrf {owner} {nonce}".encode(), hashlib.sha256).hexdigest()


def cookie_name(name: str) -> str:
    """Return the name of a cookie of ours: with the ``__Host-`` prefix where the site is served over https."""
    return f"__Host-{name}" if current_app.config["SESSION_COOKIE_SECURE"] else name


def set_cookie(response: BaseResponse, name: str, value: str, *, max_age: int | None = None) -> None:
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=max_age,
        path="/",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        httponly=True,
        samesite="Lax",
    )


def _visitor() -> str:
    if "visitor" not in g:
        known = request.cookies.get(cookie_name("visitor"))
        g.visitor = known or ids.new_secret(18)
        g.new_visitor = known is None
    return str(g.visitor)


def _remember_visitor(response: Response) -> Response:
    if g.get("new_visitor"):
        set_cookie(response, "visitor", g.visitor)
    return response


# --- a form posted twice --------------------------------------------------------------------------


class FormPost(Scoped, Base):
    """A form that was acted on, and where its sender was sent."""

    __tablename__ = "form_post"

    form_id: Mapped[str] = mapped_column(String(FORM_ID_MAX), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    result: Mapped[str]
    at: Mapped[datetime]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


def form_id() -> str:
    """Return the id that the posted form carries (macro ``form_id()``); good as an idempotency key. 400 without."""
    value = request.form.get("form_id", "")
    if not 8 <= len(value) <= FORM_ID_MAX or not value.isascii():
        abort(400, "form_id")
    return value


def once(session: Session, act: Callable[[], str]) -> BaseResponse:
    """Run ``act`` in the caller's write session unless this very form was acted on before, and go where it says.

    ``act`` returns the local URL to show next. The second post of the form does nothing and goes to the same place.
    What ``act`` raises leaves no trace, so a form with an error may be mended and sent again.
    """
    who = principal()
    key = form_id()
    post = FormPost(form_id=key, user_id=who.user_id, org=who.org, result="", at=clock.now())
    try:
        with session.begin_nested():
            session.add(post)
    except IntegrityError:
        earlier = session.get_one(FormPost, (key, who.user_id))
        return see(earlier.result)
    post.result = act()
    return see(post.result)


def see(url: str) -> BaseResponse:
    """Send the browser on with a GET (303); htmx follows as well."""
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, 303)


# --- addresses and answers ------------------------------------------------------------------------


def local_path(target: str | None, default: str = "/") -> str:
    """Return ``target`` if it is a path of this site: no scheme, host, backslash or control; else ``default``."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    if "\\" in target or any(ord(each) < 0x21 or ord(each) == 0x7F for each in target):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc or parts.path.startswith("//") else target


def wants_problem() -> bool:
    """True where the client is a program, not a browser: it gets problem documents instead of pages."""
    if request.path.startswith(("/exchange/", "/api/")) or request.headers.get("Authorization"):
        return True
    accept = request.accept_mimetypes
    return accept["application/json"] > accept["text/html"] or accept["application/problem+json"] > accept["text/html"]


def problem(status: int, title: str, detail: str | None = None, **more: Any) -> Response:
    """Return a problem document (RFC 9457)."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    response = jsonify(body | more)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response
