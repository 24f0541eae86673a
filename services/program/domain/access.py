"""Signing in without an account at the identity provider: a one-time code, and the devices that it lets in.

A code is `waiting` until it is redeemed, ends, or is replaced or withdrawn; it lets in one device, once. A device stays
signed in until its last moment, until it is ended, or until the person has a sign-in of the identity provider's. There
are codes only for those who have neither an account there nor an e-mail address: nobody signs in as somebody else's
colleague who has one.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from chassis.web.problems import Conflict, Refused
from services.program.domain.people import Code, Device, Person, change, check_active

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that is read or typed as another sign."""
LENGTH = 12
_READ_AS = str.maketrans("OIL", "011", "- \u00a0\u2010\u2011\u2013")
_SALT = b"herald one-time code"
MAX_DEVICES = 5


def new_code() -> str:
    """A code of 60 bits, in groups of four."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(signs[at : at + 4] for at in range(0, LENGTH, 4))


def hash_code(typed: str) -> str | None:
    """What is stored of a code, however it is typed; None for what can be none. Takes about 20 ms: whoever reads the
    store cannot try all codes before they end."""
    signs = typed.upper().translate(_READ_AS)
    if len(signs) != LENGTH or not set(signs) <= set(ALPHABET):
        return None
    return hashlib.scrypt(signs.encode(), salt=_SALT, n=2**13, r=8, p=1, dklen=32).hex()


def check_may_have_code(person: Person) -> None:
    """Raises Forbidden `inactive`, Conflict `has-account`."""
    check_active(person)
    if person.accounts or person.email is not None:
        raise Conflict("They sign in with the identity provider.", type_="has-account")


def issue_code(person: Person, hash: str, *, by: str, now: datetime, life: timedelta) -> Person:
    """The person with this code, in place of any other. Raises as `check_may_have_code`."""
    check_may_have_code(person)
    return change(person, now, code=Code(hash, now + life, by))


def redeem(person: Person, hash: str, device: Device, now: datetime) -> Person:
    """The person on one more device, and without the code; of more than `MAX_DEVICES` the oldest ends. Repeating it
    on the same device changes nothing.

    Raises Forbidden `inactive`; Refused `code-unknown` for a code that ended or is not theirs, all alike.
    """
    check_active(person)
    if any(one.account == device.account for one in person.devices):
        return person
    if person.code is None or person.code.hash != hash or person.code.ends_at <= now:
        raise unknown_code()
    return change(person, now, code=None, devices=(*living(person, now), device)[-MAX_DEVICES:])


def unknown_code() -> Refused:
    return Refused("This code does not hold: it was used, it ended, or it never was.", type_="code-unknown")


def living(person: Person, now: datetime) -> tuple[Device, ...]:
    """The devices that are signed in."""
    return tuple(one for one in person.devices if one.ends_at > now)


def end_devices(person: Person, now: datetime) -> Person:
    """The person on no device, and without a code; the same object if there was none."""
    return change(person, now, code=None, devices=())


def end_device(person: Person, account: str, now: datetime) -> Person:
    """The person without one device."""
    return change(person, now, devices=tuple(one for one in person.devices if one.account != account))


def forget_ended(person: Person, now: datetime) -> Person:
    """The person without what has ended."""
    code = person.code if person.code and person.code.ends_at > now else None
    return change(person, now, code=code, devices=living(person, now))
