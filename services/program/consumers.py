"""Which event goes to which projection."""

from __future__ import annotations

from chassis.consumer import Route, on
from herald_contracts import AdministrativeActRecorded
from services.program.context import Context
from services.program.projections import project_audit_trail
from services.program.store.audit import ACTS

CONSUMERS: list[Route[Context]] = [
    on(AdministrativeActRecorded, do=project_audit_trail, inbox=ACTS),
]
