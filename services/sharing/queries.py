"""The read side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from chassis.principals import Principal
from chassis.text import terms
from chassis.web.http import decode_cursor, encode_cursor
from chassis.web.problems import ForeignCursor, NotFound
from chassis.web.read_after_write import wait_until
from services.sharing.context import Context
from services.sharing.domain.guardrails import Guardrails
from services.sharing.domain.posts import Post, TitledPost

MAX_SEARCHED = 2000
"""Of a person's posts so many are searched, the newest. They are read by the index of a person's posts, without their
captions; an index of their words would be some ten entries more for each share of everybody, for a search that few
make, and would have to be made for all posts that there are."""
PAGE_LETTERS = 50_000
"""Letters of captions after which a page ends: a network's address repeats each caption, encoded."""


async def await_content(context: Context, id: str) -> None:
    """Returns once the item is known here, or when `wait_seconds` are over: what was published a moment ago may be in a
    feed before its event is here, and a tap on it is no mistake."""
    await wait_until(partial(context.store.projections.knows_content, id), seconds=context.settings.wait_seconds)


async def posts_of(
    context: Context,
    caller: Principal,
    program_id: str | None,
    cursor: str | None,
    limit: int,
    *,
    query: str | None = None,
) -> tuple[list[Post], str | None, int | None]:
    """A page of the caller's posts, of one programme or of all, newest first, the cursor of the next page, and beside
    the first page how many there are: at most `limit`, fewer of long ones. `query` names beginnings of words of the
    title."""
    before = decode_cursor(cursor)
    if before is not None and not isinstance(before, str):
        raise ForeignCursor
    posts, total = context.store.posts, None
    if query is None:
        found = await posts.page_of(caller.id, program_id, before=before, limit=limit + 1)
        total = await posts.count_of(caller.id, program_id) if before is None else None
    else:
        titles = await posts.newest_titles(caller.id, program_id, limit=MAX_SEARCHED)
        ids = await asyncio.to_thread(_titled, titles, terms(query))
        total = len(ids) if before is None else None
        found = await posts.in_order([id for id in ids if before is None or id < before][: limit + 1])
    page: list[Post] = []
    letters = 0
    for post in found[:limit]:
        page.append(post)
        letters += len(post.caption)
        if letters > PAGE_LETTERS:
            break
    return page, encode_cursor(page[-1].id) if len(found) > len(page) else None, total


def _titled(titles: Iterable[tuple[str, str]], words: Sequence[str]) -> list[str]:
    """The ids of those whose title has a word that begins with each of the words; without a word, of none."""
    return [
        id
        for id, title in titles
        if words and all(any(term.startswith(word) for term in terms(title)) for word in words)
    ]


async def post_of(context: Context, caller: Principal, id: str) -> Post:
    """The caller's post. Raises NotFound, for a colleague's too."""
    post = await context.store.posts.get(id)
    if post.ambassador_id != caller.id:
        raise NotFound("post", id)
    return post


async def titles_of(context: Context, caller: Principal, ids: Iterable[str]) -> dict[str, TitledPost]:
    """What the caller's posts are about, by the post's id; colleagues' and unknown ones are left out."""
    return {one.id: one for one in await context.store.posts.titles_of(caller.id, ids)}


async def shared_items(context: Context, caller: Principal, ids: Iterable[str]) -> dict[str, set[str]]:
    """Of these items those that the caller shared and did not take back, each with the networks."""
    return await context.store.posts.networks_by_content(caller.id, ids)


async def guardrails_of(context: Context, program_id: str) -> Guardrails:
    """A programme's rules. Raises NotFound."""
    await context.store.projections.program(program_id)
    return await context.store.guardrails.get(program_id)
