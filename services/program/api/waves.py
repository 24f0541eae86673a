"""Waves: planned, started, decided on; and the cohort that one is in."""

from __future__ import annotations

from fastapi import Response

from chassis.web.http import IfMatch, Person, Router, Unit, etag, version_of
from services.program import queries
from services.program.api.base import Manager, Manages, Use
from services.program.commands import waves
from services.program.schemas.waves import (
    DecisionBody,
    NewWave,
    PlacesView,
    PlaceView,
    StandingView,
    WavesView,
    WaveView,
)

router = Router(tags=["waves"])
ALL = "/programs/{program_id}/waves"
ONE = ALL + "/{wave_id}"


@router.get(ALL, summary="List waves", response_model=WavesView)
async def list_waves(program_id: str, _: Manages, context: Use) -> WavesView:
    """All of them, the first one first: a programme has at most 20. What came of their cohorts, `metrics` says."""
    return WavesView(items=[StandingView.of(one) for one in await queries.waves.of_program(context, program_id)])


@router.post(ALL, summary="Plan a wave", response_model=WaveView, status_code=201)
async def create_wave(program_id: str, body: NewWave, _: Manager, unit: Unit, context: Use) -> Response:
    """Nobody enters before it is started. 422 `overlap` (with `name`, `first` and `last`) where another wave of the
    programme has one of its days; 422 `empty-segment` where the criteria name nobody."""
    return await unit.run(
        lambda tx: waves.create_wave(context, tx, program_id, body.values()),
        view=WaveView.of,
        status=201,
        etag=version_of,
    )


@router.get(ONE, summary="A wave", response_model=StandingView)
async def get_wave(program_id: str, wave_id: str, _: Manages, context: Use, response: Response) -> StandingView:
    """One wave, with the ETag that changing it asks for."""
    found = await queries.waves.one(context, program_id, wave_id)
    response.headers.update(etag(found.wave.version))
    return StandingView.of(found)


@router.put(ONE, summary="Change a wave", response_model=WaveView)
async def change_wave(
    program_id: str, wave_id: str, body: NewWave, _: Manager, unit: Unit, context: Use, if_match: IfMatch
) -> Response:
    """The whole of it, under the version that was read (`If-Match`). Once it is started, its first day and its criteria
    stay (422 `started`), once it is decided on all of it (409 `wave-decided`)."""
    return await unit.run(
        lambda tx: waves.change_wave(context, tx, program_id, wave_id, if_match, body.values()),
        view=WaveView.of,
        etag=version_of,
    )


@router.delete(ONE, summary="Delete a planned wave", status_code=204)
async def delete_wave(program_id: str, wave_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """409 `wave-started` where it was started."""
    return await unit.run(lambda tx: waves.delete_wave(context, tx, program_id, wave_id), status=204)


@router.post(ONE + "/start", summary="Start a wave", response_model=WaveView)
async def start_wave(program_id: str, wave_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """The ambassadors who meet its criteria and are in no other cohort enter; who joins while it runs does too. 409:
    `wave-not-due` before its first day, `wave-undecided` while another one has no decision, `cohort-empty` where nobody
    would enter. 422 `after-no-go` where nothing is said to differ from a wave that was no go. Repeating it changes
    nothing."""
    return await unit.run(
        lambda tx: waves.start_wave(context, tx, program_id, wave_id), view=WaveView.of, etag=version_of
    )


@router.post(ONE + "/withdraw", summary="Take back that a wave was started", response_model=WaveView)
async def withdraw_wave(program_id: str, wave_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """It is planned again, and nobody is in its cohort. 409 `wave-decided` where it was decided on. Repeating it
    changes nothing."""
    return await unit.run(
        lambda tx: waves.withdraw_wave(context, tx, program_id, wave_id), view=WaveView.of, etag=version_of
    )


@router.post(ONE + "/decision", summary="Record a go or no-go", response_model=WaveView)
async def decide_wave(
    program_id: str, wave_id: str, body: DecisionBody, caller: Manager, unit: Unit, context: Use
) -> Response:
    """Whether the programme goes on as it is, why, and who decided. It ends the wave: nobody enters its cohort any
    more. 409 `wave-not-started` for a planned one. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: waves.decide_wave(
            context,
            tx,
            program_id,
            wave_id,
            body.decision,
            body.reasons,
            list(dict.fromkeys(body.decided_by or [caller.id])),
            caller.id,
        ),
        view=WaveView.of,
        etag=version_of,
    )


@router.post(ONE + "/reopen", summary="Take back a decision", response_model=WaveView)
async def reopen_wave(program_id: str, wave_id: str, _: Manager, unit: Unit, context: Use) -> Response:
    """The wave goes on as before. 409 `wave-followed` once a later one was started. Repeating it changes nothing."""
    return await unit.run(
        lambda tx: waves.reopen_wave(context, tx, program_id, wave_id), view=WaveView.of, etag=version_of
    )


@router.get("/me/cohorts", summary="My cohorts", response_model=PlacesView)
async def my_cohorts(caller: Person, context: Use) -> PlacesView:
    """The cohort that the caller is or was in, of each programme."""
    found = await context.waves.of_person(caller.id)
    return PlacesView(items=[PlaceView.model_validate(one) for one in found])
