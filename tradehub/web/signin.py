"""Coming in, going out, and what a person settles for themselves: password, sessions, language, time zone, colours.

Before an act that binds, ``confirm`` asks for password or passkey once more, and carries along the form that was posted.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from urllib.parse import quote, urlsplit

from flask import Blueprint, Response, abort, current_app, flash, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as BaseResponse

from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.http import Principal
from tradehub.platform.passkeys import Passkeys
from tradehub.platform.security import (
    PASSWORD_MIN,
    LinkRefused,
    PasswordRefused,
    Security,
    SignInRefused,
    TooManyAttempts,
    User,
)
from tradehub.web import language, navigation, notices
from tradehub.web.passkeys import site

SESSION_COOKIE = "session"
A_YEAR_S = 365 * 24 * 3600

PASSWORD_RULES = {
    "short": lazy_gettext("Use at least 8 characters; 15 or more are better."),
    "long": lazy_gettext("Use at most 128 characters."),
    "common": lazy_gettext("This is one of the passwords that are tried first. Choose another one."),
    "personal": lazy_gettext("This is too close to your name or address. Choose another one."),
}


def authenticate(security: Security) -> Principal | None:
    """Return who the request's token or cookie speaks for. A token that is wrong is not covered up by a cookie."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        return security.principal_of_token(token.strip()) if scheme.lower() == "bearer" else None
    secret = request.cookies.get(http.cookie_name(SESSION_COOKIE))
    return security.principal_of(secret) if secret else None


def confirm(security: Security, passkeys: Passkeys) -> BaseResponse | None:
    """Take the password or the passkey that the posted form brings; None where it is right, else the page that asks (403).

    The page carries the form along, so that the act is done with its one button. A form with files cannot be carried:
    there the password is asked for on a page of its own, which leads back.
    """
    if request.form.get(http.PASSKEY_FIELD) or http.CONFIRM_FIELD in request.form:
        return _confirmed(security, passkeys, request.full_path.rstrip("?"), _carried())
    if http.wants_problem():
        why = gettext("This act needs the password once more: post it as %(field)s.", field=http.CONFIRM_FIELD)
        return http.problem(403, gettext("Confirm that it is you"), why)
    back = urlsplit(request.headers.get("HX-Current-URL") or request.referrer or "").path
    if request.headers.get("HX-Request"):
        where = f"/confirm-it-is-you?next={quote(http.local_path(back), safe='')}"
        return Response(status=403, headers={"HX-Redirect": where})
    if request.files:
        return _ask_password("/confirm-it-is-you", [("next", http.local_path(back))], 403)
    return _ask_password(request.full_path.rstrip("?"), _carried(), 403)


def _carried() -> list[tuple[str, str]]:
    # Secrets are typed anew: no page carries them back.
    own = ("csrf_token", http.CONFIRM_FIELD, http.PASSKEY_FIELD, "username", "passphrase", "again")
    return [(name, value) for name, value in request.form.items(multi=True) if name not in own]


def _confirmed(
    security: Security, passkeys: Passkeys, action: str, carried: Sequence[tuple[str, str]]
) -> BaseResponse | None:
    """Let the session go on as a fresh one under a new secret, by passkey or password; else the page once more."""
    who, answer = http.principal(), request.form.get(http.PASSKEY_FIELD)
    try:
        if answer:
            passkeys.confirm(who, site(), answer)
            secret = security.renew(who)
        else:
            password = request.form.get(http.CONFIRM_FIELD, "")
            secret = security.confirm(who, password, address=request.remote_addr or "")
    except SignInRefused:
        why = (
            gettext("The passkey was not accepted. Use your password.")
            if answer
            else gettext("This is not your password.")
        )
        return _ask_password(action, carried, 403, why)
    except TooManyAttempts as refused:
        page = _ask_password(action, carried, 429, _too_many(refused))
        page.headers["Retry-After"] = str(ceil(refused.retry_after.total_seconds()))
        return page
    g.principal, g.renewed_session = security.principal_of(secret), secret
    return None


def _ask_password(
    action: str, carried: Sequence[tuple[str, str]], status: int, error: str | None = None
) -> BaseResponse:
    page = render_template("confirm.html", action=action, carried=carried, error=error)
    return make_response(page, status)


def _too_many(refused: TooManyAttempts) -> str:
    minutes = ceil(refused.retry_after.total_seconds() / 60)
    return str(gettext("Too many attempts. Try again in %(minutes)s minutes.", minutes=minutes))


def blueprint(security: Security, passkeys: Passkeys, database: Database) -> Blueprint:
    pages = Blueprint("signin", __name__)
    pages.after_app_request(_keep_renewed)
    _add_door(pages, security)
    _add_door_for_passkeys(pages, security, passkeys)
    _add_confirmation(pages, security, passkeys)
    _add_link(pages, security, database)
    _add_way_out(pages, security, database)
    _add_account(pages, security, passkeys, database)
    _add_switches(pages, security, database)
    return pages


def _add_door(pages: Blueprint, security: Security) -> None:
    @pages.get("/sign-in")
    @http.public
    def sign_in() -> ResponseReturnValue:
        if http.current() is not None:
            return redirect(http.local_path(request.args.get("next")))
        return render_template("sign_in.html", next=http.local_path(request.args.get("next")))

    @pages.post("/sign-in")
    @http.public
    def sign_in_by_password() -> ResponseReturnValue:
        email, onward = request.form.get("email", ""), http.local_path(request.form.get("next"))
        try:
            secret = security.sign_in(
                email, request.form.get("password", ""), address=request.remote_addr or "", agent=_agent()
            )
        except SignInRefused:
            wrong = gettext("E-mail and password do not match.")
            return render_template("sign_in.html", next=onward, email=email, error=wrong), 401
        except TooManyAttempts as refused:
            return _shut_for_a_while(refused, next=onward, email=email)
        return _let_in(secret, onward)


def _add_door_for_passkeys(pages: Blueprint, security: Security, passkeys: Passkeys) -> None:
    @pages.post("/sign-in/passkey/ask")
    @http.public
    def ask_passkey() -> ResponseReturnValue:
        return Response(passkeys.ask_anybody(site(), request.remote_addr or ""), mimetype="application/json")

    @pages.post("/sign-in/passkey")
    @http.public
    def sign_in_by_passkey() -> ResponseReturnValue:
        answer, onward = request.form.get("passkey", ""), http.local_path(request.form.get("next"))
        address = request.remote_addr or ""

        def recognise() -> tuple[str, str]:
            found = passkeys.recognise(site(), answer, address)
            return found.user_id, found.passkey

        try:
            secret = security.sign_in_by_passkey(recognise, address=address, agent=_agent())
        except SignInRefused:
            wrong = gettext("The passkey was not accepted. Use your password.")
            return render_template("sign_in.html", next=onward, error=wrong), 401
        except TooManyAttempts as refused:
            return _shut_for_a_while(refused, next=onward)
        return _let_in(secret, onward)


def _shut_for_a_while(refused: TooManyAttempts, **shown: str) -> BaseResponse:
    page = make_response(render_template("sign_in.html", error=_too_many(refused), **shown), 429)
    page.headers["Retry-After"] = str(ceil(refused.retry_after.total_seconds()))
    return page


def _add_confirmation(pages: Blueprint, security: Security, passkeys: Passkeys) -> None:
    @pages.get("/confirm-it-is-you")
    @http.signed_in
    def confirm_form() -> ResponseReturnValue:
        _own_session()
        onward = http.local_path(request.args.get("next"))
        return _ask_password("/confirm-it-is-you", [("next", onward)], 200)

    @pages.post("/confirm-it-is-you")
    @http.signed_in
    def confirm_it_is_you() -> ResponseReturnValue:
        _own_session()
        onward = http.local_path(request.form.get("next"))
        asked_again = _confirmed(security, passkeys, "/confirm-it-is-you", [("next", onward)])
        return asked_again or redirect(onward, 303)


def _keep_renewed(response: Response) -> Response:
    if "renewed_session" in g:
        http.set_cookie(response, SESSION_COOKIE, g.renewed_session)
    return response


def _add_link(pages: Blueprint, security: Security, database: Database) -> None:
    def _page(secret: str, error: str | None = None) -> BaseResponse:
        try:
            with database.read() as session:
                invited = security.invited(session, secret)
        except LinkRefused:
            return make_response(render_template("link_refused.html"), 404)
        page = make_response(render_template("link.html", invited=invited, error=error, least=PASSWORD_MIN))
        page.status_code = 422 if error else 200
        # Not no-referrer: a browser then posts the form with "Origin: null", which is refused as another site's.
        page.headers["Referrer-Policy"] = "strict-origin"
        return page

    @pages.get("/sign-in/<secret>")
    @http.public
    def link(secret: str) -> ResponseReturnValue:
        return _page(secret)

    @pages.post("/sign-in/<secret>")
    @http.public
    def open_link(secret: str) -> ResponseReturnValue:
        try:
            session = security.open_link(secret, request.form.get("password", ""), agent=_agent())
        except PasswordRefused as refused:
            return _page(secret, error=str(PASSWORD_RULES[refused.rule]))
        except LinkRefused:
            return _page(secret)
        return _let_in(session, "/")


def _add_way_out(pages: Blueprint, security: Security, database: Database) -> None:
    @pages.post("/sign-out")
    @http.signed_in
    def sign_out() -> ResponseReturnValue:
        with database.write() as session:
            security.sign_out(session, _own_session())
        response = redirect("/sign-in", 303)
        http.set_cookie(response, SESSION_COOKIE, "", max_age=0)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


def _add_account(pages: Blueprint, security: Security, passkeys: Passkeys, database: Database) -> None:
    def _account(**more: object) -> str:
        who = http.principal()
        with database.read() as session:
            sessions = security.sessions(session, who.user_id)
            devices = passkeys.of(session, who.user_id)
            own = session.get_one(User, who.user_id)
        zones = [("", gettext("As the browser says")), *((each, each) for each in sorted(language.known_zones()))]
        return render_template(
            "account.html", sessions=sessions, devices=devices, site=site(), zones=zones, mail=own.mail or notices.AT_ONCE,
            wishes=list(notices.WISHES.items()) if current_app.config["MAILS"] else [], **more,
        )  # fmt: skip

    @pages.get("/account")
    @http.signed_in
    def account() -> ResponseReturnValue:
        _own_session()
        return _account()

    @pages.post("/account/password")
    @http.signed_in
    def change_password() -> ResponseReturnValue:
        try:
            security.change_password(
                http.principal().user_id,
                request.form.get("old", ""),
                request.form.get("new", ""),
                keep=_own_session(),
            )
        except SignInRefused:
            return _account(old_error=gettext("This is not your password.")), 422
        except PasswordRefused as refused:
            return _account(new_error=PASSWORD_RULES[refused.rule]), 422
        flash(gettext("Your password is changed. All your other sessions have ended."), "ok")
        return redirect("/account", 303)

    @pages.post("/account/sessions/end")
    @http.signed_in
    def end_sessions() -> ResponseReturnValue:
        with database.write() as session:
            security.sign_out_others(session, http.principal().user_id, _own_session())
        flash(gettext("All your other sessions have ended."), "ok")
        return redirect("/account", 303)

    @pages.post("/account/zone")
    @http.signed_in
    def choose_zone() -> ResponseReturnValue:
        wish = request.form.get("time_zone") or None
        if wish is not None and wish not in language.known_zones():
            abort(400)
        with database.write() as session:
            security.set_preferences(session, _own_user(), time_zone=wish)
        return redirect("/account", 303)

    @pages.post("/account/mail")
    @http.signed_in
    def choose_mail() -> ResponseReturnValue:
        wish = request.form.get("mail", "")
        if wish not in notices.WISHES:
            abort(400)
        with database.write() as session:
            security.set_preferences(session, _own_user(), mail=wish)
        flash(gettext("Kept."), "ok")
        return redirect("/account", 303)


def _add_switches(pages: Blueprint, security: Security, database: Database) -> None:
    @pages.post("/lang/<code>")
    @http.public
    def speak(code: str) -> ResponseReturnValue:
        if code not in language.LANGUAGES:
            abort(404)
        who = http.current()
        if who is not None and not who.is_token:
            with database.write() as session:
                security.set_preferences(session, who.user_id, lang=code)
        return _prefer("lang", code)

    @pages.post("/theme")
    @http.public
    def colours() -> ResponseReturnValue:
        theme = request.form.get("theme", "")
        if theme not in navigation.THEMES:
            abort(400)
        return _prefer("theme", theme)


def _let_in(secret: str, onward: str) -> BaseResponse:
    response = redirect(onward, 303)
    http.set_cookie(response, SESSION_COOKIE, secret)
    return response


def _prefer(name: str, value: str) -> BaseResponse:
    response = redirect(http.local_path(request.form.get("next")), 303)
    http.set_cookie(response, name, value, max_age=A_YEAR_S)
    return response


def _own_session() -> str:
    """Return the session of the person who asks. A token has none, and no account page either."""
    own = http.principal().session
    if own is None:
        abort(403)
    return own


def _own_user() -> str:
    _own_session()
    return http.principal().user_id


def _agent() -> str:
    return request.headers.get("User-Agent", "")
