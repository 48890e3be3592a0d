"""A text that comes by the chunk, seen through a window: only what has not been read yet is held.

``TextStream`` answers what the cutters ask of a text (find, a slice), in positions of the whole. ``settled`` makes its
chunks out of bytes: decoded, without the line breaks that are no data, each ending with a segment.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator

from tradehub.edi.envelope import Delimiters, Incoming
from tradehub.edi.x12 import BLANKS, settle

ENDLESS = 1 << 62  # the length of a text whose end has not come yet
WINDOW = 1 << 20  # characters read before that are let go of


class TextStream(Incoming):
    """Chunks of text as one text, read from front to back. ``let_go`` frees what lies before a position."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self._chunks = chunks
        self._window = ""
        self._start = 0
        self._has_ended = False

    def __len__(self) -> int:
        """Return the length of the whole; before its end has come, a number beyond any."""
        return self._start + len(self._window) if self._has_ended else ENDLESS

    def __getitem__(self, at: int | slice) -> str:
        if isinstance(at, int):
            self._reach(at + 1)
            return self._window[at - self._start]
        stop = ENDLESS if at.stop is None else at.stop
        self._reach(stop)
        return self._window[max(at.start or 0, self._start) - self._start : stop - self._start]

    def find(self, text: str, start: int = 0, end: int | None = None) -> int:
        """Return where ``text`` next stands, -1 where it does not; reads on as far as it must."""
        while True:
            held = self._start + len(self._window)
            limit = held if end is None else min(end, held)
            at = self._window.find(text, max(start - self._start, 0), max(limit - self._start, 0))
            if at >= 0:
                return at + self._start
            if (end is not None and end <= held) or not self._more():
                return -1
            start = max(start, held - len(text) + 1)

    def let_go(self, at: int) -> None:
        """Forget what lies before a position, when it is worth it."""
        if at - self._start > WINDOW:
            self._window = self._window[at - self._start :]
            self._start = at

    def _reach(self, stop: int) -> None:
        while self._start + len(self._window) < stop and self._more():
            pass

    def _more(self) -> bool:
        """Take in more: as much again as is held, so that a long message is not copied for each chunk."""
        taken, size = [self._window], 0
        while size <= len(self._window) // 2:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._has_ended = True
                break
            taken.append(chunk)
            size += len(chunk)
        self._window = "".join(taken)
        return size > 0


def settled(texts: Iterable[str], found: Delimiters) -> Iterator[str]:
    """Yield the texts again, each ending with a segment and without the line breaks that are no data."""
    held: list[str] = []
    size = wanted = 0
    is_first = True
    for text in texts:
        held.append(text)
        size += len(text)
        if size < wanted:
            continue
        whole = "".join(held)
        cut = _last_end(whole, found) + 1
        held, size = [whole[cut:]], len(whole) - cut
        wanted = 2 * size if not cut else 0
        if cut:
            yield _settle(whole[:cut], found, is_first=is_first)
            is_first = False
    rest = "".join(held)
    if rest:
        yield _settle(rest, found, is_first=is_first)


def _settle(text: str, found: Delimiters, *, is_first: bool) -> str:
    return settle(text if is_first else text.lstrip(BLANKS), found.element, found.segment, found.release)


def _last_end(text: str, found: Delimiters) -> int:
    """Return where the last terminator stands that no release character goes before; -1 where there is none."""
    at = text.rfind(found.segment)
    while found.release and at > 0 and text[at - 1] == found.release:
        at = text.rfind(found.segment, 0, at - 1)
    return at


def decoded(chunks: Iterable[bytes], claimed: str, *, is_certain: bool, tell: Callable[[str], None]) -> Iterator[str]:
    """Yield the chunks as text. Where they are not ASCII, the first that is not decides the character set: UTF-8 gives
    itself away, then what was claimed, then what Windows writes. ``tell`` is told of it once."""
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder(claimed)("replace") if is_certain else None
    for chunk in chunks:
        if decoder is None and not chunk.isascii():
            charset = _charset_of(chunk, claimed)
            tell(charset)
            decoder = codecs.getincrementaldecoder(charset)("replace")
        text = chunk.decode("ascii") if decoder is None else decoder.decode(chunk)
        if text:
            yield text
    rest = decoder.decode(b"", final=True) if decoder is not None else ""
    if rest:
        yield rest


def _charset_of(chunk: bytes, claimed: str) -> str:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(chunk)
    except UnicodeDecodeError:
        is_windows = claimed == "ascii" or (
            claimed.startswith("iso8859") and any(0x80 <= byte < 0xA0 for byte in chunk)
        )
        return "cp1252" if is_windows else claimed
    return "utf-8"
