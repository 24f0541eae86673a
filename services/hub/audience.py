"""How many are meant by what is about to be published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.hub.lists import Kind
from services.hub.paths import v1
from services.hub.view import View


async def reached(view: View, program_id: str, targeting: Mapping[Kind, Sequence[str]] | None = None) -> int:
    """How many ambassadors of the programme are in the countries, teams and sites; all of them without any."""
    order = {kind: list(chosen) for kind, chosen in (targeting or {}).items()}
    found = await view.apis.call("program", "POST", v1("programs", program_id, "audience"), order)
    return int(found.data["ambassadors"])
