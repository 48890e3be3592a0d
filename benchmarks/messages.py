# ruff: noqa: S311, TID251, PERF401
"""Messages for measuring, made up by us: 850s and ORDERS of 1 to 50 lines, the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


def x12_856(size: int, seed: int = 1) -> bytes:
    """Return one interchange of 856s of about ``size`` bytes: shipment, order, tare, pack and item, each in the other."""
    return _x12("SH", "856", _856, size, Random(seed))


def _x12(group: str, kind: str, make: Callable[[Random, int], Iterator[str]], size: int, random: Random) -> bytes:
    parts = [
        "ISA*00*          *00*          *ZZ*NINGBO         *ZZ*HAIDI          *240301*1200*U*00401*000000001*0*P*>~",
        f"GS*{group}*NINGBO*HAIDI*20240301*1200*1*X*004010~",
    ]
    length = count = 0
    while length < size:
        count += 1
        body = [*make(random, count)]
        head, tail = f"ST*{kind}*{count:04}~", f"SE*{len(body) + 2}*{count:04}~"
        parts.append(head + "".join(f"{segment}~" for segment in body) + tail)
        length += len(parts[-1])
    parts.append(f"GE*{count}*1~IEA*1*000000001~")
    return "".join(parts).encode()


def _856(random: Random, number: int) -> Iterator[str]:
    yield f"BSN*00*ASN-{number:06}*20240301*1200"
    yield "HL*1**S"
    yield "TD5**2*MAEU*S*Sea via Ningbo"
    yield f"REF*BM*BL{random.randint(10000, 99999)}"
    yield "DTM*011*20240301"
    for role in ("SF", "ST"):
        yield f"N1*{role}*{random.choice(NAMES)}*92*{random.randint(10000, 99999)}"
    yield "HL*2*1*O"
    yield f"PRF*PO-{number:06}"
    level = 2
    for _ in range(random.randint(1, 3)):
        level += 1
        tare = level
        yield f"HL*{tare}*2*T"
        yield f"MAN*GM*0{random.randint(10**16, 10**17 - 1)}00"
        for _ in range(random.randint(1, 3)):
            level += 1
            pack = level
            yield f"HL*{pack}*{tare}*P"
            yield f"MAN*GM*0{random.randint(10**16, 10**17 - 1)}00"
            for _ in range(random.randint(1, 4)):
                level += 1
                yield f"HL*{level}*{pack}*I"
                yield f"LIN**BP*B{random.randint(1, 99999):05}*VP*V{random.randint(1, 99999):05}"
                yield f"SN1**{random.randint(1, 500)}*EA"
    yield f"CTT*{level}"


def edifact_invoic(size: int, seed: int = 1, lines: int = 500) -> bytes:
    """Return one interchange of INVOIC D.96A of about ``size`` bytes, with so many lines each."""
    random = Random(seed)
    parts = ["UNA:+.? '", "UNB+UNOC:3+RHEIN:ZZ+HAIDI:ZZ+240301:1200+1'"]
    length = count = 0
    while length < size:
        count += 1
        body = [*_invoic(random, count, lines)]
        parts.append(
            f"UNH+{count}+INVOIC:D:96A:UN'" + "".join(f"{each}'" for each in body) + f"UNT+{len(body) + 2}+{count}'"
        )
        length += len(parts[-1])
    parts.append(f"UNZ+{count}+1'")
    return "".join(parts).encode()


def _invoic(random: Random, number: int, lines: int) -> Iterator[str]:
    yield f"BGM+380+INV-{number:06}+9"
    yield "DTM+137:20240301:102"
    yield f"RFF+ON:PO-{number:06}"
    for role in ("BY", "SU"):
        yield f"NAD+{role}+{random.randint(10000, 99999)}::92++{random.choice(NAMES)}+1 Harbour Road+Bremen++28195+DE"
    yield "CUX+2:EUR:4"
    total = 0
    for line in range(1, lines + 1):
        quantity, price = random.randint(1, 500), random.randint(1, 9999)
        total += quantity * price
        yield f"LIN+{line}++{random.randint(4000000000000, 4999999999999)}:EN"
        yield f"IMD+F++:::{random.choice(GOODS)}"
        yield f"QTY+47:{quantity}:PCE"
        yield f"MOA+203:{quantity * price / 100:.2f}"
        yield f"PRI+AAA:{price / 100:.2f}"
    yield "UNS+S"
    yield f"CNT+2:{lines}"
    yield f"MOA+77:{total / 100:.2f}"
