"""One share of a synthetic person, from the tap to the figure, and back: whether an installation does its job.

It goes the way of any client: by the one address and the public APIs, with a token of a person. The click says that it
is a robot's, so that it counts for nobody; the post is withdrawn at the end, so that no figure keeps it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.ids import new_id

T = TypeVar("T")
AGENT = "herald-smoke (bot)"
PAUSE = 0.2


class Failed(Exception):
    """A step that went wrong; the text says which and what to look at."""


class SmokeSettings(BaseSettings):
    """Whose share it is: a token, or an account at the issuer. Variables are `HERALD_SMOKE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="HERALD_SMOKE_", frozen=True, extra="ignore", env_ignore_empty=True)

    token: SecretStr | None = Field(None, description="An access token of the person")
    username: str | None = Field(None, description="Their account at the issuer, which must allow the password grant")
    password: SecretStr | None = None
    client_id: str = Field("herald-smoke", description="The client that asks the issuer for their token")
    client_secret: SecretStr | None = None
    scope: str = "openid"


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, and how many seconds it took."""

    name: str
    seconds: float


def token_of(settings: SmokeSettings, issuer: str, client: httpx.Client) -> str:
    """The person's access token. Raises Failed."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    if settings.username is None or settings.password is None:
        raise Failed("set HERALD_SMOKE_TOKEN, or HERALD_SMOKE_USERNAME and HERALD_SMOKE_PASSWORD")
    with _step("the issuer gives a token"):
        about = client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration").raise_for_status().json()
        secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
        form = {
            "grant_type": "password",
            "username": settings.username,
            "password": settings.password.get_secret_value(),
            "scope": settings.scope,
            **({} if secret else {"client_id": settings.client_id}),
        }
        options: dict[str, Any] = {"auth": (settings.client_id, secret)} if secret else {}
        answer = client.post(about["token_endpoint"], data=form, **options)
        if answer.is_error:
            raise Failed(f"the issuer gives no token to {settings.username}: {_problem(answer)}")
        return str(answer.json()["access_token"])


class Smoke:
    """One walk through an installation at `url`. `patience`: seconds until an effect must be seen."""

    def __init__(self, url: str, token: str, client: httpx.Client, *, patience: float = 60.0) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._client = client
        self._patience = patience

    def walk(self, network: str) -> Iterator[Step]:
        """Each step as it is done. Raises Failed; the post is withdrawn then too."""
        item, step = self._timed("the feed offers something to share", self._item)
        yield step
        program = item["program_id"]
        before, step = self._timed("the own figures are there", lambda: self._until(lambda: self._figures(program)))
        yield step
        post, step = self._timed(f"it is shared on {network}", lambda: self._share(item, network))
        yield step
        try:
            _, step = self._timed("its short link leads on", lambda: self._follow(post["short_url"]))
            yield step
            _, step = self._timed("the click is counted as a robot's", lambda: self._until(lambda: self._clicked(post)))
            yield step
            _, step = self._timed(
                "share and click are in the figures", lambda: self._until(lambda: self._moved(program, before))
            )
            yield step
        finally:
            self._ask("DELETE", f"/api/sharing/v1/posts/{post['id']}", "withdrawing the post")
        _, step = self._timed(
            "it is withdrawn, and the figures are as before", lambda: self._until(lambda: self._back(program, before))
        )
        yield step

    def _timed(self, name: str, work: Callable[[], T]) -> tuple[T, Step]:
        began = time.monotonic()
        with _step(name):
            done = work()
        return done, Step(name, time.monotonic() - began)

    def _item(self) -> dict[str, Any]:
        items = self._ask("GET", "/api/content/v1/feed?limit=20", "the feed").json()["items"]
        found: dict[str, Any] | None = next((one for one in items if one["shareable"]), None)
        if found is None:
            raise Failed("the feed of this person is empty: publish an item for a programme that they have joined")
        return found

    def _share(self, item: dict[str, Any], network: str) -> dict[str, Any]:
        own = [one for one in item["captions"] if one["network"] in (network, None)]
        order = {
            "content_id": item["id"],
            "network": network,
            "language": item["language"],
            "caption": own[0]["text"] if own else item["title"],
        }
        post: dict[str, Any] = self._ask("POST", "/api/sharing/v1/posts", "sharing", json=order).json()
        return post

    def _follow(self, short_url: str) -> None:
        """Through the address under test, whatever host the link names: it may be another way to the same front."""
        address = self._url + urlsplit(short_url).path
        answer = self._client.get(address, headers={"User-Agent": AGENT}, follow_redirects=False)
        if answer.status_code != httpx.codes.FOUND:
            raise Failed(f"{address} answers {answer.status_code} instead of 302: look at the links")

    def _clicked(self, post: dict[str, Any]) -> bool:
        clicks = self._ask("GET", f"/api/sharing/v1/posts/{post['id']}", "the post").json()["clicks"]
        return bool(clicks["by_verdict"].get("bot"))

    def _figures(self, program: str) -> dict[str, int] | None:
        answer = self._request("GET", f"/api/metrics/v1/me/figures?program_id={program}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None  # metrics does not know the programme yet
        figures: dict[str, int] = _good(answer, "the own figures").json()["figures"]
        return figures

    def _moved(self, program: str, before: dict[str, int]) -> bool:
        now = self._figures(program) or before
        return now["shares"] > before["shares"] and now["clicks_raw"] > before["clicks_raw"]

    def _back(self, program: str, before: dict[str, int]) -> bool:
        return (self._figures(program) or {}).get("shares", before["shares"] + 1) <= before["shares"]

    def _until(self, found: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + self._patience
        while True:
            value = found()
            if value:
                return value
            if time.monotonic() > deadline:
                raise Failed(f"not seen within {self._patience:.0f} s: look at the workers' lag ('herald verify')")
            time.sleep(PAUSE)

    def _ask(self, method: str, path: str, what: str, **options: Any) -> httpx.Response:
        return _good(self._request(method, path, **options), what)

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}", "User-Agent": AGENT}
        if method != "GET":
            headers["Idempotency-Key"] = new_id()
        return self._client.request(method, self._url + path, headers=headers, **options)


def _good(answer: httpx.Response, what: str) -> httpx.Response:
    if answer.is_error:
        raise Failed(f"{what}: {answer.request.method} {answer.request.url.path} answers {_problem(answer)}")
    return answer


def _problem(answer: httpx.Response) -> str:
    try:
        said = answer.json()
        return f"{answer.status_code}: {said.get('detail') or said.get('error_description') or said.get('title') or ''}"
    except (ValueError, AttributeError):
        return str(answer.status_code)


@contextmanager
def _step(name: str) -> Iterator[None]:
    try:
        yield
    except Failed as error:
        raise Failed(f"{name}: {error}") from None
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        raise Failed(f"{name}: {type(error).__name__}: {error}"[:300]) from None
