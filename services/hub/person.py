"""The person who is signed in and the programmes they have to do with, as `program` tells of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from services.hub.clients import Json
from services.hub.language import known_zone

STAFF = frozenset(("editor", "manager", "admin"))


@dataclass(frozen=True, slots=True)
class Program:
    """A programme, and where the person stands in it: `status` is invited, joined, declined, left, or nothing."""

    id: str
    name: str
    time_zone: str
    languages: tuple[str, ...]
    open: bool = False
    status: str = ""
    guidelines_version: int = 0
    acknowledged_version: int = 0
    must_acknowledge: bool = False
    paused: bool = False
    archived: bool = False
    posts_hoped: int = 0
    """Posts a month that it hopes for from each leader; 0 where it does not say."""
    colour: str = ""
    """`#rrggbb`, with `text_colour` for what is written on it; empty for none of its own."""
    text_colour: str = ""
    picture_id: str = ""

    @property
    def joined(self) -> bool:
        return self.status == "joined"


@dataclass(frozen=True, slots=True)
class Person:
    """What pages need to know of who is looking at them."""

    id: str
    name: str
    email: str
    roles: frozenset[str]
    """In every programme, and in the one that they look at (`within`)."""
    country: str
    team: str
    locale: str
    leader: bool = False
    hidden_from_rankings: bool = False
    hidden_from_statistics: bool = False
    weekly_tip: bool = True
    time_zone: str = ""
    """The one that they set for themselves; empty for none."""
    programs: tuple[Program, ...] = field(default=())
    program_roles: frozenset[tuple[str, str]] = frozenset()
    """Roles in one programme alone, each with its programme's id before it."""
    here_alone: frozenset[str] = frozenset()
    """Of `roles` those that they have only in the programme that they look at."""

    @property
    def first_name(self) -> str:
        return self.name.partition(" ")[0] or self.name

    @property
    def initials(self) -> str:
        words = [word for word in self.name.split() if word[0].isalnum()] or ["?"]
        return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()

    @property
    def is_ambassador(self) -> bool:
        return any(program.joined for program in self.programs)

    @property
    def invitations(self) -> list[Program]:
        return [one for one in self.programs if one.status == "invited" and not one.archived]

    def on_device(self) -> Person:
        """The person where a one-time code let them in: an ambassador at most."""
        return replace(self, roles=self.roles & {"ambassador"}, program_roles=frozenset(), here_alone=frozenset())

    def within(self, program_id: str) -> Person:
        """The person as they look at a programme."""
        own = frozenset(role for program, role in self.program_roles if program == program_id)
        return replace(self, roles=self.roles | own, here_alone=own - self.roles)

    def works_in(self, program_id: str) -> bool:
        """Whether they edit, manage or administer a programme."""
        return self.has(*STAFF) or any(program == program_id for program, _ in self.program_roles)

    def everywhere(self, role: str) -> bool:
        """Whether they hold a role in every programme."""
        return role in self.roles - self.here_alone

    def has(self, *roles: str) -> bool:
        return bool(self.roles.intersection(roles))

    def find_program(self, program_id: str) -> Program | None:
        return next((program for program in self.programs if program.id == program_id), None)

    @property
    def visible_programs(self) -> list[Program]:
        """Those they take part in, and those in which they work."""
        return [program for program in self.programs if program.joined or self.works_in(program.id)]

    def choose_program(self, wanted: str | None) -> Program | None:
        """The wanted one if they may see it; else one they take part in; else the first in which they work. What is
        over comes last."""
        ranked = sorted(self.visible_programs, key=lambda one: (one.id != wanted, one.archived, not one.joined))
        return ranked[0] if ranked else None


def person_of(me: Json, programs: list[Json]) -> Person:
    """The person from `GET /v1/me` and `GET /v1/programs`."""
    mine: dict[str, Json] = {one["program_id"]: one for one in me.get("programs", ())}
    return Person(
        id=me["id"],
        name=me.get("name") or me.get("email") or "",
        email=me.get("email") or "",
        roles=frozenset(me.get("roles", ())),
        country=me.get("country") or "",
        team=me.get("team") or "",
        locale=me.get("locale") or "en",
        leader=bool(me.get("leader")),
        hidden_from_rankings=bool(me.get("hidden_from_rankings")),
        hidden_from_statistics=bool(me.get("hidden_from_statistics")),
        weekly_tip=bool(me.get("weekly_tip", True)),
        time_zone=known_zone(me["time_zone"]).key if me.get("time_zone") else "",
        program_roles=frozenset((one["program_id"], one["role"]) for one in me.get("program_roles") or ()),
        programs=tuple(program_of(one, mine.get(one["id"], {})) for one in programs),
    )


def program_of(program: Json, mine: dict[str, Any]) -> Program:
    """A programme with the person's part in it."""
    return Program(
        id=program["id"],
        name=program["name"],
        time_zone=known_zone(program.get("time_zone", "UTC")).key,
        languages=tuple(program.get("languages", ())),
        open=bool(program.get("open")),
        status=mine.get("status") or "",
        guidelines_version=mine.get("guidelines_version") or 0,
        acknowledged_version=mine.get("acknowledged_version") or 0,
        must_acknowledge=bool(mine.get("must_acknowledge")),
        paused=bool(mine.get("paused_since")),
        archived=bool(program.get("archived_at")),
        posts_hoped=program.get("posts_hoped") or 0,
        colour=str(program.get("colour") or ""),
        text_colour=str(program.get("text_colour") or ""),
        picture_id=str(program.get("picture_id") or ""),
    )
