"""The API tokens of one organisation: made and shown once, listed by their beginning, revoked."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.security import PERMISSIONS, ROLES, TOKEN_SCOPES, Security, permissions_of

LIVES = (30, 90, 365)
"""Days for which a token may be made."""

NAME_MAX = 100

GRANTABLE = (
    *(each for each in PERMISSIONS if each in TOKEN_SCOPES),
    *sorted(TOKEN_SCOPES - {*PERMISSIONS, "metrics.read"}),
)
"""Scopes that an organisation hands out. The hub's own figures are its keeper's, who makes that token on the command line."""


def blueprint(security: Security, database: Database) -> Blueprint:
    pages = Blueprint("tokens", __name__)

    def shown(**more: object) -> str:
        org = http.principal().org
        with database.read(org=org) as session:
            found = security.tokens(session, org)
        return render_template("tokens.html", tokens=found, scopes=GRANTABLE, roles=tuple(ROLES), lives=LIVES, **more)

    @pages.get("/tokens")
    @http.requires("user.manage")
    def tokens() -> ResponseReturnValue:
        return shown()

    @pages.post("/tokens")
    @http.requires("user.manage")
    def issue() -> ResponseReturnValue:
        name = request.form.get("name", "").strip()[:NAME_MAX]
        days = request.form.get("days", type=int)
        roles = [each for each in request.form.getlist("roles") if each in ROLES]
        scopes = [each for each in request.form.getlist("scopes") if each in GRANTABLE]
        granted = {*scopes, *permissions_of(roles).intersection(GRANTABLE)}
        errors = {}
        if not name:
            errors["name"] = gettext("Say what the token is for.")
        if not granted:
            errors["scopes"] = gettext("Choose at least one role or scope.")
        if days not in LIVES:
            errors["days"] = gettext("Choose how long it is good for.")
        if errors or days is None:
            return shown(errors=errors, name=name, chosen=scopes, chosen_roles=roles), 422
        org = http.principal().org
        with database.write(org=org) as session:
            secret = security.issue_token(session, org, name, granted, life=timedelta(days=days))
        return shown(secret=secret, name=name)

    @pages.post("/tokens/<token_id>/revoke")
    @http.requires("user.manage")
    def revoke(token_id: str) -> ResponseReturnValue:
        org = http.principal().org
        with database.write(org=org) as session:
            if not security.revoke_token(session, org, token_id):
                abort(404)
        flash(gettext("Revoked: the token opens nothing any more."), "ok")
        return redirect("/tokens", 303)

    return pages
