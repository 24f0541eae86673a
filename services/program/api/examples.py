"""Posts that worked: offered by their authors, chosen and explained by those who teach."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import Cursor, IfMatch, Limit, Person, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Language, Team, Use
from services.program.commands import examples
from services.program.domain.examples import ExampleState
from services.program.schemas.examples import ExampleBody, ExamplesView, ExampleView, OfferBody, ReadExamplesView

router = Router(prefix="/programs/{program_id}/examples", tags=["learning"])
Search = Annotated[str | None, Query(max_length=200, description="Beginnings of words of it")]


@router.get("", summary="List examples of posts", response_model=ExamplesView)
async def list_examples(
    program_id: str,
    _: Team,
    context: Use,
    query: Search = None,
    state: Annotated[ExampleState | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ExamplesView:
    """What was offered and written, the newest first; in one state, or in all."""
    found = await queries.examples.page(
        context, program_id, state=state, query=query or None, cursor=cursor, limit=limit
    )
    return ExamplesView.of(found)


@router.get("/shown", summary="Read examples of posts", response_model=ReadExamplesView)
async def shown_examples(
    program_id: str,
    _: Person,
    context: Use,
    language: Language = None,
    query: Search = None,
    lesson_id: Annotated[str | None, Query(max_length=128, description="Those beside one lesson")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReadExamplesView:
    """Posts that worked, and why, the newest first. An author is named who agreed to it."""
    found = await queries.examples.shown(
        context, program_id, language, lesson_id=lesson_id, query=query or None, cursor=cursor, limit=limit
    )
    return ReadExamplesView.of(found)


@router.get("/mine", summary="Posts that I offered", response_model=ExamplesView)
async def my_examples(
    program_id: str, caller: Person, context: Use, cursor: Cursor = None, limit: Limit = 50
) -> ExamplesView:
    """What the caller lets be shown as an example, the newest first."""
    return ExamplesView.of(
        await queries.examples.page(context, program_id, author_id=caller.id, cursor=cursor, limit=limit)
    )


@router.post("/offers", summary="Offer a post as an example", response_model=ExampleView, status_code=201)
async def offer(program_id: str, body: OfferBody, caller: Person, unit: Unit, context: Use) -> Response:
    """Let a post of one's own be shown to the programme's ambassadors, with one's name or without: those who teach may
    choose it. It is deleted when it is withdrawn, when the post is taken back, and when its author leaves. Offered
    again, it is named as one says now. For ambassadors: 409 `not-a-member`."""
    return await unit.run(
        lambda tx: examples.offer(context, tx, program_id, caller.id, **dict(body)), view=ExampleView.of, status=201
    )


@router.post("/{example_id}/withdraw", summary="Withdraw a post from the examples", status_code=204)
async def withdraw(program_id: str, example_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """One's own: it is deleted, and nobody reads it any more."""
    return await unit.run(lambda tx: examples.withdraw(context, tx, program_id, example_id, caller.id), status=204)


@router.post("", summary="Write an example", response_model=ExampleView, status_code=201)
async def create_example(program_id: str, body: ExampleBody, _: Team, unit: Unit, context: Use) -> Response:
    """A post that nobody made, and why it would work. Nobody reads it before it is shown."""
    return await unit.run(
        lambda tx: examples.create_example(context, tx, program_id, body.words),
        view=ExampleView.of,
        status=201,
        etag=version_of,
    )


@router.get("/{example_id}", summary="An example", response_model=ExampleView)
async def get_example(program_id: str, example_id: str, _: Team, context: Use, response: Response) -> ExampleView:
    """With the ETag that changing it asks for."""
    found = await context.examples.get(program_id, example_id)
    response.headers.update(etag(found.version))
    return ExampleView.of(found)


@router.put("/{example_id}", summary="Change an example", response_model=ExampleView)
async def change_example(
    program_id: str, example_id: str, body: ExampleBody, _: Team, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """Say why it worked, and beside which lesson it stands, under the version that was read (`If-Match`). One that is
    shown is retired first."""
    return await unit.run(
        lambda tx: examples.change_example(context, tx, program_id, example_id, if_match, body.words),
        view=ExampleView.of,
        etag=version_of,
    )


@router.post("/{example_id}/show", summary="Show an example", response_model=ExampleView)
async def show_example(program_id: str, example_id: str, _: Team, unit: Unit, context: Use) -> Response:
    """Ambassadors read it from now on. It must say why in each language of the programme. Repeating it changes
    nothing."""
    return await unit.run(
        lambda tx: examples.show_example(context, tx, program_id, example_id), view=ExampleView.of, etag=version_of
    )


@router.post("/{example_id}/retire", summary="Retire an example", response_model=ExampleView)
async def retire_example(program_id: str, example_id: str, _: Team, unit: Unit, context: Use) -> Response:
    """Nobody reads it any more; its author still lets it be shown. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: examples.retire_example(context, tx, program_id, example_id), view=ExampleView.of, etag=version_of
    )
