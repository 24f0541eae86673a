"""Which event goes to which projection."""

from __future__ import annotations

from chassis.consumer import Route, on
from herald_contracts import (
    AdministrativeActRecorded,
    ContentPublished,
    ContentRetired,
    ContentUpdated,
    PostRemoved,
    PostShared,
)
from services.program.context import Context
from services.program.projections import (
    project_audit_trail,
    project_job_offers,
    project_posts,
    project_removed_posts,
)
from services.program.store.audit import ACTS

CONSUMERS: list[Route[Context]] = [
    on(AdministrativeActRecorded, do=project_audit_trail, inbox=ACTS),
    on(ContentPublished, ContentUpdated, ContentRetired, do=project_job_offers),
    on(PostShared, PostRemoved, do=project_posts),
    on(PostRemoved, do=project_removed_posts),
]
