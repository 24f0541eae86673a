"""Applying a starter template: what a programme does not have is set, what it has is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
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
from services.program.domain.people import Segment
from services.program.domain.programs import Program, check_active, today
from services.program.domain.tasks import Task
from services.program.domain.templates import (
    Applied,
    Piece,
    Scale,
    Standing,
    Template,
    TemplateObjective,
    TemplatePath,
    TemplateTask,
    add,
    expect,
    targets,
    text_in,
    title_of,
)
from services.program.starters import starter_lessons


async def apply_template(
    context: Context, tx: Transaction, program_id: str, name: str, language: str, ambassadors: int | None = None
) -> Applied:
    """Set what the template has and the programme does not, and keep what was set, so that it can be taken back.

    Objectives and tasks are written in `language`; lessons and paths in each language of the programme. Targets are
    those of so many `ambassadors` (`expect` where it is None). An objective is left where one that is open has its use
    case and KPI. Points are `gamification`'s: nothing is done about them here. Raises NotFound, Conflict
    `program-archived`, Refused `too-many-objectives`, `too-many-lessons`, `too-many-paths`, `too-many-tasks`.
    """
    setting = await _setting(context, program_id, name, language, ambassadors, tx)
    applied = await setting.apply()
    await setting.keep(tx)
    done = [one for one in applied.pieces if one.outcome == "set"]
    if not done:
        audit.nothing_done(tx)
    else:
        counts = Counter[str]()
        for one in done:
            counts[one.part] += one.count
        facts = {"template": name, **({"ambassadors": applied.scale.ambassadors} if applied.scale else {}), **counts}
        audit.record(tx, "apply_template", "program", program_id, program_id=program_id, facts=facts)
    return applied


async def plan_template(
    context: Context, program_id: str, name: str, language: str, ambassadors: int | None = None
) -> Applied:
    """What `apply_template` would set. Raises what it raises."""
    return await (await _setting(context, program_id, name, language, ambassadors)).apply()


async def _setting(
    context: Context, program_id: str, name: str, language: str, ambassadors: int | None, tx: Transaction | None = None
) -> _Setting:
    program, template = await context.programs.get(program_id, tx), find_template(context, name)
    headcount = await context.headcounts.of_company()
    taking_part = await context.segments.count_ambassadors(program_id, Segment())
    return _Setting(
        context,
        program,
        template,
        language,
        tx.now if tx else context.clock.now(),
        expect(template, headcount, taking_part, ambassadors),
        await context.standings.get(program_id, name, tx),
        tx,
    )


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
        template: Template,
        language: str,
        now: datetime,
        scale: Scale | None,
        standing: Standing,
        tx: Transaction | None = None,
    ) -> None:
        self._context = context
        self._program = check_active(program)
        self._template = template
        self._language = language
        self._now = now
        self._scale = scale
        self._standing = standing
        self._tx = tx
        self._today = today(program, now)
        self._set: dict[str, list[str]] = {"objectives": [], "lessons": [], "paths": [], "tasks": []}
        self._mix_version = standing.mix_version

    async def apply(self) -> Applied:
        pieces = [*await self.objectives(), *await self.mix(), *await self.learning(), *await self.tasks()]
        return Applied(self._template, tuple(pieces), self._scale)

    async def keep(self, tx: Transaction) -> None:
        """What was set just now."""
        if any(self._set.values()) or self._mix_version != self._standing.mix_version:
            after = replace(add(self._standing, self._now, **self._set), mix_version=self._mix_version)
            await self._context.standings.save(self._standing, after, tx)

    def _id(self, part: str, *keys: str) -> str:
        return derived_id(self._program.id, "template", self._template.name, part, *keys)

    async def objectives(self) -> list[Piece]:
        rounds = (str(self._standing.rounds),) if self._standing.rounds else ()
        wanted = {self._id("objective", one.key, *rounds): one for one in self._template.objectives}
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
                self._set["objectives"].append(id)
        return [self._piece_of(one, is_new=id in new) for id, one in wanted.items()]

    def _piece_of(self, one: TemplateObjective, *, is_new: bool) -> Piece:
        _, target = targets(one, self._scale)
        title = title_of(one, target, self._language)
        return Piece("objective", title, "set" if is_new else "left", target=target, written=one.target)

    def _objective(self, id: str, one: TemplateObjective) -> Objective:
        baseline, target = targets(one, self._scale)
        return new_objective(
            id,
            self._program.id,
            self._now,
            use_case=one.use_case,
            kpi=one.kpi,
            baseline=baseline,
            target=target,
            starts_on=self._today,
            ends_on=self._today + timedelta(weeks=one.weeks, days=-1),
            title=title_of(one, target, self._language),
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
            self._mix_version = after.version
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
            self._set["lessons"].append(known[one.name])
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
                self._set["paths"].append(path.id)
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
            self._set["tasks"] += [one.id for one in new]
        return pieces

    def _ids(self, one: TemplateTask) -> Sequence[str]:
        return [self._id("task", one.key, str(number)) for number in range(one.times)]

    def _task(self, id: str, title: str, kind: str, day: date) -> Task:
        now, template = self._now, self._template.name
        return Task(id, self._program.id, 1, title, kind, day, now, now, template=template)


def _has_lessons(path: TemplatePath, known: dict[str, str]) -> bool:
    return any(name in known for name in path.lessons)
