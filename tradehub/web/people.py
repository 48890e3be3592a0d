"""The people of one organisation: who they are, what they may do, and letting them in."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from tradehub.platform import http
from tradehub.platform.db import Database
from tradehub.platform.security import ROLES, LinkRefused, Membership, Security
from tradehub.web import notices


def blueprint(security: Security, database: Database, public_url: str) -> Blueprint:
    pages = Blueprint("people", __name__)

    def _list(**more: object) -> str:
        with database.read(org=http.principal().org) as session:
            members = security.members(session, http.principal().org)
            refused = notices.faults(session, [user.id for user, _ in members])
        return render_template("people.html", members=members, refused=refused, roles=list(ROLES), **more)

    @pages.get("/users")
    @http.requires("user.manage")
    def people() -> ResponseReturnValue:
        return _list()

    @pages.post("/users")
    @http.requires_fresh
    @http.requires("user.manage")
    def invite() -> ResponseReturnValue:
        email, name = request.form.get("email", "").strip(), request.form.get("name", "").strip()
        roles = [each for each in request.form.getlist("roles") if each in ROLES]
        errors = _errors(email, name, roles)
        if email.casefold() == http.principal().email:
            errors["email"] = gettext("Nobody gives roles to themselves. Ask somebody else who manages people.")
        if errors:
            return _list(errors=errors, form=request.form, chosen=roles), 422
        org = http.principal().org
        with database.write(org=org) as session:
            user_id = security.add_user(session, org, email, name, roles)
            link = _link(session, user_id)
        return _list(link=link, link_name=name)

    @pages.post("/users/<user_id>/link")
    @http.requires_fresh
    @http.requires("user.manage")
    def send_link(user_id: str) -> ResponseReturnValue:
        with database.write(org=http.principal().org) as session:
            _member(session, user_id)
            link = _link(session, user_id)
        return _list(link=link, link_name="")

    @pages.post("/users/<user_id>/leave")
    @http.requires("user.manage")
    def leave(user_id: str) -> ResponseReturnValue:
        who = http.principal()
        if user_id == who.user_id:
            flash(gettext("You cannot remove yourself."), "bad")
            return redirect("/users", 303)
        with database.write(org=who.org) as session:
            _member(session, user_id)
            security.remove_member(session, user_id, who.org)
        flash(gettext("Removed. Open sessions have ended."), "ok")
        return redirect("/users", 303)

    def _link(session: Session, user_id: str) -> str | None:
        try:
            return f"{public_url}/sign-in/{security.issue_link(session, user_id, http.principal().org)}"
        except LinkRefused:
            flash(gettext("This person has an account with another organisation too and signs in with its password."))
            return None

    return pages


def _member(session: Session, user_id: str) -> Membership:
    found = session.get(Membership, (user_id, http.principal().org))
    if found is None:
        abort(404)
    return found


def _errors(email: str, name: str, roles: list[str]) -> dict[str, str]:
    errors = {}
    local, _, host = email.partition("@")
    if not local or "." not in host or len(email) > 254 or any(each.isspace() for each in email):
        errors["email"] = gettext("This is not an e-mail address.")
    if not name:
        errors["name"] = gettext("Say who this is.")
    if not roles:
        errors["roles"] = gettext("Choose at least one role.")
    return errors
