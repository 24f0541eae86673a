"""Applying a starter template: what a programme does not have is set, what it has is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from chassis import audit
from chassis.ids import derived_id
from chassis.mongo import Transaction
from chassis.web.problems import NotFound, Refused
from services.program import event_mapping
from services.program.commands import lessons, tasks
from services.program.context import Context
from services.program.domain import mixes
from services.program.domain.lessons import MAX_PATHS, Starter
from services.program.domain.objectives import MAX_OPEN, Objective, new_objective
from services.program.domain.programs import Program, check_active
from services.program.domain.surveys import today
from services.program.domain.tasks import Task
from services.program.domain.templates import (
    Applied,
    Piece,
    Template,
    TemplateObjective,
    TemplatePath,
    TemplateTask,
    text_in,
)
from services.program.starters import starter_lessons


async def apply_template(context: Context, tx: Transaction, program_id: str, name: str, language: str) -> Applied:
    """Set what the template has and the programme does not.

    Objectives and tasks are written in `language`; lessons and paths in each language of the programme. An objective
    is left where one that is open has its use case and KPI. Points are `gamification`'s: nothing is done about them
    here. Raises NotFound, Conflict `program-archived`, Refused `too-many-objectives`, `too-many-lessons`,
    `too-many-paths`, `too-many-tasks`.
    """
    setting = _Setting(context, await context.programs.get(program_id, tx), name, language, tx.now, tx)
    applied = await setting.apply()
    done = [one for one in applied.pieces if one.outcome == "set"]
    if not done:
        audit.nothing_done(tx)
    else:
        counts = Counter[str]()
        for one in done:
            counts[one.part] += one.count
        facts = {"template": name, **counts}
        audit.record(tx, "apply_template", "program", program_id, program_id=program_id, facts=facts)
    return applied


async def plan_template(context: Context, program_id: str, name: str, language: str) -> Applied:
    """What `apply_template` would set. Raises what it raises."""
    program = await context.programs.get(program_id)
    return await _Setting(context, program, name, language, context.clock.now()).apply()


def find_template(context: Context, name: str) -> Template:
    """Raises NotFound."""
    for one in context.templates:
        if one.name == name:
            return one
    raise NotFound("template", name)


class _Setting:
    """One template being applied to one programme; without a transaction nothing is written."""

    def __init__(
        self,
        context: Context,
        program: Program,
        name: str,
        language: str,
        now: datetime,
        tx: Transaction | None = None,
    ) -> None:
        self._context = context
        self._program = check_active(program)
        self._template = find_template(context, name)
        self._language = language
        self._now = now
        self._tx = tx
        self._today = today(program, now)

    async def apply(self) -> Applied:
        pieces = [*await self.objectives(), *await self.mix(), *await self.learning(), *await self.tasks()]
        return Applied(self._template, tuple(pieces))

    def _id(self, part: str, *keys: str) -> str:
        return derived_id(self._program.id, "template", self._template.name, part, *keys)

    async def objectives(self) -> list[Piece]:
        wanted = {self._id("objective", one.key): one for one in self._template.objectives}
        store = self._context.objectives
        known = await store.known(wanted, self._tx)
        served = {(one.use_case, one.kpi) for one in await store.page(self._program.id, "open", None, MAX_OPEN)}
        new = {id: one for id, one in wanted.items() if id not in known and (one.use_case, one.kpi) not in served}
        if await store.count_open(self._program.id, self._tx) + len(new) > MAX_OPEN:
            raise Refused(f"At most {MAX_OPEN} objectives are open at once.", type_="too-many-objectives", max=MAX_OPEN)
        for id, one in new.items():
            if self._tx:
                objective = self._objective(id, one)
                await store.insert(objective, self._tx)
                self._tx.emit(event_mapping.objective_set(objective))
        return [
            Piece("objective", text_in(one.titles, self._language), "set" if id in new else "left")
            for id, one in wanted.items()
        ]

    def _objective(self, id: str, one: TemplateObjective) -> Objective:
        return new_objective(
            id,
            self._program.id,
            self._now,
            use_case=one.use_case,
            kpi=one.kpi,
            baseline=one.baseline,
            target=one.target,
            starts_on=self._today,
            ends_on=self._today + timedelta(weeks=one.weeks, days=-1),
            title=text_in(one.titles, self._language),
        )

    async def mix(self) -> list[Piece]:
        if not self._template.mix:
            return []
        before = await self._context.mixes.get(self._program.id, self._tx)
        if before.shares:
            return [Piece("mix", "", "left")]
        if self._tx:
            after = mixes.change_mix(before, self._template.mix, self._now)
            await self._context.mixes.save(before, after, self._tx)
        return [Piece("mix", "", "set")]

    async def learning(self) -> list[Piece]:
        """The lessons that its paths name, and its own; then the paths."""
        own = {one.name: one for one in (*starter_lessons(), *self._template.lessons)}
        named = [name for path in self._template.paths for name in path.lessons]
        names = dict.fromkeys([*named, *(one.name for one in self._template.lessons)])
        known = await self._context.lessons.starters(self._program.id, self._tx)
        wanted = [own[name] for name in names]
        await lessons.check_room(self._context, self._program.id, sum(one.name not in known for one in wanted))
        return [*[await self._lesson(one, known) for one in wanted], *await self._paths(known)]

    async def _lesson(self, one: Starter, known: dict[str, str]) -> Piece:
        texts = one.texts_for(self._program.languages)
        title = text_in({language: text.title for language, text in one.texts.items()}, self._language)
        if one.name in known:
            return Piece("lesson", title, "left")
        if not texts:
            return Piece("lesson", title, "untranslated")
        known[one.name] = one.name
        if self._tx:
            known[one.name] = (await lessons.add_starter(self._context, self._tx, self._program, one.name, texts)).id
        return Piece("lesson", title, "set")

    async def _paths(self, known: dict[str, str]) -> list[Piece]:
        present = await self._context.lessons.paths(self._program.id, self._tx)
        there = {one.starter for one in present}
        new = [one for one in self._template.paths if one.name not in there and _has_lessons(one, known)]
        if len(present) + len(new) > MAX_PATHS:
            raise Refused(f"A programme has at most {MAX_PATHS} paths.", type_="too-many-paths")
        for one in new:
            titles = {language: text_in(one.titles, language) for language in self._program.languages}
            ids = [known[name] for name in one.lessons if name in known]
            if self._tx:
                path = await lessons.add_path(self._context, self._tx, self._program, present, titles, ids, one.name)
                present.append(path)
        return [
            Piece(
                "path",
                text_in(one.titles, self._language),
                "set" if one in new else "left" if one.name in there else "untranslated",
            )
            for one in self._template.paths
        ]

    async def tasks(self) -> list[Piece]:
        pieces = []
        days = {one.key: one.days(self._today) for one in self._template.tasks}
        ids = {one.key: self._ids(one) for one in self._template.tasks}
        known = await self._context.tasks.known([id for some in ids.values() for id in some], self._tx)
        new: list[Task] = []
        for one in self._template.tasks:
            missing = [(id, day) for id, day in zip(ids[one.key], days[one.key], strict=True) if id not in known]
            title = text_in(one.titles, self._language)
            new += [self._task(id, title, one.kind, day) for id, day in missing]
            shown = [day for _, day in missing] or days[one.key]
            pieces.append(Piece("task", title, "set" if missing else "left", len(shown), shown[0]))
        await tasks.check_room(self._context, self._program.id, len(new), self._tx)
        if self._tx:
            await self._context.tasks.insert(new, self._tx)
        return pieces

    def _ids(self, one: TemplateTask) -> Sequence[str]:
        return [self._id("task", one.key, str(number)) for number in range(one.times)]

    def _task(self, id: str, title: str, kind: str, day: date) -> Task:
        now, template = self._now, self._template.name
        return Task(id, self._program.id, 1, title, kind, day, now, now, template=template)


def _has_lessons(path: TemplatePath, known: dict[str, str]) -> bool:
    return any(name in known for name in path.lessons)
