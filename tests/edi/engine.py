# ruff: noqa: E501
"""What the tests of the engine share: the shipped maps, and the codes that messages made up for them are rich in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tradehub.edi.maps import MapStore

FOLDER = Path(__file__).resolve().parents[2] / "edi_mappings"


PARSED: dict[str, str] = {}
"""What has been parsed: each file once, in whatever store it is asked for."""


@cache
def maps() -> MapStore:
    return MapStore(lambda path: (FOLDER / path).read_text("utf-8") if (FOLDER / path).is_file() else None, PARSED)


def every_map() -> list[tuple[str, str, str]]:
    """Return (standard, message, release) of each segment map there is."""
    found = []
    for path in sorted(FOLDER.glob("*/*/structure/*.yaml")):
        standard, release = path.parts[-4], path.parts[-3]
        if standard in {"x12", "edifact"} and (FOLDER / standard / release / path.name).is_file():
            found.append((standard, path.stem, release))
    return found


INSTEAD = {("edifact/D96A/DELFOR", "SG18"): "SG4"}
"""Groups that cannot be told from another in one message: a message has one or the other (docs/maps.md)."""

SEPARATORS = {"x12": ("*", ">"), "edifact": ("+", ":")}
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


QUALIFIERS = {
    "x12": {
        "98": "BY SE ST BT ZZ", "128": "PO CT VN ZZ RE PR", "374": "002 010 011 ZZZ", "235": "BP VP UP EN ZZ", "66": "1 9 92 91 ZZ",
        "355": "EA KG CS ZZ", "349": "F S", "353": "00 05 01", "735": "S O T P I", "668": "IA IQ IP", "92": "SA NE BK", "639": "PE CT",
        "248": "A C N", "522": "TT 1", "587": "AD AC RJ",
    },
    "edifact": {
        "3035": "BY SU DP ZZZ", "1153": "ON CT AAG ZZZ", "2005": "137 2 10 171 ZZZ", "2379": "102 203 204 718", "7143": "EN BP SA ZZZ",
        "3055": "9 91 92 ZZZ", "6411": "PCE KGM ZZZ", "6063": "21 12 192 53", "5125": "AAA AAB CAL", "5025": "203 86 79 124 8", "6069": "1 2",
        "3155": "TE EM FX", "1225": "9 5 1", "1229": "1 3 5", "0081": "S", "4451": "AAI WAR", "5463": "A C",
    },
}  # fmt: skip
