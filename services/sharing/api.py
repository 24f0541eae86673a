"""The HTTP interface: parse, call, answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from chassis.principals import Principal
from chassis.web import http
from chassis.web.http import (
    Cursor,
    IdempotencyKey,
    IfMatch,
    Limit,
    Router,
    Unit,
    etag,
    limited,
    requires,
    service_context,
    version_of,
)
from chassis.web.statuses import problems
from herald_contracts.base import Id
from services.sharing import commands, queries
from services.sharing.commands import A_CODE, Report
from services.sharing.context import Context as SharingContext
from services.sharing.history import api as history
from services.sharing.networks import NETWORKS
from services.sharing.schemas import (
    DraftView,
    GuardrailsBody,
    GuardrailsView,
    NetworksView,
    NetworkView,
    PostIds,
    PostsView,
    PostView,
    ReportsBody,
    ReportsView,
    SharedItemsView,
    ShareRequest,
    TitlesView,
    TitleView,
)

REPORTS_SCOPE = "herald:engagements:write"
router = Router()
router.join(history.router)


Context = Annotated[SharingContext, Depends(service_context)]


async def _person(request: Request, caller: http.Person, context: Context) -> Principal:
    """The caller; the browser they use is noted as theirs for today."""
    peer = request.client.host if request.client else ""
    await context.own_visits.note(caller, peer, request.headers)
    return caller


Person = Annotated[Principal, Depends(_person)]
Manager = Annotated[Principal, requires("manager", "admin")]
Machine = Annotated[Principal, requires(REPORTS_SCOPE)]
PostId = Annotated[str, Path(min_length=1, max_length=128)]
HeldSeconds = Annotated[
    int, Query(ge=0, le=60, description="How long it can be restored; others hear of it after that")
]
ProgramId = Annotated[str, Path(min_length=1, max_length=128)]
OneProgram = Annotated[str | None, Query(max_length=128, description="Those of one programme only")]


@router.get("/networks", summary="The networks one can share to", tags=["sharing"])
async def networks(_: Person) -> NetworksView:
    """In the order in which they are offered, with what each takes."""
    return NetworksView(items=[NetworkView.of(network) for network in NETWORKS.values()])


@router.post(
    "/drafts/check",
    summary="Check a caption while it is written",
    tags=["sharing"],
    dependencies=[limited("drafts")],
    responses=problems(404, 409),
)
async def check_draft(body: ShareRequest, caller: Person, context: Context) -> DraftView:
    """Changes nothing. Refuses what a share would refuse but for the caption: 403 `not-a-member`, `not-targeted`;
    409 `guidelines-not-acknowledged`, `lesson-not-completed` (with `lesson_id`), `content-not-shareable`."""
    await queries.await_content(context, body.content_id)
    checked = await commands.check_draft(context, caller, body.order())
    return DraftView.of(checked.verdict, body.caption, context.short_url(A_CODE))


@router.post(
    "/posts",
    summary="Share an item",
    tags=["sharing"],
    status_code=201,
    response_model=PostView,
    responses=problems(404),
)
async def share(
    body: ShareRequest, caller: Person, context: Context, unit: Unit, idempotency_key: IdempotencyKey = None
) -> Response:
    """Makes the post with its short link; open `dialog_url` next. Two taps within seconds, on one item and network and
    in the same words, give the same post; other words are another share, judged anew. 422 `guardrail-blocked` says
    which rule blocked it, where, and what to write instead."""
    await queries.await_content(context, body.content_id)
    return await unit.run(
        lambda tx: commands.share_post(context, tx, caller, body.order()),
        view=lambda post: PostView.of(post, context),
        status=201,
    )


@router.get("/posts", summary="My posts and what they brought", tags=["sharing"])
async def posts(
    caller: Person,
    context: Context,
    program_id: OneProgram = None,
    query: Annotated[
        str | None, Query(max_length=200, description="Beginnings of words of the title; among the newest 2,000")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 20,
) -> PostsView:
    """Newest first; without those taken back. Of all programmes, or of one."""
    found, after, total = await queries.posts_of(context, caller, program_id, cursor, limit, query=query or None)
    return PostsView(items=[PostView.of(post, context) for post in found], next=after, total=total)


@router.post("/posts/titles", summary="What my posts are about", tags=["sharing"])
async def titles(body: PostIds, caller: Person, context: Context) -> TitlesView:
    """Other services name posts by their ids. Up to 200 a request; colleagues' posts are left out."""
    found = await queries.titles_of(context, caller, body.ids)
    return TitlesView(titles={id: TitleView.model_validate(one, from_attributes=True) for id, one in found.items()})


@router.get("/posts/{post_id}", summary="One of my posts", tags=["sharing"])
async def post(post_id: PostId, caller: Person, context: Context) -> PostView:
    """Colleagues' posts are 404 `not-found`."""
    return PostView.of(await queries.post_of(context, caller, post_id), context)


@router.delete("/posts/{post_id}", summary="I did not post it", tags=["sharing"], status_code=204)
async def remove(
    post_id: PostId,
    caller: Person,
    context: Context,
    unit: Unit,
    held_seconds: HeldSeconds = 0,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Takes the share back; its link goes on leading where it leads."""
    held = timedelta(seconds=held_seconds)
    return await unit.run(lambda tx: commands.remove_post(context, tx, caller, post_id, held=held))


@router.post(
    "/posts/{post_id}/restore",
    summary="I did post it",
    tags=["sharing"],
    response_model=PostView,
)
async def restore(
    post_id: PostId, caller: Person, context: Context, unit: Unit, idempotency_key: IdempotencyKey = None
) -> Response:
    """Undoes a removal that is held; a post that stands stays as it is. 409 `removal-final` once it is over."""
    return await unit.run(
        lambda tx: commands.restore_post(context, tx, caller, post_id), view=lambda post: PostView.of(post, context)
    )


@router.get("/shared-items", summary="Which of these items I shared", tags=["sharing"])
async def shared_items(
    caller: Person, context: Context, content_id: Annotated[list[Id], Query(min_length=1, max_length=100)]
) -> SharedItemsView:
    """Without those that were not, and without what was taken back."""
    return SharedItemsView.of(await queries.shared_items(context, caller, content_id))


@router.get("/programs/{program_id}/guardrails", summary="The rules for captions", tags=["guardrails"])
async def guardrails(program_id: ProgramId, _: Manager, context: Context, response: Response) -> GuardrailsView:
    """Sound defaults (version 1) until a manager sets them."""
    found = await queries.guardrails_of(context, program_id)
    response.headers.update(etag(found.version))
    return GuardrailsView.of(found)


@router.put(
    "/programs/{program_id}/guardrails",
    summary="Set the rules for captions",
    tags=["guardrails"],
    response_model=GuardrailsView,
)
async def set_guardrails(
    program_id: ProgramId,
    body: GuardrailsBody,
    _: Manager,
    context: Context,
    unit: Unit,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send `If-Match` with the ETag that you read. They hold from the next check on."""
    return await unit.run(
        lambda tx: commands.set_guardrails(
            context,
            tx,
            program_id,
            disclosures=body.disclosures,
            forbidden=body.phrases(),
            version=if_match,
        ),
        view=GuardrailsView.of,
        etag=version_of,
    )


@router.post(
    "/programs/{program_id}/guardrails/restore",
    summary="Put the rules for captions back",
    tags=["guardrails"],
    response_model=GuardrailsView,
    responses=problems(409),
)
async def restore_guardrails(
    program_id: ProgramId,
    _: Manager,
    context: Context,
    unit: Unit,
    if_match: IfMatch,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Undo the last change: what held before it holds again, as a new version. Send `If-Match` with the ETag of the
    change; 412 where they were changed since, 409 `nothing-before` where there was nothing before."""
    return await unit.run(
        lambda tx: commands.restore_guardrails(context, tx, program_id, if_match),
        view=GuardrailsView.of,
        etag=version_of,
    )


@router.post(
    "/engagements",
    summary="Report engagement that another system counted",
    tags=["engagement"],
    response_model=ReportsView,
)
async def report(
    body: ReportsBody, client: Machine, context: Context, unit: Unit, idempotency_key: IdempotencyKey = None
) -> Response:
    """Needs the scope `herald:engagements:write`. Each `external_id` of a client takes effect once."""
    reports = [Report(**one.model_dump()) for one in body.items]
    return await unit.run(
        lambda tx: commands.record_reports(context, tx, client.id, reports),
        view=lambda counts: ReportsView(accepted=counts[0], repeated=counts[1]),
    )
