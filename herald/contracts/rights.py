"""The table of rights in `docs/operations/rights.md`: each route of each API, each page of the hub, by who calls.

It is made of what the routes themselves name (`chassis.web.rights`); `generate` writes it, `stale` compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fastapi import FastAPI

from chassis.web.rights import ACCOUNT, ANYONE, DEVICE, PERSON, SCOPE_PREFIX, SIGNED, rights_of
from herald.contracts.services import built
from herald.local.plan import SERVICES

PAGE = Path(__file__).resolve().parents[2] / "docs/operations/rights.md"
BEGIN, END = "<!-- herald contracts generate: begin -->", "<!-- herald contracts generate: end -->"
ALLOWED = "✓"
Needs = tuple[str, ...]
Operation = tuple[str, str]
"""Method and path."""


@dataclass(frozen=True, slots=True)
class CallerKind:
    """A column. `met` are the needs that callers of this kind meet; where none is, the answer is `refused`."""

    name: str
    met: frozenset[str]
    refused: str = "403"


def _person(name: str, *roles: str) -> CallerKind:
    return CallerKind(name, frozenset((ANYONE, ACCOUNT, PERSON, *roles)))


PERSONS = (
    _person("person"),
    _person("ambassador", "ambassador"),
    _person("editor", "editor"),
    _person("manager", "manager"),
    _person("administrator", "admin"),
)
ON_DEVICE = CallerKind("device", frozenset((ANYONE, DEVICE, PERSON, "ambassador")))
NOBODY = CallerKind("nobody", frozenset((ANYONE,)), "401")
STRANGERS = (NOBODY, CallerKind("unknown", frozenset((ANYONE, ACCOUNT))), CallerKind("left", frozenset((ANYONE,))))
MACHINE = CallerKind("machine", frozenset((ANYONE,)))


@dataclass(frozen=True, slots=True)
class Rights:
    """The rights of one service: operations with their needs, and the columns of its table."""

    service: str
    needs: Mapping[Operation, Needs]
    callers: Sequence[CallerKind] = field(default=())

    def answer(self, operation: Operation, caller: CallerKind) -> str:
        """What a kind of caller meets: ALLOWED, or a status. A signed call is none of theirs, whatever their token."""
        if SIGNED in self.needs[operation]:
            return "401"
        return caller.refused if caller.met.isdisjoint(self.needs[operation]) else ALLOWED


@cache
def rights() -> tuple[Rights, ...]:
    """Of every API and of the hub. Raises LookupError for a route that names nothing."""
    found = {name: _declared(name) for name in (*SERVICES, "hub")}
    words = sorted({word for needs in found.values() for one in needs.values() for word in one if _is_scope(word)})
    machines = (MACHINE, *(CallerKind(scope, frozenset((ANYONE, scope))) for scope in words))
    apis = [Rights(name, found[name], (*STRANGERS, *PERSONS, ON_DEVICE, *machines)) for name in SERVICES]
    return (*apis, Rights("hub", found["hub"], (CallerKind("nobody", NOBODY.met, "sign-in"), *PERSONS)))


def scopes() -> list[str]:
    """The scopes that machine clients may be given."""
    return [caller.name for caller in rights()[0].callers if _is_scope(caller.name)]


def _declared(name: str) -> dict[Operation, Needs]:
    with built(name) as service:
        app = service.asgi()
        assert isinstance(app, FastAPI)
        declared = rights_of(app)
    return {(method, path): needs for (path, method), needs in sorted(declared.items()) if method != "HEAD"}


def _is_scope(word: str) -> bool:
    return word.startswith(SCOPE_PREFIX)


def tables(found: Iterable[Rights]) -> str:
    """The tables as Markdown, one below the other."""
    return "\n".join(_table(one) for one in found)


def _table(found: Rights) -> str:
    names = [f"`{one.name}`" if _is_scope(one.name) else one.name for one in found.callers]
    lines = [["route", *names], ["---", *[":-:"] * len(names)]]
    for method, path in found.needs:
        answers = (found.answer((method, path), caller) for caller in found.callers)
        lines.append([f"{method} `{path}`", *answers])
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"### {found.service}\n\n{body}\n"


def read_table(text: str, service: str) -> dict[Operation, dict[str, str]]:
    """What a page says: for each operation of a service the answer by caller."""
    section = text.partition(f"### {service}\n\n")[2].partition("\n\n")[0]
    head, _, *lines = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in section.splitlines()]
    found = {}
    for operation, *answers in lines:
        method, _, path = operation.partition(" `")
        found[method, path] = dict(zip(head[1:], answers, strict=True))
    return found


def page(text: str) -> str:
    """The page with its tables as the code has them. Raises ValueError without the marks, LookupError."""
    made, count = re.subn(
        f"{re.escape(BEGIN)}.*{re.escape(END)}",
        lambda _: f"{BEGIN}\n\n{tables(rights())}\n{END}",
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"{PAGE.name} has no place for the tables")
    return made


def stale(path: Path = PAGE) -> bool:
    """Whether the page says something else than the code. Raises ValueError, LookupError."""
    text = path.read_text("utf-8")
    return page(text) != text


def generate(path: Path = PAGE) -> bool:
    """Write the tables; whether anything changed. Raises ValueError, LookupError."""
    text = path.read_text("utf-8")
    made = page(text)
    path.write_text(made, "utf-8")
    return made != text
