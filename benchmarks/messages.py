# ruff: noqa: S311, TID251, PERF401
"""Messages for measuring, made up by us: 850s and ORDERS of 1 to 50 lines, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

NAMES = (
    "Haidi Trading",
    "Ningbo Valves",
    "Rhein Armaturen",
    "Nordic Flow",
    "Delta Fluid",
    "Alba Pumpen",
    "Costa Tubos",
)
GOODS = (
    "Gate valve DN50",
    "Ball valve 1 inch brass",
    "Check valve PN16",
    "Gasket set",
    "Flange DN80 PN40",
    "Actuator 24 V",
    "Strainer Y type",
)
UNITS = ("EA", "CS", "KG", "BX")


def x12_850(size: int, seed: int = 1) -> bytes:
    """Return one interchange of 850s of about ``size`` bytes."""
    random = Random(seed)
    parts = [
        "ISA*00*          *00*          *ZZ*HAIDI          *ZZ*NINGBO         *240301*1200*U*00401*000000001*0*P*>~",
        "GS*PO*HAIDI*NINGBO*20240301*1200*1*X*004010~",
    ]
    length = count = 0
    while length < size:
        count += 1
        message = "".join(f"{segment}~" for segment in _850(random, count))
        parts.append(message)
        length += len(message)
    parts.append(f"GE*{count}*1~IEA*1*000000001~")
    return "".join(parts).encode()


def _850(random: Random, number: int) -> Iterator[str]:
    lines = random.randint(1, 50)
    body = [
        f"BEG*00*SA*PO-{number:06}**2024{random.randint(1, 12):02}{random.randint(1, 28):02}",
        "CUR*BY*USD",
        f"REF*CT*CT-{random.randint(1, 9999)}",
        f"REF*DP*{random.randint(100, 999)}",
        "PER*BD*Li Wei*TE*+865741234567",
        "ITD*01*3*2**10**30",
        f"DTM*002*2024{random.randint(1, 12):02}{random.randint(1, 28):02}",
        "TD5*B*2*MAEU*S*Sea via Ningbo",
    ]
    for role in ("BY", "SE", "ST"):
        body += [
            f"N1*{role}*{random.choice(NAMES)}*92*{random.randint(10000, 99999)}",
            f"N3*{random.randint(1, 200)} Harbour Road",
            f"N4*Ningbo**{random.randint(100000, 999999)}*CN",
        ]
    units = 0
    for line in range(1, lines + 1):
        quantity = random.randint(1, 500)
        units += quantity
        price = f"{random.randint(1, 99999) / 100:.2f}"
        body += [
            f"PO1*{line}*{quantity}*{random.choice(UNITS)}*{price}**BP*B{random.randint(1, 99999):05}*VP*V{random.randint(1, 99999):05}",
            f"PID*F****{random.choice(GOODS)}",
        ]
        if line % 3 == 0:
            body.append(f"DTM*002*2024{random.randint(1, 12):02}{random.randint(1, 28):02}")
    body += [f"CTT*{lines}*{units}"]
    yield f"ST*850*{number:04}"
    yield from body
    yield f"SE*{len(body) + 2}*{number:04}"


def edifact_orders(size: int, seed: int = 1) -> bytes:
    """Return one interchange of ORDERS D.96A of about ``size`` bytes."""
    random = Random(seed)
    parts = ["UNA:+.? '", "UNB+UNOC:3+HAIDI:ZZ+RHEIN:ZZ+240301:1200+1'"]
    length = count = 0
    while length < size:
        count += 1
        message = "".join(f"{segment}'" for segment in _orders(random, count))
        parts.append(message)
        length += len(message)
    parts.append(f"UNZ+{count}+1'")
    return "".join(parts).encode()


def _orders(random: Random, number: int) -> Iterator[str]:
    lines = random.randint(1, 50)
    body = [
        f"BGM+220+PO-{number:06}+9",
        f"DTM+137:2024{random.randint(1, 12):02}{random.randint(1, 28):02}:102",
        f"DTM+2:2024{random.randint(1, 12):02}{random.randint(1, 28):02}:102",
        f"RFF+CT:CT-{random.randint(1, 9999)}",
    ]
    for role in ("BY", "SU", "DP"):
        body.append(
            f"NAD+{role}+{random.randint(10000, 99999)}::92++{random.choice(NAMES)}+{random.randint(1, 200)} Harbour Road+Bremen++28195+DE"
        )
    body.append("CUX+2:EUR:9")
    for line in range(1, lines + 1):
        body += [
            f"LIN+{line}++{random.randint(4000000000000, 4999999999999)}:EN",
            f"PIA+5+B{random.randint(1, 99999):05}:BP",
            f"IMD+F++:::{random.choice(GOODS)}",
            f"QTY+21:{random.randint(1, 500)}:PCE",
            f"PRI+AAA:{random.randint(1, 99999) / 100:.2f}",
        ]
    body += ["UNS+S", f"CNT+2:{lines}"]
    yield f"UNH+{number}+ORDERS:D:96A:UN"
    yield from body
    yield f"UNT+{len(body) + 2}+{number}"
