"""Deputies of leaders: named, accepted, ended; what they prepare; what is told of leaders."""

from __future__ import annotations

from fastapi import Response

from chassis.web.http import IfMatch, Person, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Use
from services.program.commands import deputies
from services.program.schemas.deputies import (
    DeputiesView,
    DeputyBody,
    DeputyView,
    NoticesView,
    PreparedBody,
    PreparedChange,
    PreparedListView,
    PreparedView,
)

router = Router(prefix="/programs/{program_id}", tags=["leaders"])
deputy_view = DeputyView.model_validate
prepared_view = PreparedView.model_validate


@router.get("/leaders/notices", summary="What I am told of leaders", response_model=NoticesView)
async def notices(program_id: str, caller: Person, context: Use) -> NoticesView:
    """Who of the leaders shared for the first time, and what the caller has to do with deputies. For ambassadors: 403
    `not-a-member`."""
    return NoticesView.of(await queries.deputies.notices(context, program_id, caller.id))


@router.get("/deputies/mine", summary="My deputies, and whose I am", response_model=DeputiesView)
async def my_deputies(program_id: str, caller: Person, context: Use) -> DeputiesView:
    """The latest fifty, with those that are over."""
    found = await queries.deputies.mine(context, program_id, caller.id)
    return DeputiesView(items=[deputy_view(one) for one in found])


@router.post("/deputies", summary="Name a deputy", response_model=DeputyView, status_code=201)
async def name_deputy(program_id: str, body: DeputyBody, caller: Person, unit: Unit, context: Use) -> Response:
    """A leader asks an ambassador of the programme, who accepts or declines. 403 `not-a-leader`; 409 `already-deputy`;
    422 `unknown` for whoever is no ambassador of it."""
    return await unit.run(
        lambda tx: deputies.name_deputy(context, tx, program_id, caller.id, body.person), view=deputy_view, status=201
    )


@router.post("/deputies/{deputy_id}/accept", summary="Accept to be a deputy", response_model=DeputyView)
async def accept(program_id: str, deputy_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """By whoever was asked. Repeating it changes nothing; 409 `deputy-over`."""
    return await unit.run(lambda tx: deputies.accept(context, tx, program_id, deputy_id, caller.id), view=deputy_view)


@router.post("/deputies/{deputy_id}/decline", summary="Decline to be a deputy", response_model=DeputyView)
async def decline(program_id: str, deputy_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """By whoever was asked. Repeating it changes nothing; 409 `deputy-over`."""
    return await unit.run(lambda tx: deputies.decline(context, tx, program_id, deputy_id, caller.id), view=deputy_view)


@router.post("/deputies/{deputy_id}/end", summary="End that somebody is a deputy", response_model=DeputyView)
async def end(program_id: str, deputy_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """By the leader or the deputy. What was prepared stays for the leader. Repeating it changes nothing."""
    return await unit.run(lambda tx: deputies.end(context, tx, program_id, deputy_id, caller.id), view=deputy_view)


@router.post(
    "/deputies/{deputy_id}/prepared",
    summary="Prepare a share for a leader",
    response_model=PreparedView,
    status_code=201,
)
async def prepare(
    program_id: str, deputy_id: str, body: PreparedBody, caller: Person, unit: Unit, context: Use
) -> Response:
    """An item with a caption, which waits for the leader. Nothing is shared: nobody posts in somebody else's name. 409
    `deputy-not-accepted`, `already-prepared`."""
    return await unit.run(
        lambda tx: deputies.prepare(context, tx, program_id, deputy_id, caller.id, **dict(body)),
        view=prepared_view,
        status=201,
    )


@router.get("/prepared", summary="What was prepared for me", response_model=PreparedListView)
async def waiting(program_id: str, caller: Person, context: Use) -> PreparedListView:
    """What waits for the caller. It waits no more once they shared the item."""
    found = await queries.deputies.waiting(context, program_id, caller.id)
    return PreparedListView(items=[prepared_view(one) for one in found])


@router.get("/prepared/mine", summary="What I prepared", response_model=PreparedListView)
async def prepared_by_me(program_id: str, caller: Person, context: Use) -> PreparedListView:
    """The latest fifty, whatever became of them."""
    found = await queries.deputies.prepared_by(context, program_id, caller.id)
    return PreparedListView(items=[prepared_view(one) for one in found])


@router.get("/prepared/{prepared_id}", summary="A prepared share", response_model=PreparedView)
async def get_prepared(
    program_id: str, prepared_id: str, caller: Person, context: Use, response: Response
) -> PreparedView:
    """For the leader and who prepared it, with the ETag that changing it asks for."""
    found = await queries.deputies.one_prepared(context, program_id, prepared_id, caller.id)
    response.headers.update(etag(found.version))
    return prepared_view(found)


@router.put("/prepared/{prepared_id}", summary="Change a prepared share", response_model=PreparedView)
async def change_prepared(
    program_id: str,
    prepared_id: str,
    body: PreparedChange,
    caller: Person,
    unit: Unit,
    context: Use,
    if_match: IfMatch,
) -> Response:
    """By who prepared it, under the version that was read (`If-Match`). 409 `prepared-over`."""
    return await unit.run(
        lambda tx: deputies.change_prepared(
            context, tx, program_id, prepared_id, if_match, caller.id, language=body.language, caption=body.caption
        ),
        view=prepared_view,
        etag=version_of,
    )


@router.post("/prepared/{prepared_id}/withdraw", summary="Withdraw a prepared share", response_model=PreparedView)
async def withdraw(program_id: str, prepared_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """By who prepared it. Repeating it changes nothing; 409 `prepared-over`."""
    return await unit.run(
        lambda tx: deputies.withdraw(context, tx, program_id, prepared_id, caller.id), view=prepared_view
    )


@router.post("/prepared/{prepared_id}/dismiss", summary="Dismiss a prepared share", response_model=PreparedView)
async def dismiss(program_id: str, prepared_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """By the leader. Repeating it changes nothing; 409 `prepared-over`."""
    return await unit.run(
        lambda tx: deputies.dismiss(context, tx, program_id, prepared_id, caller.id), view=prepared_view
    )


@router.post("/prepared/{prepared_id}/keep", summary="Take back that it was dismissed", response_model=PreparedView)
async def keep(program_id: str, prepared_id: str, caller: Person, unit: Unit, context: Use) -> Response:
    """By the leader: it waits again. Repeating it changes nothing; 409 `prepared-over`, `already-prepared`."""
    return await unit.run(lambda tx: deputies.keep(context, tx, program_id, prepared_id, caller.id), view=prepared_view)
