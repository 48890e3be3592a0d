"""The words of contracting for people: why something is refused, what a template's mistake is, what a placeholder means."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.contracting import binding
from tradehub.contracting.keys import UnusableKey
from tradehub.contracting.model import Conflict, Refused
from tradehub.contracting.wording import Mistake
from tradehub.partners.asking import NOT_NEEDED

ROLES: Mapping[str, LazyString] = {"buyer": lazy_gettext("Buyer"), "seller": lazy_gettext("Seller")}

LANGUAGE_NAMES: Mapping[str, LazyString] = {"en": lazy_gettext("English"), "zh_Hans": lazy_gettext("Chinese")}

REFUSED: Mapping[str, LazyString] = {
    "NOT_FRESH": lazy_gettext("Type your password once more: this binds your organisation."),
    "WRONG_PASSWORD": lazy_gettext("This is not your password. Nothing was signed."),
    "WRONG_PASSKEY": lazy_gettext("The passkey was not accepted. Nothing was signed."),
    "TOO_MANY": lazy_gettext("Too many wrong passwords. Try again in some minutes."),
    "ENDED": lazy_gettext("The contract has ended; nothing is signed or called off any more."),
    "NOT_PREPARED": lazy_gettext("The contract has not been put up for signature."),
    "SIGNED_ALREADY": lazy_gettext("It has been signed; the text can no longer be changed."),
    "NO_KEY": lazy_gettext(
        "Your organisation has no signing key here. Make one, or bring your own for this signature."
    ),
    "SAME_CERTIFICATE": lazy_gettext("The other side has signed with this very certificate. Each side needs its own."),
    "CONFLICT": lazy_gettext("The contract has changed since this page was shown. Look at it again before you sign."),
    "NO_FILE": lazy_gettext("Choose the file with your key."),
    "NOT_BUYER": lazy_gettext("Only the buyer calls off."),
    "NOT_YOURS": lazy_gettext("You proposed these ceilings; the other side agrees to them."),
    "NOT_AGREED": lazy_gettext("The ceilings have been proposed, but not agreed to yet."),
    "NO_BLANKET": lazy_gettext("This contract is no blanket agreement."),
    "AGREED_ALREADY": lazy_gettext("The ceilings are agreed; they stand."),
    "PERIOD": lazy_gettext("The period ends before it begins."),
    "NO_CEILING": lazy_gettext("Give at least one ceiling: a quantity, an amount of a line, or an amount in all."),
    "OUTSIDE_PERIOD": lazy_gettext("The day of the release is outside the period of the agreement."),
    "NOTHING_WANTED": lazy_gettext("Give the quantity of at least one line."),
    "UNKNOWN_LINE": lazy_gettext("The contract has no such line."),
    "NOT_POSITIVE": lazy_gettext("The quantity must be more than nought."),
    "NO_PRICE": lazy_gettext("The line has no price, so an amount cannot be counted."),
    "BEYOND_QUANTITY": lazy_gettext("More than the line’s quantity that is left."),
    "BEYOND_AMOUNT": lazy_gettext("More than the line’s amount that is left."),
    "NOT_NEEDED": NOT_NEEDED,
    "BEYOND_TOTAL": lazy_gettext("More than the amount that is left in all."),
}
"""Rule -> why a party may not do it."""

OVERTAKEN: Mapping[str, LazyString] = {f"{binding.OVERTAKEN}{rule}": sentence for rule, sentence in REFUSED.items()}
"""Why a call-off could not be made that had been approved."""

UNUSABLE: Mapping[str, LazyString] = {
    "size": lazy_gettext("The file is too large for a key."),
    "unreadable": lazy_gettext("The file is no PKCS#12 file, or its password is another one."),
    "rounds": lazy_gettext("The file asks for more rounds of key derivation than we compute."),
    "no_key": lazy_gettext("There is no private key in the file."),
    "no_certificate": lazy_gettext("There is no certificate in the file."),
    "kind": lazy_gettext(
        "The key is of a kind that PDF readers do not check: use RSA, or ECDSA on P-256, P-384 or P-521."
    ),
    "weak": lazy_gettext("The key is too short: RSA needs 2048 bits or more."),
    "mismatch": lazy_gettext("Key and certificate do not belong together."),
    "usage": lazy_gettext("The certificate may not be used for signatures."),
    "not_yet_valid": lazy_gettext("The certificate is not valid yet."),
    "expired": lazy_gettext("The certificate has expired."),
}

MISTAKES: Mapping[str, LazyString] = {
    "unknown": lazy_gettext("there is no placeholder of this name"),
    "no_name": lazy_gettext("only a name may stand between the braces"),
    "line_term_outside": lazy_gettext("this stands for a line, so only inside {{#lines}}"),
    "not_opened": lazy_gettext("this closes what was not opened"),
    "not_closed": lazy_gettext("this is never closed"),
    "nested": lazy_gettext("lines cannot stand inside lines"),
    "too_deep": lazy_gettext("too many blocks inside each other"),
    "open_braces": lazy_gettext("braces that are never closed"),
    "too_long": lazy_gettext("the text is too long"),
}

NOT_WRITTEN_IN = lazy_gettext("The contract is not written in this language.")
NO_SUCH_TEMPLATE = lazy_gettext("You have no such template.")
OTHER_LANGUAGE = lazy_gettext("The template is in another language.")
NAME_TAKEN = lazy_gettext("You have a template of this name in this language.")

MEANINGS: Mapping[str, LazyString] = {
    "contract_number": lazy_gettext("Number of the contract"),
    "contract_version": lazy_gettext("Version of the contract"),
    "concluded_on": lazy_gettext("Day of conclusion"),
    "buyer": lazy_gettext("Name of the buyer"),
    "buyer_address": lazy_gettext("Address of the buyer"),
    "buyer_identifiers": lazy_gettext("Registered numbers of the buyer"),
    "seller": lazy_gettext("Name of the seller"),
    "seller_address": lazy_gettext("Address of the seller"),
    "seller_identifiers": lazy_gettext("Registered numbers of the seller"),
    "inquiry": lazy_gettext("Number of the inquiry"),
    "offer": lazy_gettext("Number of the offer"),
    "currency": lazy_gettext("Currency"),
    "total": lazy_gettext("Total of all lines"),
    "delivery_terms": lazy_gettext("Terms of delivery"),
    "delivery_date": lazy_gettext("Day of delivery"),
    "payment_terms": lazy_gettext("Terms of payment"),
    "warranty": lazy_gettext("Warranty"),
    "liability": lazy_gettext("Liability"),
    "penalty": lazy_gettext("Penalty"),
    "disputes": lazy_gettext("Disputes"),
    "law": lazy_gettext("Governing law"),
    "packaging": lazy_gettext("Packaging"),
    "inspection": lazy_gettext("Inspection"),
    "documents_required": lazy_gettext("Documents required"),
    "partial_shipments": lazy_gettext("Partial shipments"),
    "further_terms": lazy_gettext("Further terms"),
    "line_number": lazy_gettext("Number of the line"),
    "line_item": lazy_gettext("Item"),
    "line_item_number": lazy_gettext("Item number"),
    "line_quantity": lazy_gettext("Quantity"),
    "line_unit": lazy_gettext("Unit"),
    "line_price": lazy_gettext("Unit price"),
    "line_amount": lazy_gettext("Line total"),
    "line_delivery_date": lazy_gettext("Day of delivery"),
}
"""Placeholder -> what stands in its place."""


def why(refused: Exception | str) -> str:
    """Return in a sentence why something was refused: a rule, or what was raised."""
    if isinstance(refused, Refused):
        return _refused(refused)
    if isinstance(refused, UnusableKey):
        said = str(UNUSABLE[refused.rule])
        return f"{said} ({refused.value})" if refused.value else said
    if isinstance(refused, Mistake):
        return mistake(refused)
    return str(REFUSED["CONFLICT" if isinstance(refused, Conflict) else str(refused)])


def _refused(refused: Refused) -> str:
    said = str(REFUSED[refused.rule])
    if refused.rule == "OUTSIDE_PERIOD":
        return f"{said} ({refused.value}; {refused.place})"
    if refused.place:
        said = str(gettext("Line %(line)s: %(why)s", line=refused.place, why=said))
    return f"{said} ({refused.value})" if refused.rule.startswith("BEYOND") else said


def mistake(found: Mistake) -> str:
    """Return where a template is wrong, and how."""
    return str(
        gettext(
            "Line %(line)s, column %(column)s, “%(value)s”: %(why)s.",
            line=found.line, column=found.column, value=found.value, why=MISTAKES[found.rule],
        )
    )  # fmt: skip
