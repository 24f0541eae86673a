"""Setting a programme up: how far it is, starter templates, and the content mix that it wants."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from chassis.web.http import IfMatch, Router, Unit, etag, version_of
from chassis.web.statuses import problems
from services.program import queries
from services.program.api.base import Language, Manager, Steers, Use
from services.program.commands import tasks, templates, withdrawn_templates
from services.program.schemas.setup import (
    AppliedView,
    ApplyBody,
    Expected,
    SetupView,
    TemplatesView,
    TemplateView,
    WithdrawnView,
)
from services.program.schemas.tasks import MixBody, MixView

router = Router(tags=["setup"])


@router.get("/templates", summary="List starter templates", response_model=TemplatesView)
async def list_templates(_: Manager, context: Use, language: Language = None) -> TemplatesView:
    """Those that Herald brings, and those of the company."""
    return TemplatesView(items=[TemplateView.of(one, language or "en") for one in context.templates])


@router.get("/programs/{program_id}/setup", summary="How far a programme is set up", response_model=SetupView)
async def setup(program_id: str, _: Manager, context: Use) -> SetupView:
    """The steps of a good start that this service knows of, from what exists, and the templates that were applied."""
    steps = await queries.setup.steps(context, program_id)
    return SetupView.of(steps, await context.standings.of_program(program_id))


@router.get(
    "/programs/{program_id}/templates/{template_name}",
    summary="What a starter template would set",
    response_model=AppliedView,
    responses=problems(409),
)
async def plan_template(
    program_id: str,
    template_name: str,
    _: Manager,
    context: Use,
    language: Language = None,
    ambassadors: Annotated[Expected, Query()] = None,
) -> AppliedView:
    """Piece by piece, what it would leave, and how its targets are scaled. Nothing is set."""
    language = language or "en"
    plan = await templates.plan_template(context, program_id, template_name, language, ambassadors)
    return AppliedView.of(plan, language)


@router.post(
    "/programs/{program_id}/templates/{template_name}/apply",
    summary="Apply a starter template",
    response_model=AppliedView,
)
async def apply_template(
    program_id: str, template_name: str, body: ApplyBody, _: Manager, unit: Unit, context: Use
) -> Response:
    """Sets the objectives, content mix, lessons, paths and tasks that the programme does not have, with targets for so
    many ambassadors, and says what it left. Repeating it changes nothing. The rules of points in the answer are
    gamification's: send them to its `POST /programs/{program_id}/rules`."""
    return await unit.run(
        lambda tx: templates.apply_template(context, tx, program_id, template_name, body.language, body.ambassadors),
        view=lambda applied: AppliedView.of(applied, body.language),
    )


@router.get(
    "/programs/{program_id}/templates/{template_name}/withdraw",
    summary="What taking a starter template back would undo",
    response_model=WithdrawnView,
    responses=problems(409),
)
async def plan_withdrawal(
    program_id: str, template_name: str, _: Manager, context: Use, language: Language = None
) -> WithdrawnView:
    """What it set and nobody changed or used since; and the rest, which stays. Nothing is changed."""
    language = language or "en"
    plan = await withdrawn_templates.plan_withdrawal(context, program_id, template_name, language)
    return WithdrawnView.of(plan, language)


@router.post(
    "/programs/{program_id}/templates/{template_name}/withdraw",
    summary="Take a starter template back",
    response_model=WithdrawnView,
)
async def withdraw_template(
    program_id: str, template_name: str, _: Manager, unit: Unit, context: Use, language: Language = None
) -> Response:
    """Objectives are withdrawn; tasks, paths and lessons are gone, and no content mix is wanted any more: where nobody
    changed or used them since. What stays is the programme's own. Repeating it changes nothing."""
    wanted = language or "en"
    return await unit.run(
        lambda tx: withdrawn_templates.withdraw_template(context, tx, program_id, template_name, wanted),
        view=lambda withdrawn: WithdrawnView.of(withdrawn, wanted),
    )


@router.get("/programs/{program_id}/mix", summary="The content mix that is wanted", response_model=MixView)
async def get_mix(program_id: str, _: Steers, context: Use, response: Response) -> MixView:
    """Percent of what is published by category, with the ETag that changing it asks for."""
    await context.programs.get(program_id)
    mix = await context.mixes.get(program_id)
    response.headers.update(etag(mix.version))
    return MixView.of(mix)


@router.put("/programs/{program_id}/mix", summary="Say which content mix is wanted", response_model=MixView)
async def set_mix(program_id: str, body: MixBody, _: Manager, unit: Unit, context: Use, if_match: IfMatch) -> Response:
    """Shares that add up to 100, or none, under the version that was read (`If-Match`)."""
    return await unit.run(
        lambda tx: tasks.set_mix(context, tx, program_id, if_match, body.shares),
        view=MixView.of,
        etag=version_of,
    )
