"""Taking a starter template back: what it set is gone, where nobody changed or used it since."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from chassis import audit
from chassis.mongo import Transaction
from services.program import event_mapping
from services.program.commands.templates import find_template
from services.program.context import Context
from services.program.domain import lessons, mixes
from services.program.domain.lessons import Lesson
from services.program.domain.mixes import Mix
from services.program.domain.objectives import Objective, withdraw_objective
from services.program.domain.programs import Program, check_active, today
from services.program.domain.tasks import Task
from services.program.domain.templates import Found, Outcome, Piece, Standing, Withdrawn, end, stays, text_in


async def withdraw_template(context: Context, tx: Transaction, program_id: str, name: str, language: str) -> Withdrawn:
    """Take back what the template set and nobody changed or used since; the rest stays, as the programme's own.

    Objectives are withdrawn, as by hand; tasks, paths and lessons are deleted (`LessonRetired`); no content mix is
    wanted any more. Repeating changes nothing. Points are `gamification`'s. Raises NotFound, Conflict
    `program-archived`.
    """
    taking = await _taking(context, program_id, name, language, tx)
    withdrawn = taking.withdrawn()
    await taking.take(tx)
    if withdrawn.applied_at is None:
        audit.nothing_done(tx)
    else:
        counts = Counter[str]()
        for one in withdrawn.pieces:
            counts[one.part if one.outcome == "withdrawn" else f"{one.part}_kept"] += one.count
        audit.record(
            tx, "withdraw_template", "program", program_id, program_id=program_id, facts={"template": name, **counts}
        )
    return withdrawn


async def plan_withdrawal(context: Context, program_id: str, name: str, language: str) -> Withdrawn:
    """What `withdraw_template` would take back, and what would stay. Raises what it raises."""
    return (await _taking(context, program_id, name, language)).withdrawn()


async def _taking(
    context: Context, program_id: str, name: str, language: str, tx: Transaction | None = None
) -> _Taking:
    program = check_active(await context.programs.get(program_id, tx))
    find_template(context, name)
    standing = await context.standings.get(program_id, name, tx)
    found = await _found(context, standing, tx)
    return _Taking(context, program, standing, found, language, tx.now if tx else context.clock.now())


async def _found(context: Context, standing: Standing, tx: Transaction | None) -> Found:
    program_id, store = standing.program_id, context.lessons
    all_paths = await store.paths(program_id, tx)
    paths = [one for one in all_paths if one.id in standing.paths]
    others = [one for one in all_paths if one.id not in standing.paths]
    of_paths = [id for path in paths for id in path.lesson_ids]
    return Found(
        objectives=await context.objectives.some(program_id, standing.objectives, tx),
        lessons=await store.some(program_id, standing.lessons, tx),
        paths=paths,
        tasks=await context.tasks.some(program_id, standing.tasks, tx),
        mix=await context.mixes.get(program_id, tx) if standing.mix_version else None,
        completed=frozenset(await store.completions(program_id, {*standing.lessons, *of_paths}, tx)),
        placed=frozenset(id for path in others for id in path.lesson_ids),
    )


class _Taking:
    """A template being taken back, or looked at for that."""

    def __init__(
        self, context: Context, program: Program, standing: Standing, found: Found, language: str, now: datetime
    ) -> None:
        self._context = context
        self._program = program
        self._standing = standing
        self._found = found
        self._language = language
        self._now = now
        self._today: date = today(program, now)

    def _stays(self, one: Objective | Lesson | lessons.Path | Task | Mix) -> Outcome | None:
        return stays(self._found, one, self._standing, self._today)

    def _outcome(self, one: Objective | Lesson | lessons.Path | Task | Mix) -> Outcome:
        return self._stays(one) or "withdrawn"

    def withdrawn(self) -> Withdrawn:
        found, name = self._found, self._standing.template
        pieces = [Piece("objective", one.title, self._outcome(one), target=one.target) for one in found.objectives]
        if found.mix:
            pieces.append(Piece("mix", "", self._outcome(found.mix)))
        for lesson in found.lessons:
            titles = {language: text.title for language, text in lesson.latest.texts.items()}
            pieces.append(Piece("lesson", text_in(titles, self._language), self._outcome(lesson)))
        pieces += [Piece("path", text_in(one.titles, self._language), self._outcome(one)) for one in found.paths]
        return Withdrawn(find_template(self._context, name), self._standing.applied_at, (*pieces, *self._tasks()))

    def _tasks(self) -> list[Piece]:
        """Those of one title together, in the order of their days."""
        days: dict[tuple[str, Outcome], list[date]] = {}
        for one in sorted(self._found.tasks, key=lambda one: one.due_on):
            days.setdefault((one.title, self._outcome(one)), []).append(one.due_on)
        return [Piece("task", title, outcome, len(some), some[0]) for (title, outcome), some in days.items()]

    async def take(self, tx: Transaction) -> None:
        context, found = self._context, self._found
        for objective in found.objectives:
            if not self._stays(objective):
                after = withdraw_objective(objective, self._now)
                await context.objectives.save(objective, after, tx)
                tx.emit(event_mapping.objective_set(after))
        for path in found.paths:
            if not self._stays(path):
                await context.lessons.delete_path(path, tx)
        for lesson in found.lessons:
            if not self._stays(lesson):
                await context.lessons.delete(lesson, tx)
                if lesson.edition:
                    tx.emit(event_mapping.lesson_retired(lessons.retire(lesson, self._now)))
        if found.mix and not self._stays(found.mix):
            await context.mixes.save(found.mix, mixes.change_mix(found.mix, {}, self._now), tx)
        await context.tasks.delete_all([one for one in found.tasks if not self._stays(one)], tx)
        after_all = end(self._standing)
        if after_all is not self._standing:
            await context.standings.save(self._standing, after_all, tx)
