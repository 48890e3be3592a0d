"""Collect the texts that people see, and see to it that each is there in every language.

``python -m tradehub.web.i18n extract|update|check``: ``extract`` prints what there is, ``update`` puts new texts into
the catalogues (English is filled in by itself), ``check`` fails on a text that is missing or fuzzy, on a placeholder
that a translation drops or invents, on a bare percent sign in a template's text, on a text that is not collected, and
on Chinese characters outside the catalogues. Nothing is compiled to files: see ``language``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from tradehub.web.language import LANGUAGES, TRANSLATIONS

PACKAGE = Path(__file__).parent.parent
METHODS = [("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2"), ("**.py", "python")]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
_JINJA = {"extensions": "jinja2.ext.do", "silent": "false", "trimmed": "true"}
OPTIONS = {"**/templates/**.html": _JINJA, "**/templates/**.txt": _JINJA}

CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_BARE_PERCENT = re.compile(r"%(?!\(\w+\)[sd])")
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")


def extract(package: Path = PACKAGE) -> Catalog:
    """Return every text of the package, with the places it stands at."""
    found = Catalog(project="tradehub", charset="utf-8", fuzzy=False)
    texts = extract_from_dir(package, METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("TRANSLATORS:",))
    for name, _line, text, comments, context in texts:
        found.add(text, None, [(name, 1)], auto_comments=comments, context=context)
    return found


def path_of(code: str) -> Path:
    return TRANSLATIONS / code / "LC_MESSAGES" / "messages.po"


def load(code: str) -> Catalog:
    if not path_of(code).exists():
        return Catalog(locale=code, project="tradehub", charset="utf-8", fuzzy=False)
    with path_of(code).open("rb") as file:
        return read_po(file, locale=code)


def update(found: Catalog, code: str) -> int:
    """Put what was found into a catalogue, drop what is gone, and return how many texts wait for a translation."""
    known = load(code)
    known.update(deepcopy(found), no_fuzzy_matching=True)
    known.fuzzy = False
    for message in _texts(known):
        if code == "en" and not _is_complete(message):
            message.string = message.id
    path_of(code).parent.mkdir(parents=True, exist_ok=True)
    with path_of(code).open("wb") as file:
        write_po(file, known, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True, omit_header=True)
    return sum(not _is_complete(message) for message in _texts(known))


def faults(found: Catalog, known: Catalog) -> Iterator[str]:
    """Name every text that a reader of the catalogue's language would not get, or would get wrong."""
    for message in _texts(found):
        there = known.get(message.id, message.context)
        where = ", ".join(name for name, _line in message.locations)
        if there is None or not _is_complete(there):
            yield f"{known.locale}: missing {message.id!r} ({where})"
        elif there.fuzzy:
            yield f"{known.locale}: fuzzy {message.id!r}"
        elif _placeholders(there.string) - _placeholders(message.id):
            yield f"{known.locale}: {there.string!r} names what {message.id!r} does not"
        elif not message.pluralizable and _placeholders(message.id) - _placeholders(there.string):
            yield f"{known.locale}: {there.string!r} drops a value of {message.id!r}"
        elif ".html" in where and any(_BARE_PERCENT.search(text.replace("%%", "")) for text in _strings(there)):
            yield f"{known.locale}: {there.string!r} has a bare %, which a template takes for a value"


def stray_characters(package: Path = PACKAGE) -> Iterator[str]:
    """Name every line of a template or module with Chinese in it: such a text belongs into a catalogue."""
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.html"), *package.rglob("static/*.js")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if CJK.search(line):
                yield f"{path.relative_to(package.parent)}:{number}: {line.strip()[:80]}"


def uncollected(package: Path = PACKAGE) -> Iterator[str]:
    """Name every text inside an f-string: what collects the texts does not look into those."""
    for path in sorted(package.rglob("*.py")):
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for inner in ast.walk(outer) if isinstance(outer, ast.JoinedStr) else ():
                if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in KEYWORDS:
                    yield f"{path.relative_to(package.parent)}:{inner.lineno}: {inner.func.id}() inside an f-string"


def check() -> list[str]:
    """Return everything that is wrong; an empty list is what CI wants."""
    found = extract()
    wrong = [fault for code in LANGUAGES for fault in faults(found, load(code))]
    return [*wrong, *uncollected(), *stray_characters()]


def _texts(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def _is_complete(message: Message) -> bool:
    strings = _strings(message)
    return bool(strings) and all(strings)


def _placeholders(text: str | list[str] | tuple[str, ...] | None) -> set[str]:
    parts = (text,) if isinstance(text, str) else text or ()
    return {name for part in parts for name in _PLACEHOLDER.findall(part) if name}


def main(command: str) -> int:
    if command == "extract":
        write_po(sys.stdout.buffer, extract(), width=120, sort_output=True, omit_header=True)
        return 0
    if command == "update":
        found = extract()
        for code in LANGUAGES:
            waiting = update(found, code)
            sys.stdout.write(f"{code}: {len(_texts(found))} texts, {waiting} to translate\n")
        return 0
    if command == "check":
        wrong = check()
        sys.stdout.writelines(f"{each}\n" for each in wrong)
        return 1 if wrong else 0
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
