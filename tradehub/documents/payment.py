"""What is paid, from which account to which, and for which invoices."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tradehub.documents.base import TradeDocument
from tradehub.documents.parts import AllowanceCharge, DatedEvent, Identifier, Note, Number, Part, Party, Reference


class BankAccount(Part):
    """An account of ``role`` payer or payee (ISO 13616 IBAN or a national number), at a bank."""

    role: str
    account: str | None = None
    account_scheme: str | None = None
    bank: str | None = None
    bank_scheme: str | None = None
    holder: str | None = None
    currency: str | None = None


class Adjustment(Part):
    """A correction of what is due. ``amount`` has the sign that the sender gave it; ``reason_code`` is the sender's."""

    reason_code: str | None = None
    reason: str | None = None
    amount: Number | None = None
    references: tuple[Reference, ...] = ()


class Allocation(Part):
    """What is paid of one invoice or credit note; ``due`` less ``discount`` and ``adjustments`` gives ``paid``."""

    type: str | None = None
    number: str | None = None
    action: str | None = None
    due: Number | None = None
    discount: Number | None = None
    paid: Number | None = None
    references: tuple[Reference, ...] = ()
    dates: tuple[DatedEvent, ...] = ()
    parties: tuple[Party, ...] = ()
    adjustments: tuple[AllowanceCharge, ...] = ()
    corrections: tuple[Adjustment, ...] = ()
    notes: tuple[Note, ...] = ()


class Remittance(TradeDocument):
    """Payment advice (X12 820, EDIFACT REMADV, UBL RemittanceAdvice). ``total`` is the amount paid.

    ``value`` among the dates is the day on which the money is at the payee's disposal.
    """

    kind: ClassVar[str] = "remittance"
    trace: str | None = Field(default=None, description="number under which the money itself travels")
    means: str | None = None
    handling: str | None = None
    is_debit: bool | None = None
    accounts: tuple[BankAccount, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    corrections: tuple[Adjustment, ...] = ()


class PartyDetails(Party):
    """A party and what is to be known of it: its accounts, since when it holds, its places."""

    accounts: tuple[BankAccount, ...] = ()
    dates: tuple[DatedEvent, ...] = ()
    places: tuple[Identifier, ...] = ()
    notes: tuple[Note, ...] = ()
    currency: str | None = None
    means: str | None = None


class PartyInformation(TradeDocument):
    """What a partner says of itself and its places (EDIFACT PARTIN): names, numbers, addresses, accounts.

    ``parties`` send and receive the message; ``subjects`` are those it tells of.
    """

    kind: ClassVar[str] = "party"
    accounts: tuple[BankAccount, ...] = ()
    subjects: tuple[PartyDetails, ...] = ()
