"""The pages of passkeys: to make, name and forget one, and the questions that a browser hands to a device."""

from __future__ import annotations

import re

from flask import Blueprint, Flask, Response, abort, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from werkzeug.utils import redirect

from tradehub.platform import http
from tradehub.platform.passkeys import PasskeyRefused, Passkeys, Site

RULES = {
    "answer": lazy_gettext("This device's answer was not accepted. Try again."),
    "known": lazy_gettext("This passkey is known already."),
    "many": lazy_gettext("You have as many passkeys as can be kept. Forget one first."),
    "name": lazy_gettext("Give the passkey a name of at most 60 characters."),
}

_SUBJECT = re.compile(r"[0-9a-f]{64}")
"""What an act is about: a SHA-256."""


def site() -> Site:
    """Return where the current request came to."""
    return Site(request.host)


def install(app: Flask, passkeys: Passkeys) -> None:
    """Tell the templates whether who asks has a passkey that answers here, and whether anybody may."""

    def has_passkey() -> bool:
        who = http.current()
        return who is not None and not who.is_token and passkeys.good_at(who.user_id, site())

    app.jinja_env.globals["has_passkey"] = has_passkey
    app.jinja_env.globals["takes_passkeys"] = lambda: site().has_passkeys


def blueprint(passkeys: Passkeys) -> Blueprint:
    """Return the pages. The list itself stands on the account page."""
    pages = Blueprint("passkeys", __name__)

    @pages.post("/account/passkeys/invite")
    @http.signed_in
    def invite() -> ResponseReturnValue:
        _people_only()
        return _json(passkeys.invite(http.principal(), site()))

    @pages.post("/account/passkeys")
    @http.requires_fresh
    @http.signed_in
    def add() -> ResponseReturnValue:
        _people_only()
        try:
            passkeys.add(http.principal(), site(), request.form.get("answer", ""), request.form.get("name", ""))
        except PasskeyRefused as refused:
            flash(str(RULES[refused.rule]), "bad")
        else:
            flash(
                gettext(
                    "The passkey is kept. It stands in for your password, at sign-in and wherever that is asked for again."
                ),
                "ok",
            )
        return redirect("/account", 303)

    @pages.post("/account/passkeys/<passkey_id>/forget")
    @http.requires_fresh
    @http.signed_in
    def forget(passkey_id: str) -> ResponseReturnValue:
        _people_only()
        if not passkeys.forget(http.principal(), passkey_id):
            abort(404)
        flash(gettext("The passkey is forgotten."), "ok")
        return redirect("/account", 303)

    @pages.post("/passkeys/ask")
    @http.signed_in
    def ask() -> ResponseReturnValue:
        _people_only()
        subject = request.form.get("subject", "")
        if subject and not _SUBJECT.fullmatch(subject):
            abort(400)
        return _json(passkeys.ask(http.principal(), site(), bytes.fromhex(subject)))

    return pages


def _people_only() -> None:
    if http.principal().is_token:
        abort(403)


def _json(text: str) -> Response:
    return Response(text, mimetype="application/json")
