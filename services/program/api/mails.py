"""The right to silence, and what comes back of mails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Path, Request, Response

from chassis.mongo import Transaction
from chassis.principals import Principal
from chassis.web.http import Person, Router, Unit, consumes, requires
from chassis.web.rights import FOR_ANYONE
from chassis.web.statuses import problems
from services.program import queries
from services.program.api.base import Use
from services.program.commands import mails
from services.program.context import Context
from services.program.mail.reports import read_report
from services.program.schemas.mails import ChooseMail, MailChoicesView, MailChoiceView, TakenView

router = Router(tags=["mails"])
REPORTS_SCOPE = "herald:mail:write"
MAX_REPORT = 1024 * 1024
Choose = Callable[[Context, Transaction, str, str, str], Awaitable[object]]
Reader = Annotated[str, Path(max_length=64, description="The capability in the links of a reader's mails")]
_REPORT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The message as it arrived, headers and all",
        "content": {"message/rfc822": {"schema": {"type": "string"}}},
    }
}


@router.get("/me/mails", summary="My mails", response_model=MailChoicesView)
async def my_mails(caller: Person, context: Use) -> MailChoicesView:
    """Which mails the caller wants, and which they got."""
    return MailChoicesView.of(await queries.mails.choices(context, caller.id))


@router.put("/me/mails", summary="Choose my mails", response_model=MailChoicesView, responses=problems(404))
async def choose_mails(body: ChooseMail, caller: Person, unit: Unit, context: Use) -> Response:
    """Want a kind of mail of a programme, or no more. Repeating it changes nothing."""

    async def command(tx: Transaction) -> queries.mails.Choices:
        await mails.choose_mail(context, tx, caller.id, body.kind, body.program_id, wanted=body.wanted)
        return await queries.mails.choices(context, caller.id, tx)

    return await unit.run(command, view=MailChoicesView.of)


@router.get(
    "/mail/{reader}/{kind}/{program_id}",
    summary="What a reader wants",
    response_model=MailChoiceView,
    dependencies=[FOR_ANYONE],
    responses=problems(404),
)
async def choice(reader: Reader, kind: str, program_id: str, context: Use) -> MailChoiceView:
    """For whoever has the link of a mail. Reading changes nothing."""
    return MailChoiceView.of(await queries.mails.choice(context, reader, kind, program_id))


@router.post(
    "/mail/{reader}/{kind}/{program_id}/unsubscribe",
    summary="Unsubscribe",
    response_model=MailChoiceView,
    dependencies=[FOR_ANYONE],
    responses=problems(404),
)
async def unsubscribe(reader: Reader, kind: str, program_id: str, context: Use) -> MailChoiceView:
    """Send that reader no more of it; repeating changes nothing."""
    return await _choose(context, mails.silence, reader, kind, program_id)


@router.post(
    "/mail/{reader}/{kind}/{program_id}/subscribe",
    summary="Take unsubscribing back",
    response_model=MailChoiceView,
    dependencies=[FOR_ANYONE],
    responses=problems(404),
)
async def subscribe(reader: Reader, kind: str, program_id: str, context: Use) -> MailChoiceView:
    """Repeating changes nothing."""
    return await _choose(context, mails.unsilence, reader, kind, program_id)


async def _choose(context: Context, choose: Choose, reader: str, kind: str, program_id: str) -> MailChoiceView:
    async def command(tx: Transaction) -> MailChoiceView:
        await choose(context, tx, reader, kind, program_id)
        return MailChoiceView.of(await queries.mails.choice(context, reader, kind, program_id, tx))

    return await context.mongo.transact(command)


@router.post(
    "/mail/reports",
    summary="Report what came back",
    response_model=TakenView,
    openapi_extra=_REPORT,
    dependencies=[consumes("message/rfc822")],
)
async def report(
    request: Request, _: Annotated[Principal, requires(REPORTS_SCOPE)], unit: Unit, context: Use
) -> Response:
    """A delivery report or a complaint, as it arrived at the address that bounces come back to. Needs the scope
    `herald:mail:write`. One that is of no mail of ours changes nothing; repeating one changes nothing."""
    found = read_report(await request.body())
    return await unit.run(lambda tx: mails.take_report(context, tx, found), view=lambda known: TakenView(known=known))
