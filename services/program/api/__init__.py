"""The HTTP interface: parse, call, answer."""

from chassis.web.http import Router
from services.program.api import history, imports, me, membership, people, programs

router = Router(prefix="/v1")
for part in (me, history, people, imports, programs, membership):
    router.include_router(part.router)
