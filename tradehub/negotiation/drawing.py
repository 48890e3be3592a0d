"""The life of an offer, drawn: a box for each state, an arrow for each move of the table, as SVG.

Where the boxes stand and how far an arrow bends is set by hand; what there is to draw is read off ``TRANSITIONS``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import hypot
from typing import NamedTuple

from tradehub.negotiation.model import TRANSITIONS, Move, State, Who

WIDTH, HEIGHT = 1560, 900
BOX_WIDTH, BOX_HEIGHT = 132, 40

PLACES: Mapping[State, tuple[float, float]] = {
    State.NONE: (40, 420),
    State.INVITATION: (230, 190),
    State.DISPATCHED: (230, 420),
    State.UNDELIVERED: (230, 640),
    State.REJECTED: (560, 190),
    State.EFFECTIVE: (560, 420),
    State.WITHDRAWN: (560, 640),
    State.SUPERSEDED: (800, 335),
    State.REVOKED: (800, 520),
    State.COUNTERED: (1060, 80),
    State.ACCEPTING: (1060, 420),
    State.LATE_PENDING: (1160, 610),
    State.DISPUTED: (1345, 610),
    State.ACCEPTED: (1440, 420),
    State.LAPSED: (1060, 800),
}
"""The middle of each state's box."""


class Bend(NamedTuple):
    """How an arrow runs: ``by`` is how far its middle lies beside the straight line, ``at`` where its words stand (0-1)."""

    by: float = 0
    at: float = 0.5


_S = State
BENDS: Mapping[tuple[State, State], Bend] = {
    (_S.NONE, _S.DISPATCHED): Bend(at=0.37),
    (_S.INVITATION, _S.WITHDRAWN): Bend(at=0.25),
    (_S.DISPATCHED, _S.EFFECTIVE): Bend(at=0.36),
    (_S.DISPATCHED, _S.WITHDRAWN): Bend(at=0.3),
    (_S.UNDELIVERED, _S.EFFECTIVE): Bend(at=0.3),
    (_S.EFFECTIVE, _S.ACCEPTING): Bend(-24, 0.6),
    (_S.ACCEPTING, _S.EFFECTIVE): Bend(-12, 0.4),
    (_S.EFFECTIVE, _S.SUPERSEDED): Bend(at=0.52),
    (_S.EFFECTIVE, _S.ACCEPTED): Bend(175),
    (_S.ACCEPTED, _S.EFFECTIVE): Bend(-245),
    (_S.EFFECTIVE, _S.COUNTERED): Bend(85, 0.6),
    (_S.ACCEPTED, _S.COUNTERED): Bend(-40),
    (_S.EFFECTIVE, _S.LAPSED): Bend(-40),
    (_S.ACCEPTING, _S.LATE_PENDING): Bend(at=0.6),
    (_S.ACCEPTING, _S.DISPUTED): Bend(at=0.38),
    (_S.LATE_PENDING, _S.ACCEPTED): Bend(at=0.66),
    (_S.LAPSED, _S.ACCEPTING): Bend(at=0.42),
    (_S.DISPUTED, _S.LAPSED): Bend(at=0.42),
    (_S.LATE_PENDING, _S.LAPSED): Bend(at=0.38),
    (_S.ACCEPTED, _S.LAPSED): Bend(225),
}

TURNS: Mapping[State, tuple[float, float]] = {
    _S.INVITATION: (0, -32),
    _S.EFFECTIVE: (-40, -32),
    _S.WITHDRAWN: (0, 34),
}
"""Where the words of a move stand that leaves an offer where it is, from the middle of the box."""


def diagram() -> str:
    """Return the drawing. Its colours follow the reader's, on light and on dark."""
    drawn = [_arrow(start, end, moves) for (start, end), moves in _grouped().items()]
    parts = [*(arrow for arrow, _ in drawn), *map(_box, PLACES), *(words for _, words in drawn), *_legend()]
    return _PAGE.format(width=WIDTH, height=HEIGHT, style=_STYLE, heads=_HEADS, parts="".join(parts))


def _grouped() -> dict[tuple[State, State], list[Move]]:
    found: dict[tuple[State, State], list[Move]] = {}
    for move in TRANSITIONS:
        found.setdefault((move.state, move.to), []).append(move)
    return found


def _box(state: State) -> str:
    x, y = PLACES[state]
    if state is State.NONE:
        return f'<circle class="start" cx="{x:g}" cy="{y:g}" r="9"/>\n'
    kind = "end" if all(move.to is state for move in TRANSITIONS if move.state is state) else "state"
    left, top = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
    return (
        f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
        f'<text class="name" x="{x:g}" y="{y + 5:g}">{state.replace("_", " ")}</text>\n'
    )


def _arrow(start: State, end: State, moves: list[Move]) -> tuple[str, str]:
    """Return the line, and the words that stand on it."""
    if start is end:
        beside = TURNS[start]
        return "", _words(moves, PLACES[start][0] + beside[0], PLACES[start][1] + beside[1])
    bend = BENDS.get((start, end), Bend())
    (x1, y1), (x2, y2) = PLACES[start], PLACES[end]
    length = hypot(x2 - x1, y2 - y1)
    across = ((y2 - y1) / length, -(x2 - x1) / length)
    middle = ((x1 + x2) / 2 + 2 * bend.by * across[0], (y1 + y2) / 2 + 2 * bend.by * across[1])
    path = [_point((x1, y1), middle, (x2, y2), step / 200) for step in range(201)]
    path = [each for each in path if not _is_inside(start, each) and not _is_inside(end, each)]
    head, tail = path[-1], path[0]
    x, y = _point((x1, y1), middle, (x2, y2), bend.at)
    inner = _control(path)
    who = moves[0].who
    line = (
        f'<path class="arrow {who}" marker-end="url(#{who})" '
        f'd="M{tail[0]:.1f} {tail[1]:.1f} Q{inner[0]:.1f} {inner[1]:.1f} {head[0]:.1f} {head[1]:.1f}"/>\n'
    )
    return line, _words(moves, x, y)


def _point(
    one: tuple[float, float], middle: tuple[float, float], other: tuple[float, float], t: float
) -> tuple[float, float]:
    """Return the point of a quadratic curve."""
    a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
    return a * one[0] + b * middle[0] + c * other[0], a * one[1] + b * middle[1] + c * other[1]


def _control(path: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the control point of the quadratic curve through the ends and the middle of ``path``."""
    (x1, y1), (x, y), (x2, y2) = path[0], path[len(path) // 2], path[-1]
    return 2 * x - (x1 + x2) / 2, 2 * y - (y1 + y2) / 2


def _is_inside(state: State, point: tuple[float, float]) -> bool:
    x, y = PLACES[state]
    if state is State.NONE:
        return hypot(point[0] - x, point[1] - y) < 11
    return abs(point[0] - x) < BOX_WIDTH / 2 + 3 and abs(point[1] - y) < BOX_HEIGHT / 2 + 3


def _words(moves: list[Move], x: float, y: float) -> str:
    top = y - 14 * (len(moves) - 1) / 2 + 4
    turns = moves[0].state is moves[0].to
    return "".join(
        f'<text class="label {move.who}" x="{x:.1f}" y="{top + 14 * place:.1f}">'
        f"{'↻ ' if turns else ''}{move.rule} {move.event.replace('_', ' ')}</text>\n"
        for place, move in enumerate(moves)
    )


def _legend() -> Iterator[str]:
    x = 60
    yield f'<text class="title" x="{x}" y="44">The life of an offer</text>\n'
    for place, who in enumerate(Who):
        left = x + 110 * place
        yield f'<path class="arrow {who}" d="M{left} 72 h22"/><text class="key {who}" x="{left + 28}" y="76">{who}</text>\n'


_COLOURS: Mapping[Who, tuple[str, str]] = {
    Who.OFFEROR: ("#1f5fbf", "#7db3ff"),
    Who.OFFEREE: ("#a03a00", "#ffab70"),
    Who.EITHER: ("#5a5f66", "#b6bdc6"),
    Who.HUB: ("#0b7a43", "#5ad08f"),
    Who.CLOCK: ("#7a2ea0", "#d9a0f5"),
}
"""Of an arrow, by who makes the move: on light, on dark."""

_STYLE = "".join(
    [
        ".page{fill:#fff}.state{fill:#f2f5f9;stroke:#3b4552}.end{fill:#e6e9ee;stroke:#8a94a3}.start{fill:#3b4552}",
        ".name,.title{fill:#1b222c}.arrow{fill:none;stroke-width:1.6}",
        "text{font:12px system-ui,sans-serif;text-anchor:middle}.name{font-size:14px;font-weight:600}",
        ".title{font-size:20px;font-weight:600;text-anchor:start}.key{font-size:13px;text-anchor:start}",
        ".label{paint-order:stroke;stroke:#fff;stroke-width:7px;stroke-linejoin:round}",
        *(f".arrow.{who}{{stroke:{light}}}.label.{who},.key.{who},.head.{who}{{fill:{light}}}"
          for who, (light, _) in _COLOURS.items()),
        "@media (prefers-color-scheme: dark){.page{fill:#12171e}.state{fill:#1f2732;stroke:#a8b3c2}",
        ".end{fill:#181d25;stroke:#6b7687}.start{fill:#a8b3c2}.name,.title{fill:#eef2f7}.label{stroke:#12171e}",
        *(f".arrow.{who}{{stroke:{dark}}}.label.{who},.key.{who},.head.{who}{{fill:{dark}}}"
          for who, (_, dark) in _COLOURS.items()),
        "}",
    ]
)  # fmt: skip

_HEADS = "".join(
    f'<marker id="{who}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    f'<path class="head {who}" d="M0 0L10 5L0 10z"/></marker>'
    for who in Who
)

_PAGE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
aria-label="The states of an offer and the moves between them">
<style>{style}</style>
<defs>{heads}</defs>
<rect class="page" width="{width}" height="{height}"/>
{parts}</svg>
"""
