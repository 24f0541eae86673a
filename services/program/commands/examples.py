"""Examples of posts that worked: offered, written, shown, withdrawn."""

from __future__ import annotations

from chassis import audit
from chassis.ids import derived_id, new_id
from chassis.mongo import Transaction
from chassis.web.http import Expected, check_version
from chassis.web.problems import Invalid, NotFound, Refused
from services.program.audit import EXAMPLE
from services.program.commands.saving import save
from services.program.context import Context
from services.program.domain import examples, memberships
from services.program.domain.examples import MAX_EXAMPLES, MAX_OFFERED, Example, Words
from services.program.domain.programs import check_active


async def offer(
    context: Context,
    tx: Transaction,
    program_id: str,
    author_id: str,
    *,
    post_id: str,
    text: str,
    network: str,
    language: str,
    named: bool,
) -> Example:
    """Let a post of one's own be shown as an example; again, to be named or not. Raises NotFound, Conflict:
    `program-archived`, `not-a-member`; Refused `too-many-examples`, `too-many-offered`."""
    check_active(await context.programs.get(program_id, tx))
    memberships.joined(await context.people.get(author_id, tx), program_id)
    id = derived_id(program_id, author_id, post_id)
    before = await context.examples.find(program_id, id, tx)
    if before is not None:
        after = examples.name(before, named, tx.now)
        if after is not before:
            await context.examples.save(before, after, tx)
        return after
    if await context.examples.count(program_id, author_id=author_id, state="draft", tx=tx) >= MAX_OFFERED:
        raise Refused(f"{MAX_OFFERED} posts of yours wait.", type_="too-many-offered", max=MAX_OFFERED)
    await _check_room(context, tx, program_id)
    offered = examples.offer(
        id,
        program_id,
        post_id=post_id,
        author_id=author_id,
        text=text,
        network=network,
        language=language,
        named=named,
        now=tx.now,
    )
    await context.examples.insert(offered, tx)
    return offered


async def withdraw(context: Context, tx: Transaction, program_id: str, id: str, author_id: str) -> None:
    """An author lets their post be shown no more: it is deleted. Raises NotFound."""
    found = await context.examples.get(program_id, id, tx)
    if found.author_id != author_id:
        raise NotFound("example", id)
    await context.examples.delete(found, tx)


async def create_example(context: Context, tx: Transaction, program_id: str, words: Words) -> Example:
    """One that nobody posted, which nobody reads yet. Raises NotFound, Invalid, Conflict `program-archived`, Refused
    `too-many-examples`."""
    program = check_active(await context.programs.get(program_id, tx))
    await _check_room(context, tx, program_id)
    await _check_lesson(context, tx, program_id, words)
    written = examples.write(new_id(), program_id, words, program.languages, tx.now)
    await context.examples.insert(written, tx)
    audit.record(tx, "create_example", EXAMPLE, written.id, after=written, program_id=program_id)
    return written


async def change_example(
    context: Context, tx: Transaction, program_id: str, id: str, version: Expected | None, words: Words
) -> Example:
    """Say why it worked, or beside which lesson it stands. Raises NotFound, PreconditionRequired, StaleVersion,
    Invalid, Conflict `program-archived`, `example-shown`, `example-of-author`."""
    program = check_active(await context.programs.get(program_id, tx))
    before = await context.examples.get(program_id, id, tx)
    check_version(version, before.version)
    await _check_lesson(context, tx, program_id, words)
    after = examples.change(before, words, program.languages, tx.now)
    return await save(context.examples, EXAMPLE, tx, "change_example", before, after)


async def show_example(context: Context, tx: Transaction, program_id: str, id: str) -> Example:
    """Let ambassadors read it; repeating changes nothing. Raises NotFound, Invalid, Conflict `program-archived`."""
    program = check_active(await context.programs.get(program_id, tx))
    before = await context.examples.get(program_id, id, tx)
    after = examples.show(before, program.languages, tx.now)
    return await save(context.examples, EXAMPLE, tx, "show_example", before, after)


async def retire_example(context: Context, tx: Transaction, program_id: str, id: str) -> Example:
    """Nobody reads it any more; repeating changes nothing. Raises NotFound."""
    before = await context.examples.get(program_id, id, tx)
    return await save(context.examples, EXAMPLE, tx, "retire_example", before, examples.retire(before, tx.now))


async def _check_room(context: Context, tx: Transaction, program_id: str) -> None:
    if await context.examples.count(program_id, tx=tx) >= MAX_EXAMPLES:
        raise Refused(f"A programme has at most {MAX_EXAMPLES} examples.", type_="too-many-examples", max=MAX_EXAMPLES)


async def _check_lesson(context: Context, tx: Transaction, program_id: str, words: Words) -> None:
    if words.lesson_id is not None and words.lesson_id not in await context.lessons.usable(program_id, tx):
        raise Invalid.one("lesson_id", "unknown", "The programme has no such lesson.")
