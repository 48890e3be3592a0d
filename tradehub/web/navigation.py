"""The ways through the house: what the side bar, the phone's menu and the ``g`` keys offer, by permission."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.platform import http, ids

THEMES = ("auto", "light", "dark")


@dataclass(frozen=True)
class Way:
    href: str
    text: LazyString
    icon: str
    permission: str | None = None
    key: str | None = None
    covers: tuple[str, ...] = ()
    """Beginnings of further paths that belong to this entry."""


WAYS = (
    Way("/", lazy_gettext("Home"), "home", key="h"),
    Way("/deals", lazy_gettext("Negotiations"), "messages", "deal.read", "n", ("/inquiries",)),
    Way("/tenders", lazy_gettext("Tenders"), "scale", "deal.read", "t"),
    Way("/auctions", lazy_gettext("Auctions"), "gavel", "deal.read", "x"),
    Way("/orders", lazy_gettext("Orders"), "package", "order.read", "o"),
    Way("/contracts", lazy_gettext("Contracts"), "file-text", "deal.read", "c"),
    Way("/approvals", lazy_gettext("Approvals"), "checks", "approval.decide", "v"),
    Way("/messages", lazy_gettext("Exchange monitor"), "activity", "message.read", "m"),
    Way("/partners", lazy_gettext("Partners"), "building", "partner.read", "p"),
    Way("/schedules", lazy_gettext("Schedules"), "calendar-clock", "schedule.read", "s"),
    Way("/users", lazy_gettext("People"), "users", "user.manage", "u", ("/tokens",)),
    Way("/spending-limits", lazy_gettext("Spending limits"), "coin", "policy.manage", "l"),
    Way("/audit", lazy_gettext("Audit log"), "history", "audit.read", "a"),
)


@dataclass(frozen=True)
class Entry:
    href: str
    text: LazyString
    icon: str
    key: str | None
    current: bool


def install(app: Flask, *, test_mode: bool) -> None:
    app.jinja_env.globals.update(
        csrf_token=http.csrf_token, new_form_id=ids.new_id, may=http.may, is_fresh=http.is_fresh
    )
    app.context_processor(
        lambda: {
            "who": http.current(),
            "nav": _entries(app),
            "here": here(app),
            "theme": theme(),
            "test_mode": test_mode,
        }
    )


def here(app: Flask) -> str:
    """Return where one comes to the page shown, or to the nearest above it: what was posted to may not be asked for."""
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    routes, path = app.create_url_adapter(request), request.path
    while routes and path and not routes.test(path, "GET"):
        path = path.rpartition("/")[0]
    return path or "/"


def theme() -> str:
    wish = request.cookies.get(http.cookie_name("theme"), "auto")
    return wish if wish in THEMES else "auto"


def _entries(app: Flask) -> list[Entry]:
    who = http.current()
    if who is None:
        return []
    served = {rule.rule.rstrip("/") or "/" for rule in app.url_map.iter_rules() if not rule.arguments}
    return [
        Entry(way.href, way.text, way.icon, way.key, _covers(way, request.path))
        for way in WAYS
        if way.href in served and (way.permission is None or who.may(way.permission))
    ]


def _covers(way: Way, path: str) -> bool:
    if way.href == "/":
        return path == "/"
    return any(path == start or path.startswith(f"{start}/") for start in (way.href, *way.covers))
