"""The log: one JSON object a line on standard error, our own and our libraries' alike.

Whatever a partner puts into a name or a segment stays inside its string: control characters, terminal escapes and
direction overrides are escaped. Values under the names of secrets are not written.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SECRET = re.compile(r"password|passphrase|secret|token|authorization|cookie|private_key|api_key", re.IGNORECASE)
_HIDDEN = "(not logged)"
_QUIET = {
    "apscheduler": logging.WARNING,
    "alembic": logging.WARNING,
    "dbos": logging.WARNING,
    "asyncio": logging.WARNING,
}

Event = MutableMapping[str, Any]


def configure(level: str = "INFO", *, as_json: bool = True) -> None:
    """Send all logging of this process through one formatter."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, as_line if as_json else as_text],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, root.level))


def hide_secrets(logger: Any, method: str, event: Event) -> Event:
    """Replace the values of keys that are named like secrets, at any depth."""
    return {key: _HIDDEN if _SECRET.search(key) else _without_secrets(value) for key, value in event.items()}


def as_line(logger: Any, method: str, event: Event) -> str:
    """Render an event as one line of JSON."""
    return escaped(json.dumps(event, ensure_ascii=False, default=str))


def as_text(logger: Any, method: str, event: Event) -> str:
    """Render an event for people: time, level, event, the rest as name=value."""
    values = dict(event)
    head = " ".join(str(values.pop(key, "")) for key in ("timestamp", "level", "event"))
    exception = values.pop("exception", None)
    line = escaped(" ".join([head, *(f"{key}={value}" for key, value in values.items())]))
    return line if exception is None else line + "\n" + "\n".join(map(escaped, str(exception).splitlines()))


def escaped(text: str) -> str:
    r"""Return ``text`` with each character that could move a cursor or turn a line written as ``\uXXXX``."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _HIDDEN if _SECRET.search(str(key)) else _without_secrets(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in value]
    return value
