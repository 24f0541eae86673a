"""The HTTP interface: parse, call, answer."""

from chassis.web.http import Router
from services.program.api import history, imports, me, people, programs, takepart

router = Router(prefix="/v1")
for part in (me, history, people, imports, programs, takepart):
    router.include_router(part.router)
