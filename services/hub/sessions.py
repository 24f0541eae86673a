"""Sessions of signed-in people: kept on the server, encrypted; the browser holds a random name of one."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from chassis.clock import Clock
from chassis.mongo import Document, Mongo

SIGN_IN_MINUTES = 15
TOUCH_EVERY = timedelta(minutes=5)


@dataclass
class Session:
    """One browser's session. `parts` are encrypted apart, so that two requests at once change different ones:

    - ``tokens``: what the issuer gave; absent until someone has signed in.
    - ``pending``: a sign-in that is under way.
    - ``person``: what `program` said of the person, and when.
    - ``written``: the events of what was written a moment ago, and how often something was.
    - ``choices``: language and programme as chosen by hand.
    """

    name: str
    csrf: str
    expires_at: datetime
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """Tells this session from others to the service worker; nobody comes in with it."""
        return hashlib.sha256(f"tag {self.name}".encode()).hexdigest()[:16]

    @property
    def tokens(self) -> dict[str, Any] | None:
        return self.parts.get("tokens")

    @property
    def on_device(self) -> bool:
        """Whether a one-time code began it, and not the issuer."""
        return bool(self.tokens and self.tokens.get("device"))

    @property
    def choices(self) -> dict[str, Any]:
        return self.parts.get("choices", {})


class Sessions:
    """The collection `sessions`: found by the hash of the name in the cookie, gone when they expire."""

    def __init__(self, mongo: Mongo, clock: Clock, keys: list[str], hours: int) -> None:
        self._rows = mongo.db["sessions"]
        self._clock = clock
        self._newest = Fernet(keys[0])
        self._box = MultiFernet([self._newest, *map(Fernet, keys[1:])])
        self._life = timedelta(hours=hours)

    async def ensure_indexes(self) -> None:
        await self._rows.create_index("expires_at", expireAfterSeconds=0)

    async def begin(self, parts: dict[str, dict[str, Any]], *, signed_in: bool) -> Session:
        """A new session under a new name."""
        life = self._life if signed_in else timedelta(minutes=SIGN_IN_MINUTES)
        session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(24), self._clock.now() + life, parts)
        row = {"_id": _id(session.name), "csrf": session.csrf, "expires_at": session.expires_at}
        sealed = {f"part_{name}": self._seal(value) for name, value in parts.items()}
        await self._rows.insert_one({**row, **sealed})
        return session

    async def find(self, name: str) -> Session | None:
        """The session, if it is there, has not expired, and can be decrypted with a present key."""
        row = await self._rows.find_one({"_id": _id(name), "expires_at": {"$gt": self._clock.now()}})
        if row is None:
            return None
        try:
            session = self._open(name, row)
        except InvalidToken:
            return None
        await self._rotate(row)
        return session

    async def _rotate(self, row: Document) -> None:
        """Encrypt with the newest key what another one encrypted, so that the older key is needed no more."""
        older = {key: value for key, value in _sealed(row).items() if not self._is_newest(value)}
        if older:
            newer = {key: self._box.rotate(value) for key, value in older.items()}
            # A part that another request has replaced since stays as that left it: the next look sees to the rest.
            await self._rows.update_one({"_id": row["_id"], **older}, {"$set": newer})

    def _is_newest(self, value: bytes) -> bool:
        try:
            self._newest.decrypt(value)
        except InvalidToken:
            return False
        return True

    async def holds(self, session: Session) -> bool:
        """Whether it was not ended by another request."""
        return await self._rows.find_one({"_id": _id(session.name)}, {"_id": 1}) is not None

    async def put(self, session: Session, part: str, value: dict[str, Any]) -> None:
        """Replace one part, here and in the store."""
        session.parts[part] = value
        await self._rows.update_one({"_id": _id(session.name)}, {"$set": {f"part_{part}": self._seal(value)}})

    async def keep_alive(self, session: Session) -> bool:
        """Push the end of a used session back; at most every few minutes. True if it was."""
        end = self._clock.now() + self._life
        if session.tokens is None or session.on_device or end - session.expires_at < TOUCH_EVERY:
            return False
        session.expires_at = end
        await self._rows.update_one({"_id": _id(session.name)}, {"$set": {"expires_at": end}})
        return True

    async def hold_until(self, session: Session, end: datetime) -> None:
        """Have it end then, however often it is used."""
        session.expires_at = end
        await self._rows.update_one({"_id": _id(session.name)}, {"$set": {"expires_at": end}})

    async def end(self, session: Session) -> None:
        await self._rows.delete_one({"_id": _id(session.name)})

    def _seal(self, value: dict[str, Any]) -> bytes:
        return self._box.encrypt(json.dumps(value, separators=(",", ":")).encode())

    def _open(self, name: str, row: Document) -> Session:
        parts = {key.removeprefix("part_"): json.loads(self._box.decrypt(value)) for key, value in _sealed(row).items()}
        return Session(name, row["csrf"], row["expires_at"], parts)


def _sealed(row: Document) -> dict[str, bytes]:
    return {key: value for key, value in row.items() if key.startswith("part_")}


def _id(name: str) -> str:
    """Who reads the store cannot take a session over: it holds no name that a cookie could carry."""
    return hashlib.sha256(name.encode()).hexdigest()
