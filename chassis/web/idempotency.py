"""The unit of work of a mutating request: one transaction, and one answer for one Idempotency-Key."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import orjson
from bson.binary import Binary
from fastapi import Request, Response
from fastapi.encoders import jsonable_encoder

from chassis.mongo import Actor, Document, Mongo, Transaction
from chassis.web.problems import Conflict, Invalid, Overloaded, Refused
from chassis.web.read_after_write import EVENTS, named

T = TypeVar("T")
KEPT_SECONDS = 86_400
MAX_KEY = 255


class UnitOfWork:
    """Runs a command and answers. With an `Idempotency-Key`, the answer is stored in the command's own
    transaction and given again when the request is repeated: 422 `idempotency-key-reused` if the key comes back with
    another request, 409 `idempotency-key-in-use` if the first one is still under way after 10 s."""

    def __init__(self, mongo: Mongo, request: Request, caller: str, session: str) -> None:
        self._mongo = mongo
        self._request = request
        self._caller = caller
        self._session = session
        self._answers = mongo.db["idempotency"]

    async def transact(self, command: Callable[[Transaction], Awaitable[T]]) -> T:
        """The command's result, from a transaction in the caller's name.

        Raises RuntimeError, and changes nothing, where the route needs a role and the command leaves no trace in the
        audit trail.
        """
        state = self._request.state
        principal = getattr(state, "principal", None)
        actor = Actor(principal.id, self._session) if principal is not None else None

        async def work(tx: Transaction) -> T:
            tx.actor = actor
            result = await command(tx)
            if getattr(state, "administrative", False) and not tx.audited:
                raise RuntimeError(f"{self._request.method} {self._request.url.path} leaves no trace")
            return result

        return await self._mongo.transact(work)

    async def run(
        self,
        command: Callable[[Transaction], Awaitable[T]],
        *,
        view: Callable[[T], Any] | None = None,
        status: int = 200,
        etag: Callable[[T], int] | None = None,
        location: Callable[[T], str] | None = None,
        keyed: bool = True,
    ) -> Response:
        """The command's result through `view` as JSON (204 without a view), with the events that it caused in
        `Herald-Events`. Raises the command's problems.

        Without `keyed` an `Idempotency-Key` is passed over: its row has a fingerprint of the body beside the caller,
        from which an anonymous answer could be guessed.
        """
        key = self._key() if keyed else None
        fingerprint = await self._fingerprint() if key else ""

        claiming = False

        async def work(tx: Transaction) -> Response:
            nonlocal claiming
            if key is None:
                return _with_events(self._answer(await command(tx), view, status, etag, location), tx)
            claiming = True
            stored = await self._claim(key, fingerprint, tx)
            claiming = False
            if stored is not None:
                tx.audited = True  # when it was done
                return stored
            response = _with_events(self._answer(await command(tx), view, status, etag, location), tx)
            await self._keep(key, response, tx)
            return response

        try:
            return await self.transact(work)
        except Overloaded:
            if not claiming:  # it was not another request with this key that stood in the way
                raise
            raise Conflict("The same request is still being worked on.", type_="idempotency-key-in-use") from None

    def _key(self) -> str | None:
        key = self._request.headers.get("idempotency-key")
        if key is None:
            return None
        if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
            raise Invalid.one("Idempotency-Key", "format", f"1 to {MAX_KEY} printable ASCII characters.")
        return f"{self._caller}:{key}"

    async def _fingerprint(self) -> str:
        request = self._request
        digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
        digest.update(await request.body())
        return digest.hexdigest()

    async def _claim(self, key: str, fingerprint: str, tx: Transaction) -> Response | None:
        """The stored answer; else take the key, which makes a second request with it wait for this one."""
        found = await self._answers.find_one_and_update(
            {"_id": key}, {"$setOnInsert": {"fingerprint": fingerprint, "at": tx.now}}, upsert=True, session=tx.session
        )
        if found is None:
            return None
        if found["fingerprint"] != fingerprint:
            raise Refused(
                "This key was used for another request.",
                type_="idempotency-key-reused",
                field="Idempotency-Key",
            )
        replay = Response(bytes(found["body"]), status_code=found["status"])
        replay.headers.update(found["headers"])
        replay.headers["Idempotency-Replayed"] = "true"
        return replay

    async def _keep(self, key: str, response: Response, tx: Transaction) -> None:
        kept = ("content-type", "etag", "location", EVENTS)
        answer: Document = {
            "status": response.status_code,
            "body": Binary(bytes(response.body)),
            "headers": {name: response.headers[name] for name in kept if name in response.headers},
        }
        await self._answers.update_one({"_id": key}, {"$set": answer}, session=tx.session)

    def _answer(
        self,
        result: T,
        view: Callable[[T], Any] | None,
        status: int,
        etag: Callable[[T], int] | None,
        location: Callable[[T], str] | None,
    ) -> Response:
        if view is None:
            response = Response(status_code=204)
        else:
            body = orjson.dumps(jsonable_encoder(view(result), exclude_none=False))
            response = Response(body, status_code=status, media_type="application/json")
        if etag is not None:
            response.headers["etag"] = f'"{etag(result)}"'
        if location is not None:
            response.headers["location"] = location(result)
        return response


def _with_events(response: Response, tx: Transaction) -> Response:
    if events := named(tx.rows):
        response.headers[EVENTS] = events
    return response


async def ensure_indexes(mongo: Mongo) -> None:
    """Answers are kept for a day."""
    await mongo.db["idempotency"].create_index("at", expireAfterSeconds=KEPT_SECONDS)
