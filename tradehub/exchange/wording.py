"""How the exchange reads to people: statuses as a pill's kind and word, reasons as sentences, stages as steps."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.exchange.model import Acknowledgement, Delivery, Direction, Reason, Validation

Pill = tuple[str, LazyString]

VALIDATIONS: dict[Validation, Pill] = {
    Validation.PENDING: ("work", lazy_gettext("Being read")),
    Validation.ACCEPTED: ("ok", lazy_gettext("Valid")),
    Validation.WARNED: ("warn", lazy_gettext("Valid, with warnings")),
    Validation.REJECTED: ("bad", lazy_gettext("Rejected")),
    Validation.HELD: ("warn", lazy_gettext("Held")),
    Validation.DUPLICATE: ("off", lazy_gettext("Duplicate")),
}

DELIVERIES: dict[Delivery, Pill] = {
    Delivery.NONE: ("off", lazy_gettext("Not delivered")),
    Delivery.PENDING: ("wait", lazy_gettext("Waiting")),
    Delivery.RETRYING: ("warn", lazy_gettext("Trying again")),
    Delivery.SENT: ("ok", lazy_gettext("Sent")),
    Delivery.HANDED_ON: ("ok", lazy_gettext("Handed on")),
    Delivery.REFUSED: ("bad", lazy_gettext("Not acted on")),
    Delivery.FAILED: ("bad", lazy_gettext("Failed")),
}

ACKNOWLEDGEMENTS: dict[tuple[Direction, Acknowledgement], Pill] = {
    (Direction.IN, Acknowledgement.NONE): ("off", lazy_gettext("No answer due")),
    (Direction.IN, Acknowledgement.EXPECTED): ("wait", lazy_gettext("To be answered")),
    (Direction.IN, Acknowledgement.ACCEPTED): ("ok", lazy_gettext("Confirmed by us")),
    (Direction.IN, Acknowledgement.REJECTED): ("bad", lazy_gettext("Refused by us")),
    (Direction.OUT, Acknowledgement.NONE): ("off", lazy_gettext("None expected")),
    (Direction.OUT, Acknowledgement.EXPECTED): ("wait", lazy_gettext("Awaited")),
    (Direction.OUT, Acknowledgement.ACCEPTED): ("ok", lazy_gettext("Confirmed")),
    (Direction.OUT, Acknowledgement.REJECTED): ("bad", lazy_gettext("Refused by partner")),
}

LATE: Pill = ("bad", lazy_gettext("Late"))

DIRECTIONS: dict[str, Pill] = {
    Direction.IN: ("in", lazy_gettext("Inbound")),
    Direction.OUT: ("out", lazy_gettext("Outbound")),
}

REASONS: dict[str, LazyString] = {
    Reason.NOT_EDI: lazy_gettext("This is neither EDI nor XML."),
    Reason.TRUNCATED: lazy_gettext("The transmission ends before its trailer; part of it is missing."),
    Reason.UNREADABLE: lazy_gettext("The envelope cannot be read."),
    Reason.SYNTAX: lazy_gettext("The message breaks a rule of its standard."),
    Reason.UNKNOWN_SENDER: lazy_gettext("No partner is known by the sender's name in the envelope."),
    Reason.SENDER_NOT_OF_CHANNEL: lazy_gettext("The sender named in the envelope is not the partner of this channel."),
    Reason.UNKNOWN_RECEIVER: lazy_gettext("The receiver named in the envelope is not us."),
    Reason.NO_AGREEMENT: lazy_gettext("There is no agreement with this partner about this message."),
    Reason.AGREEMENT_NOT_VALID: lazy_gettext("The agreement about this message is not valid today."),
    Reason.PARTNER_SUSPENDED: lazy_gettext("The partner is suspended."),
    Reason.UNKNOWN_MESSAGE: lazy_gettext("There is no map for this message."),
    Reason.DUPLICATE: lazy_gettext("The same message was received before; it was answered again and not acted on."),
    Reason.OTHER_CONTENT: lazy_gettext("Its control number was used before for other content."),
    Reason.NO_HANDLER: lazy_gettext("Nothing here acts on this kind of document."),
    Reason.ACKNOWLEDGES_NOTHING: lazy_gettext("It acknowledges a message that we did not send."),
    Reason.CANNOT_BE_WRITTEN: lazy_gettext("The document does not fit the partner's message."),
    Reason.OWN_JUDGEMENT: lazy_gettext("Our own reader would reject this message, so it was not sent."),
    Reason.NO_CHANNEL: lazy_gettext("The partner has no such channel."),
    Reason.TRANSPORT: lazy_gettext("The transport failed."),
    Reason.GAVE_UP: lazy_gettext("It was tried as often as agreed, without success."),
    Reason.REJECTED_BY_RECEIVER: lazy_gettext("The partner's acknowledgement rejects it."),
}

STAGES: dict[str, LazyString] = {
    "received": lazy_gettext("Received and kept"),
    "split": lazy_gettext("Split into its interchanges"),
    "read": lazy_gettext("Read"),
    "identified": lazy_gettext("Sender identified"),
    "accepted": lazy_gettext("Found valid"),
    "rejected": lazy_gettext("Rejected"),
    "duplicate": lazy_gettext("Recognised as a duplicate"),
    "handed-on": lazy_gettext("Handed on"),
    "refused": lazy_gettext("Not acted on"),
    "answered": lazy_gettext("Answered"),
    "made": lazy_gettext("Made from its document"),
    "written": lazy_gettext("Written"),
    "sent": lazy_gettext("Sent"),
    "sent-again": lazy_gettext("Sent again"),
    "failed": lazy_gettext("Failed"),
    "acknowledged": lazy_gettext("Confirmed by the partner"),
    "ack-rejected": lazy_gettext("Refused by the partner"),
    "replayed": lazy_gettext("Replayed"),
    "made-again": lazy_gettext("Made again"),
    "settled": lazy_gettext("Marked as dealt with"),
}

KINDS: dict[str, LazyString] = {
    "inquiry": lazy_gettext("Inquiry"),
    "offer": lazy_gettext("Offer"),
    "order": lazy_gettext("Order"),
    "order_response": lazy_gettext("Order response"),
    "despatch": lazy_gettext("Despatch advice"),
    "invoice": lazy_gettext("Invoice"),
    "application_response": lazy_gettext("Acknowledgement"),
}

FILTERS: dict[str, LazyString] = {
    "all": lazy_gettext("All"),
    "attention": lazy_gettext("Errors"),
    "waiting": lazy_gettext("Waiting"),
    "in": lazy_gettext("Inbound"),
    "out": lazy_gettext("Outbound"),
}
