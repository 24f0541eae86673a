"""The table of rights is fresh, and a route that names no right is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI

from chassis.principals import Principal
from chassis.web.http import Caller, Person, Router, requires
from chassis.web.rights import needs, rights_of
from herald.contracts.rights import BEGIN, END, PAGE, generate, read_table, rights, stale, tables


def test_the_table_is_fresh() -> None:
    assert not stale()


def test_a_stale_table_is_seen_and_written_again(tmp_path: Path) -> None:
    copy = tmp_path / "rights.md"
    copy.write_text(PAGE.read_text("utf-8").replace("| ✓ |", "| 403 |", 1), "utf-8")
    assert stale(copy)
    assert generate(copy)
    assert copy.read_text("utf-8") == PAGE.read_text("utf-8")
    copy.write_text(f"{BEGIN}{END}{BEGIN}{END}"[: len(BEGIN)])
    with pytest.raises(ValueError, match="no place"):
        stale(copy)


def test_every_scope_is_explained_and_every_one_that_is_explained_exists() -> None:
    text = PAGE.read_text("utf-8").partition(BEGIN)[0]
    explained = {
        line.split("`")[1] for line in text.splitlines() if line.startswith("| `herald:") and ":..." not in line
    }
    known = {caller.name for one in rights() for caller in one.callers if caller.name.startswith("herald:")}
    assert explained == known


def test_a_table_is_read_as_it_was_written() -> None:
    for one in rights():
        read = read_table(tables([one]), one.service)
        assert read == {
            operation: {caller.name: one.answer(operation, caller) for caller in one.callers} for operation in one.needs
        }


def app_of(*routes: Callable[..., Any]) -> FastAPI:
    router, app = Router(), FastAPI(openapi_url=None)
    for number, endpoint in enumerate(routes):
        router.get(f"/{number}")(endpoint)
    app.include_router(router)
    return app


async def named(caller: Annotated[Principal, requires("editor", "herald:metrics:read")]) -> None: ...


async def unnamed(caller: Caller) -> None: ...


async def doubled(caller: Person, editor: Annotated[Principal, requires("editor")]) -> None: ...


@needs("editor")
async def _own(caller: Person) -> Principal:
    return caller


async def outer(caller: Annotated[Principal, Depends(_own)]) -> None: ...


def test_what_routes_name_is_found() -> None:
    assert rights_of(app_of(named, outer)) == {
        ("/v1/0", "GET"): ("editor", "herald:metrics:read"),
        ("/v1/1", "GET"): ("editor",),
    }


@pytest.mark.parametrize("endpoint", [unnamed, doubled])
def test_a_route_that_names_nothing_or_two_things_is_refused(endpoint: Callable[..., Any]) -> None:
    with pytest.raises(LookupError, match="GET /v1/0 names"):
        rights_of(app_of(endpoint))


@pytest.mark.parametrize("words", [(), ("herald:admin",), ("herald:metrics:everything",), ("herald:",)])
def test_a_scope_has_one_form(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"scope|missing"):
        requires(*words)
