"""Keys and envelopes: openers set their passphrases, and two of them open a stage after its closing time.

The first of the two gives no key away: its half is taken out of its envelope and at once sealed to the second one's key,
in the same transaction, so what is kept between the two visits opens with the second one's passphrase alone. The
private key of a stage exists in the memory of one request, that of the second one, and never outside it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.platform import audit, clock, ids
from tradehub.platform.db import to_json
from tradehub.platform.sealing import joined
from tradehub.platform.security import common_passwords
from tradehub.sourcing.tenders import model, sealing, store
from tradehub.sourcing.tenders.hooks import Actor, Entered, Hooks
from tradehub.sourcing.tenders.model import Notice, StageKind, Submission, TenderRefused
from tradehub.sourcing.tenders.reading import NotFound, Reading
from tradehub.sourcing.tenders.sealing import Entropy, Work
from tradehub.sourcing.tenders.store import BidRow, NoticeRow, OpenerChangeRow, OpenerRow, ShareRow, TenderRow


class Opening(Reading):
    """The part of the service that holds keys in its hands, for as short as it can."""

    def __init__(self, hooks: Hooks, *, work: Work | None = None, entropy: Entropy = ids.random_bytes) -> None:
        self.hooks = hooks
        self.work = work or Work()
        self.entropy = entropy

    def set_passphrase(self, session: Session, actor: Actor, tender_id: str, passphrase: str) -> None:
        """Set the passphrase that an opener will open with. It is not kept, and there is no other way to the key."""
        row, now = self._tender(session, tender_id), clock.now()
        opener = self._opener(session, tender_id, actor)
        is_late = row.published_at is not None and opener.state != "named"
        if is_late or opener.public_key is not None:
            raise TenderRefused("PASSPHRASE_SET", opener.set_at or "")
        model.check_passphrase(passphrase, common_passwords(), (row.number, row.title, opener.name))
        salt = self.entropy(sealing.SALT_SIZE)
        private = sealing.key_from(passphrase, salt, self.work)
        opener.salt, opener.public_key, opener.set_at = salt.hex(), sealing.public_of(private).hex(), now
        opener.work = [self.work.passes, self.work.memory_kib, self.work.lanes]
        self._note(session, tender_id, row.buyer_id, actor, "tender.passphrase", {"opener": opener.user_id})

    def forget_passphrase(self, session: Session, actor: Actor, tender_id: str) -> None:
        """Let an opener choose another one; possible until the tender is published, for then bids hang on it."""
        row = self._tender(session, tender_id)
        opener = self._opener(session, tender_id, actor)
        if row.published_at is not None:
            raise TenderRefused("PASSPHRASE_SET", opener.set_at or "")
        opener.salt = opener.public_key = opener.set_at = opener.work = None

    def name_successor(self, session: Session, actor: Actor, tender_id: str, user_id: str, name: str) -> None:
        """An opener names who is to take the place, instead of anybody named before. Nothing is handed over yet."""
        row, me = self._in_place(session, actor, tender_id)
        known = {each.user_id: each for each in store.all_openers(session, tender_id)}
        if user_id in known and known[user_id].follows != me.user_id:
            raise TenderRefused("ALREADY_OPENER", name)
        for each in known.values():
            if each.state == "named" and each.follows == me.user_id:
                store.delete_opener(session, each)
        session.add(
            OpenerRow(
                tender_id=tender_id, buyer_id=row.buyer_id, user_id=user_id, name=name, place=me.place, state="named",
                follows=me.user_id,
            )
        )  # fmt: skip
        self._note(session, tender_id, row.buyer_id, actor, "tender.successor_named", {"successor": user_id})

    def give_place(self, session: Session, actor: Actor, tender_id: str, key: bytes) -> None:
        """Hand one's halves over to the person named, who has set a passphrase, and leave.

        Each half is taken out of its envelope and sealed to the other's key in one transaction: the key that bids are
        sealed to stays as it is, and so do the halves of the others. Raises TenderRefused for a wrong key too.
        """
        row, me = self._in_place(session, actor, tender_id)
        people = store.all_openers(session, tender_id)
        to = next((each for each in people if each.follows == me.user_id and each.state == "named"), None)
        if to is None or to.public_key is None:
            raise TenderRefused("NO_SUCCESSOR")
        if sealing.public_of(key).hex() != me.public_key:
            raise TenderRefused("WRONG_PASSPHRASE")
        for stage in self._unopened(session, tender_id):
            for share in store.shares(session, tender_id, stage):
                if share.user_id == me.user_id:
                    half = self._half(share, key)
                    about = self.about_share(tender_id, stage, to.user_id, share.other_id)
                    sealed = sealing.seal(half, bytes.fromhex(to.public_key), about, self.entropy).hex()
                    session.add(
                        ShareRow(
                            tender_id=tender_id, stage=stage, user_id=to.user_id, other_id=share.other_id,
                            buyer_id=row.buyer_id, sealed=sealed,
                        )
                    )  # fmt: skip
                    session.delete(share)
                elif share.other_id == me.user_id:
                    share.other_id, share.sealed_with = to.user_id, share.sealed_with or me.user_id
        me.state, to.state = "left", "active"
        session.flush()
        self._tell_change(session, row, me, to)
        told = {"left": me.user_id, "joined": to.user_id}
        self._note(session, tender_id, row.buyer_id, actor, "tender.opener_exchanged", told)

    def _tell_change(self, session: Session, row: TenderRow, left: OpenerRow, joined: OpenerRow) -> None:
        is_open = store.notice_rows(session, row.id)[0].is_open
        session.add(
            OpenerChangeRow(
                id=ids.new_id(), tender_id=row.id, buyer_id=row.buyer_id, is_open=is_open, left=left.name,
                joined=joined.name, at=clock.now(),
            )
        )  # fmt: skip

    def _in_place(self, session: Session, actor: Actor, tender_id: str) -> tuple[TenderRow, OpenerRow]:
        """Return the tender, locked against bids and the opening, and the opener. Raises TenderRefused where no place may be
        given any more: before publication, when a stage is being opened, and when all are."""
        row = self._tender(session, tender_id)
        notice = self._latest(self._notices(session, tender_id, lock=True))
        me = self._opener(session, tender_id, actor)
        if me.state != "active" or not notice.is_sealed:
            raise TenderRefused("NOT_AN_OPENER", actor.name or "")
        model.check_running(self.standing(session, tender_id))
        stages = self._unopened(session, tender_id)
        if not stages or any(each.handed for stage in stages for each in store.shares(session, tender_id, stage)):
            raise TenderRefused("OPENING_BEGUN")
        return row, me

    def _unopened(self, session: Session, tender_id: str) -> list[str]:
        return [stage for stage, key in store.stage_keys(session, tender_id).items() if key.opened_at is None]

    def key_of(self, session: Session, actor: Actor, tender_id: str, passphrase: str) -> bytes:
        """Return the key that a passphrase stands for, right or wrong. It takes long, so a read session will do."""
        opener = self._opener(session, tender_id, actor)
        if opener.salt is None or opener.work is None:
            raise TenderRefused("KEYS_MISSING", opener.name)
        return sealing.key_from(passphrase[: model.PASSPHRASE_MAX], bytes.fromhex(opener.salt), Work(*opener.work))

    def is_right(self, session: Session, actor: Actor, tender_id: str, key: bytes) -> bool:
        """Count a try, and return whether the key is the opener's. Committed whatever comes of it; T18 limits tries."""
        opener, now = self._opener(session, tender_id, actor, lock=True), clock.now()
        if opener.tried_at is None or opener.tried_at + model.TRIES_WITHIN <= now:
            opener.tries, opener.tried_at = 0, now
        if opener.tries >= model.TRIES_MAX:
            raise TenderRefused("TOO_MANY_TRIES", opener.tried_at + model.TRIES_WITHIN if opener.tried_at else "")
        if sealing.public_of(key).hex() == opener.public_key:
            opener.tries = 0
            return True
        opener.tries += 1
        row = self._tender(session, tender_id)
        self._note(session, tender_id, row.buyer_id, actor, "tender.wrong_passphrase", {"opener": opener.user_id})
        return False

    def hand_over(self, session: Session, actor: Actor, tender_id: str, kind: StageKind, key: bytes) -> bool:
        """Agree to the opening of a stage with one's key; return whether it is open now (the second one opens it).

        Raises TenderRefused before the closing time, for a wrong key, and for the same person a second time.
        """
        row = self._tender(session, tender_id)
        notices = self._notices(session, tender_id, lock=True)
        notice, now = self._latest(notices), clock.now()
        opener = self._opener(session, tender_id, actor)
        if opener.state != "active":
            raise TenderRefused("NOT_AN_OPENER", actor.name or "")
        model.check_opening(notice, self.standing(session, tender_id), kind, now=now)
        if sealing.public_of(key).hex() != opener.public_key:
            raise TenderRefused("WRONG_PASSPHRASE")
        shares = store.shares(session, tender_id, kind)
        mine = [each for each in shares if each.user_id == opener.user_id]
        handed = [each for each in shares if each.other_id == opener.user_id and each.handed]
        if not handed:
            self._hand(session, opener, mine, key, now)
            self._note(session, tender_id, row.buyer_id, actor, "tender.handed_over", {"stage": str(kind)})
            return False
        private = self._key_of_stage(session, opener, mine, handed[0], key)
        self._open(session, row, notices, actor, kind, private)
        return True

    def open_unsealed(self, session: Session, actor: Actor, tender_id: str, kind: StageKind) -> None:
        """Open a stage of a tender without seals, after its closing time: its bids become offers in the deals."""
        row = self._tender(session, tender_id)
        notices = self._notices(session, tender_id, lock=True)
        notice = self._latest(notices)
        if notice.is_sealed:
            raise TenderRefused("NOT_AN_OPENER", actor.name or "")
        model.check_opening(notice, self.standing(session, tender_id), kind, now=clock.now())
        self._open(session, row, notices, actor, kind, None)

    def _hand(self, session: Session, opener: OpenerRow, mine: list[ShareRow], key: bytes, now: datetime) -> None:
        """Seal one's halves to the partners, so that what lies between the two visits is the second one's to open."""
        if any(each.handed for each in mine):
            raise TenderRefused("HANDED_OVER", mine[0].handed_at or "")
        partners = {each.user_id: each for each in store.openers(session, opener.tender_id)}
        for share in mine:
            half = self._half(share, key)
            to = bytes.fromhex(partners[share.other_id].public_key or "")
            about = self.about_share(share.tender_id, share.stage, share.user_id, share.other_id, "handed")
            share.handed, share.handed_at = sealing.seal(half, to, about, self.entropy).hex(), now

    def _key_of_stage(
        self, session: Session, opener: OpenerRow, mine: list[ShareRow], handed: ShareRow, key: bytes
    ) -> bytes:
        own = next(each for each in mine if each.other_id == handed.user_id)
        about = self.about_share(handed.tender_id, handed.stage, handed.user_id, opener.user_id, "handed")
        theirs = sealing.unseal(bytes.fromhex(handed.handed or ""), key, about)
        private = joined((self._half(own, key), theirs))
        if sealing.public_of(private).hex() != store.stage_keys(session, opener.tender_id)[own.stage].public_key:
            raise sealing.NotOpened
        return private

    def _half(self, share: ShareRow, key: bytes) -> bytes:
        partner = share.sealed_with or share.other_id
        about = self.about_share(share.tender_id, share.stage, share.user_id, partner)
        return sealing.unseal(bytes.fromhex(share.sealed), key, about)

    def _open(
        self, session: Session, row: TenderRow, notices: list[NoticeRow], actor: Actor, kind: StageKind,
        private: bytes | None,
    ) -> None:  # fmt: skip
        """Open the envelopes of those who passed the stages before; the others stay sealed for good."""
        notice, standing, now = self._latest(notices), self.standing(session, row.id), clock.now()
        opened = []
        for bid in store.bids(session, row.id, live=True):
            if bid.stage != kind or not model.passed(notice, standing, kind, PartyId(bid.supplier_id)):
                continue
            submission = _opened(bid, private)
            bid.document, bid.opened_at = submission.model_dump(mode="json"), now
            opened.append(bid)
            if bid.message_id is not None and private is not None:
                self._open_message(session, bid.message_id, private)
        store.stage_keys(session, row.id)[kind].opened_at = now
        if kind is StageKind.COMMERCIAL:
            self._enter(session, row, actor, notice, opened)
        session.flush()
        told: dict[str, Any] = {"stage": str(kind), "bids": {each.supplier_id: each.fingerprint for each in opened}}
        self._note(session, row.id, row.buyer_id, actor, "tender.opened", told)

    def _open_message(self, session: Session, message_id: str, private: bytes) -> None:
        """Give back a message's part of its transmission's key; with the last part the transmission can be read."""
        for row in store.message_keys(session, message_id):
            about = about_message(row.tender_id, row.transmission_id, message_id)
            row.part = sealing.unseal(bytes.fromhex(row.sealed), private, about).hex()
            parts = [each.part or "" for each in store.keys_of_transmission(session, row.transmission_id)]
            if all(parts):
                self.hooks.unseal(session, row.transmission_id, joined(map(bytes.fromhex, parts)))

    def _enter(self, session: Session, row: TenderRow, actor: Actor, notice: Notice, opened: list[BidRow]) -> None:
        """Let each opened bid be its supplier's firm offer in the deal, from this moment on."""
        invited = {each.supplier_id: each for each in store.invitations(session, row.id)}
        for each in invited.values():
            each.is_sealed = False
        session.flush()
        for bid in opened:
            supplier, offer = PartyId(bid.supplier_id), Submission.model_validate(bid.document).offer
            invitation = invited[bid.supplier_id]
            if invitation.deal_id is None:
                invitation.deal_id = self.hooks.deal_with(session, actor, row.inquiry_id or "", supplier)
            entered = Entered()
            if offer:
                entered = self.hooks.propose(session, invitation.deal_id, supplier, offer, message_id=bid.message_id)
            bid.offer_id, bid.fault = entered.offer_id, entered.rule

    def _opener(self, session: Session, tender_id: str, actor: Actor, *, lock: bool = False) -> OpenerRow:
        if store.tender_row(session, tender_id) is None:
            raise NotFound(tender_id)
        found = session.get(OpenerRow, (tender_id, actor.user_id or ""), with_for_update=lock or None)
        if found is None or found.buyer_id != actor.party:
            raise TenderRefused("NOT_AN_OPENER", actor.name or "")
        return found

    def _tender(self, session: Session, tender_id: str) -> TenderRow:
        """Return the tender, locked until the transaction ends. Raises NotFound."""
        row = store.tender_row(session, tender_id, lock=True)
        if row is None:
            raise NotFound(tender_id)
        return row

    def _note(
        self, session: Session, tender_id: str, buyer: str, actor: Actor, action: str, details: dict[str, Any]
    ) -> None:
        audit.append(
            session, chain=f"tender:{tender_id}", org=buyer, actor=actor.user_id, action=action, subject=tender_id,
            details=details, at=clock.now(),
        )  # fmt: skip

    @staticmethod
    def about_share(tender_id: str, stage: str, holder: str, partner: str, how: str = "kept") -> tuple[str, ...]:
        return ("share", tender_id, str(stage), holder, partner, how)


def about_bid(bid: BidRow) -> tuple[str, ...]:
    """Return what an envelope is bound to: moved to another tender, stage, bidder or number it does not open."""
    return ("bid", bid.tender_id, bid.stage, bid.supplier_id, str(bid.number))


def about_message(tender_id: str, transmission_id: str, message_id: str) -> tuple[str, ...]:
    """Return what a message's part of its transmission's key is bound to."""
    return ("message", tender_id, transmission_id, message_id)


def packed(submission: Submission) -> bytes:
    """Return what lies in the envelope, in canonical JSON."""
    return to_json(submission.model_dump(mode="json", exclude_defaults=True)).encode()


def _opened(bid: BidRow, private: bytes | None) -> Submission:
    """Return what the bidder put in. Raises NotOpened where it is not what the receipt's fingerprint binds."""
    if private is None:
        return Submission.model_validate(bid.document)
    inside = sealing.unseal(bytes.fromhex(bid.sealed or ""), private, about_bid(bid))
    salt, contents = inside[: sealing.SALT_SIZE], inside[sealing.SALT_SIZE :]
    if sealing.fingerprint(contents, salt) != bid.fingerprint:
        raise sealing.NotOpened
    bid.salt = salt.hex()
    return Submission.model_validate(json.loads(contents))
