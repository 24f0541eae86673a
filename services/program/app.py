"""The composition root."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from chassis.chassis import Chassis
from chassis.clock import Clock
from chassis.jobs import Job
from chassis.service import Service
from services.program.api import router
from services.program.api.imports import MAX_FILE
from services.program.commands.imports import import_unfinished
from services.program.parts import Parts
from services.program.settings import ProgramSettings
from services.program.store.imports import Imports
from services.program.store.people import People
from services.program.store.programs import Programs


def build(settings: ProgramSettings, *, clock: Clock | None = None) -> Service:
    """The service `program`; nothing is connected yet."""
    chassis = Chassis("program", settings, clock=clock)
    parts = Parts(
        settings=settings,
        clock=chassis.clock,
        mongo=chassis.mongo,
        people=People(chassis.mongo),
        programs=Programs(chassis.mongo),
        imports=Imports(chassis.mongo),
    )

    async def ensure_indexes() -> None:
        for store in (parts.people, parts.programs, parts.imports):
            await store.ensure_indexes()

    return Service(
        name="program",
        chassis=chassis,
        description="People of the company, and the programmes in which they take part of their own free will.",
        router=router,
        parts=parts,
        principals=parts.people,
        jobs=[Job("imports", timedelta(seconds=2), partial(import_unfinished, parts))],
        ensure_indexes=ensure_indexes,
        max_body={"/v1/imports": MAX_FILE},
    )
