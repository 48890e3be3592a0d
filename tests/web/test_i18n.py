"""Every text in every language, and no Chinese outside the catalogues."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from flask import Flask, render_template_string

from tradehub.web import i18n, language
from tradehub.web.language import LANGUAGES


def test_every_text_is_there_in_every_language() -> None:
    assert i18n.check() == []


@pytest.fixture
def found() -> Catalog:
    catalog = Catalog(locale="en")
    catalog.add("%(count)s lines", locations=[("x.html", 1)])
    catalog.add(("one thing", "%(num)d things"), locations=[("x.html", 2)])
    return catalog


def translated(first: str, second: str, *, flags: tuple[str, ...] = ()) -> Catalog:
    catalog = Catalog(locale="zh_Hans")
    catalog.add("%(count)s lines", first, flags=flags)
    catalog.add(("one thing", "%(num)d things"), (second,))
    return catalog


def test_a_whole_catalogue_has_no_fault(found: Catalog) -> None:
    assert list(i18n.faults(found, translated("%(count)s \u884c", "%(num)d \u9879"))) == []


@pytest.mark.parametrize(
    ("known", "fault"),
    [
        (translated("", "%(num)d \u9879"), "missing"),
        (translated("%(count)s \u884c", ""), "missing"),
        (translated("%(count)s \u884c", "%(num)d \u9879", flags=("fuzzy",)), "fuzzy"),
        (translated("\u884c", "%(num)d \u9879"), "drops"),
        (translated("%(number)s \u884c", "%(num)d \u9879"), "names"),
        (translated("%(count)s \uff08%\uff09", "%(num)d \u9879"), "bare %"),
    ],
)
def test_what_a_reader_would_miss_is_named(found: Catalog, known: Catalog, fault: str) -> None:
    assert [fault in each for each in i18n.faults(found, known)] == [True]


def test_texts_are_found_in_templates_and_modules(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text("{{ _('In a page') }} {{ ngettext('one', 'many', n) }}")
    (tmp_path / "web.py").write_text("lazy_gettext('In a module')")
    ids = {message.id for message in i18n.extract(tmp_path) if message.id}
    assert ids == {"In a page", ("one", "many"), "In a module"}


@pytest.mark.parametrize("name", ["web.py", "page.html"])
def test_chinese_outside_the_catalogues_is_named(tmp_path: Path, name: str) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / name).write_text("ok\n'\u53d1\u7968'\n", encoding="utf-8")
    assert [each.split(": ")[0] for each in i18n.stray_characters(package)] == [f"package/{name}:2"]


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("{{ _('%(name)s and others', name='<b>') }}", "&lt;b&gt; and others"),
        ("{{ _('<i>%(name)s</i>', name='x') }}", "<i>x</i>"),
        ("{{ _('100 %% new') }}", "100 % new"),
        ("{{ _('Account') }}", "\u8d26\u6237"),
        ("{% set kept = _('Account') %}{{ kept | upper }} {{ kept }}", "\u8d26\u6237 \u8d26\u6237"),
    ],
)
def test_a_text_of_a_template_is_markup_and_what_is_put_into_it_is_not(text: str, reads: str) -> None:
    app = Flask("shown")
    language.install(app)
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert render_template_string(text) == reads


def test_each_language_calls_itself_by_its_own_name() -> None:
    from tradehub.web.language import _own_name

    assert [_own_name(code) for code in LANGUAGES] == ["English", "\u4e2d\u6587"]


def test_a_text_inside_an_f_string_is_named_for_it_is_not_collected(tmp_path: Path) -> None:
    module = tmp_path / "house" / "wording.py"
    module.parent.mkdir()
    module.write_text("""said = f"+{gettext('%(count)s d', count=2)}"\nfine = gettext("days")\n""")
    assert list(i18n.uncollected(module.parent)) == ["house/wording.py:1: gettext() inside an f-string"]
