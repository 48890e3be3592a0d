"""Which language and time zone a page is in, and the catalogues, compiled in memory when they are first asked for."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, has_request_context, request
from flask_babel import Babel, Domain, get_locale
from flask_babel.speaklater import LazyString
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from tradehub.platform import http

TRANSLATIONS = Path(__file__).parent / "translations"

LANGUAGES = {"en": "en", "zh_Hans": "zh-Hans"}
"""Catalogue -> BCP 47 tag of the page."""

FORMATS = {"en": "en_GB", "zh_Hans": "zh_Hans_CN"}
"""Catalogue -> locale of numbers and dates. English serves trade across borders: no month before its day."""

_FORMATS = {code: Locale.parse(name) for code, name in FORMATS.items()}

_CATALOGUES = {code.partition("_")[0]: code for code in LANGUAGES}
"""Language of a locale -> its catalogue."""

_ACCEPTED = {"en": "en", "zh-hans": "zh_Hans", "zh-cn": "zh_Hans", "zh-sg": "zh_Hans", "zh": "zh_Hans"}


def install(app: Flask) -> None:
    babel = Babel(app, locale_selector=language, timezone_selector=time_zone)
    babel.domain_instance = Catalogues()
    app.jinja_env.globals["gettext"] = _in_template
    app.context_processor(
        lambda: {
            "lang_tag": LANGUAGES[language()],
            "language_choices": [(code, tag, _own_name(code)) for code, tag in LANGUAGES.items()],
        }
    )


def in_all(text: LazyString) -> dict[str, str]:
    """Return a text in every language, by its tag, English first: for what leaves in a message, outside of any page."""
    found = {"en": str(text._args[0])}
    for code, tag in LANGUAGES.items():
        translated = catalogue(code).gettext
        found.setdefault(tag, str(translated(found["en"])))
    return found


def language() -> str:
    """Return the catalogue for this request: the user's own, the cookie's, the browser's, or English."""
    if not has_request_context():
        return "en"
    who = http.current()
    for wish in (who.lang if who else None, request.cookies.get(http.cookie_name("lang"))):
        if wish in LANGUAGES:
            return str(wish)
    accepted = request.accept_languages.best_match(list(_ACCEPTED))
    return _ACCEPTED.get((accepted or "en").lower(), "en")


def time_zone() -> str:
    """Return the user's own zone, or the one that the browser named, or UTC."""
    if not has_request_context():
        return "UTC"
    who = http.current()
    for wish in (who.time_zone if who else None, request.cookies.get("tz", "").replace("%2F", "/")):
        if wish in known_zones():
            return str(wish)
    return "UTC"


def zone() -> ZoneInfo:
    return ZoneInfo(time_zone())


def formats() -> Locale:
    """Return the locale that numbers and dates of this request are written in."""
    return _FORMATS[_catalogue()]


@cache
def known_zones() -> frozenset[str]:
    return frozenset(each for each in available_timezones() if "/" in each and not each.startswith(("Etc/", "posix/")))


class Catalogues(Domain):  # type: ignore[misc]
    """The translations, straight from the ``.po`` files: no compiled file lies about or grows stale."""

    def get_translations(self) -> Translations:
        return catalogue(_catalogue())


@pass_context
def _in_template(context: Context, text: str, /, **variables: object) -> str:
    """Translate a text of a template as Jinja's own function does, in a third of its time: a long page has thousands."""
    said = str(catalogue(_catalogue()).gettext(text))
    safe = Markup(said) if context.eval_ctx.autoescape else said  # noqa: S704 - what a template says, not its variables
    return safe % variables if "%" in said else safe


def _catalogue() -> str:
    """Return what ``language`` found for this request. A page asks some thousand times: once it is looked for."""
    locale = get_locale()
    return _CATALOGUES[locale.language] if locale else "en"


@cache
def catalogue(code: str) -> Translations:
    path = TRANSLATIONS / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return Translations()
    with path.open("rb") as file:
        messages = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)


def _own_name(code: str) -> str:
    locale = Locale.parse(code)
    return str(locale.languages[locale.language]).capitalize()
