"""What can be done: one transaction each, state and events together."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from chassis import audit
from chassis.consumer import InvalidEvent, Received
from chassis.ids import dated_id, new_id, short_code
from chassis.mongo import Transaction
from chassis.principals import Principal
from chassis.tasks import yielding
from chassis.web.http import Expected, check_version
from chassis.web.problems import Conflict, Forbidden, Invalid, NotFound, Refused, Violation
from herald_contracts import LinkClicked
from services.sharing import event_mapping
from services.sharing.audit import GUARDRAILS
from services.sharing.context import Context
from services.sharing.domain.guardrails import (
    ForbiddenPhrase,
    Guardrails,
    Verdict,
    change_guardrails,
    compose,
    review,
)
from services.sharing.domain.posts import (
    Content,
    Post,
    PostReference,
    ShareOrder,
    Standing,
    check_may_share,
    finish_removal,
    is_edited,
    not_a_member,
    remove,
    restore,
)
from services.sharing.networks import NETWORKS
from services.sharing.redirect.click_policy import Click, judge
from services.sharing.redirect.utm import campaign_of, target_url

A_CODE = "0" * 8
CLOCKS_DIFFER = timedelta(minutes=5)
REPORTED_WITHIN = timedelta(days=90)
"""How old what is reported may be. Reports are remembered for longer, so that none counts twice."""
COUNTED_BY_DAY = timedelta(days=1)
"""What is counted by day is reported as of its first moment, which may be before the post."""


@dataclass(frozen=True, slots=True)
class Report:
    """What another system counted of a post since its last report. `external_id` names the report."""

    post_id: str
    kind: str
    quantity: int
    measure: str
    occurred_at: datetime
    external_id: str


class Checked(NamedTuple):
    """A draft's verdict, with what it was judged by."""

    verdict: Verdict
    content: Content
    program_name: str
    guardrails: Guardrails


# --- sharing -----------------------------------------------------------------------------------------------------


async def check_draft(context: Context, caller: Principal, order: ShareOrder, tx: Transaction | None = None) -> Checked:
    """What the guardrails say of a caption before it is shared. Raises what `check_may_share` raises, NotFound,
    Forbidden `inactive`."""
    caller = await _present(context, caller, tx)
    content = await context.store.projections.content(order.content_id, tx)
    program = await context.store.projections.program(content.program_id, tx)
    standing = Standing(
        country=caller.country,
        team=caller.team,
        site=caller.site,
        member=content.program_id in caller.memberships,
        acknowledged=await context.store.projections.acknowledged(caller.id, content.program_id, tx),
        required=int(program.get("required", 0)),
        lessons_left=await context.store.projections.lessons_left(caller.id, content.program_id, "share", tx),
        archived=bool(program.get("archived")),
    )
    check_may_share(content, standing, tx.now if tx else context.clock.now())
    guardrails = await context.store.guardrails.get(content.program_id, tx)
    verdict = review(
        order.caption,
        guardrails,
        network=NETWORKS[order.network],
        country=caller.country,
        language=order.language,
        link=context.short_url(A_CODE),
    )
    return Checked(verdict, content, program["name"], guardrails)


async def _present(context: Context, caller: Principal, tx: Transaction | None) -> Principal:
    """The caller as they are now: a share may have waited for its item, and its ambassador have left meanwhile. Raises
    Forbidden `inactive`."""
    found = (await context.principals.get_many([caller.id], tx=tx)).get(caller.id)
    if found is None or not found.active:
        raise Forbidden("This person has left.", type_="inactive")
    return found


async def share_post(context: Context, tx: Transaction, caller: Principal, order: ShareOrder) -> Post:
    """Share an item; two taps at once give one post, other words are another share. Raises Refused `guardrail-blocked`
    with the findings, and what `check_draft` raises."""
    tap = order.tap(caller.id)
    again = await context.store.posts.just_shared(tap, tx)
    if again is not None:
        return again
    verdict, content, program_name, guardrails = await check_draft(context, caller, order, tx)
    tx.on_outcome(partial(_record_decision, context, verdict))
    if verdict.blocked:
        raise _blocked(verdict)
    code = short_code()
    post = Post(
        id=new_id(),
        version=1,
        ambassador_id=caller.id,
        program_id=content.program_id,
        content_id=content.id,
        network=order.network,
        language=order.language,
        title=content.title_in(order.language),
        caption_id=order.caption_id,
        caption=compose(order.caption, guardrails.disclosure(caller.country, order.language), context.short_url(code)),
        edited=is_edited(order, content),
        link_code=code,
        target=target_url(
            content.url_in(order.language),
            network=order.network,
            campaign=campaign_of(program_name, content.program_id),
            code=code,
        ),
        shared_at=tx.now,
    )
    await context.store.posts.add(post, tx)
    await context.store.posts.note_tap(tap, post, tx)
    tx.emit(event_mapping.post_shared(post))
    return post


def _record_decision(context: Context, verdict: Verdict) -> None:
    context.decisions.add(1, {"verdict": "blocked" if verdict.blocked else "ok"})


def _blocked(verdict: Verdict) -> Refused:
    return Refused(
        "The guardrails do not let this caption through.",
        type_="guardrail-blocked",
        errors=[
            Violation(one.field, one.rule, one.detail, params=one.params)
            for one in verdict.findings
            if one.severity == "block"
        ],
        findings=[
            {
                "rule": one.rule,
                "severity": one.severity,
                "field": one.field,
                "excerpt": one.excerpt,
                "start": one.start,
                "end": one.end,
                "detail": one.detail,
                "suggestion": one.suggestion,
                "params": one.params,
                "language": one.language,
            }
            for one in verdict.findings
        ],
        length=verdict.length,
        max_length=verdict.max_length,
    )


async def remove_post(
    context: Context, tx: Transaction, caller: Principal, id: str, *, held: timedelta = timedelta(0)
) -> Post:
    """Take a share back: "I did not post it". The link goes on leading where it leads. While it is `held`, it can be
    restored and no event tells of it. Raises NotFound."""
    post = await _own_post(context, tx, caller, id)
    removed = remove(post, "ambassador", tx.now, held=held)
    if removed is not post:
        await context.store.posts.replace(removed, tx)
        if removed.restorable_until is None:
            tx.emit(event_mapping.post_removed(removed, tx.now))
    return removed


async def restore_post(context: Context, tx: Transaction, caller: Principal, id: str) -> Post:
    """Undo a removal that is held. Raises NotFound, Conflict `removal-final`, Forbidden: `not-a-member` for whoever is
    an ambassador no more, `inactive`."""
    post = await _own_post(context, tx, caller, id)
    restored = restore(post, tx.now)
    if restored is not post:
        if post.program_id not in (await _present(context, caller, tx)).memberships:
            raise not_a_member(post.program_id)
        await context.store.posts.replace(restored, tx)
    return restored


async def finish_post_removal(context: Context, tx: Transaction, id: str) -> None:
    """Tell others of a removal that can be undone no more."""
    post = await context.store.posts.get(id, tx=tx)
    finished = finish_removal(post, tx.now)
    if finished is not post:
        await context.store.posts.replace(finished, tx)
        tx.emit(event_mapping.post_removed(finished, finished.removed_at or tx.now))


async def _own_post(context: Context, tx: Transaction, caller: Principal, id: str) -> Post:
    post = await context.store.posts.get(id, tx=tx)
    if post.ambassador_id != caller.id:
        raise NotFound("post", id)
    return post


async def set_guardrails(
    context: Context,
    tx: Transaction,
    program_id: str,
    *,
    disclosures: Mapping[str, Mapping[str, str]],
    forbidden: Sequence[ForbiddenPhrase],
    version: Expected | None,
) -> Guardrails:
    """Change a programme's rules. Raises NotFound, StaleVersion, PreconditionRequired, Invalid."""
    await context.store.projections.program(program_id, tx)
    present = await context.store.guardrails.get(program_id, tx)
    check_version(version, present.version)
    changed = change_guardrails(present, disclosures, forbidden)
    await context.store.guardrails.put(changed, present, tx)
    audit.record(tx, "set_guardrails", GUARDRAILS, program_id, before=present, after=changed, program_id=program_id)
    return changed


async def restore_guardrails(
    context: Context, tx: Transaction, program_id: str, version: Expected | None
) -> Guardrails:
    """Put back the rules that held before the present ones, as a new version: doing it twice puts the present ones
    back. Raises NotFound, StaleVersion, PreconditionRequired, Conflict `nothing-before`."""
    await context.store.projections.program(program_id, tx)
    present = await context.store.guardrails.get(program_id, tx)
    check_version(version, present.version)
    before = await context.store.guardrails.before(program_id, tx)
    if before is None or before.version != present.version - 1:  # older code keeps none
        raise Conflict("There is no version before this one.", type_="nothing-before")
    after = replace(before, version=present.version + 1)
    await context.store.guardrails.put(after, present, tx)
    audit.record(tx, "restore_guardrails", GUARDRAILS, program_id, before=present, after=after, program_id=program_id)
    return after


# --- what shares bring -------------------------------------------------------------------------------------------


async def record_clicks(context: Context, tx: Transaction, clicks: Sequence[Received[LinkClicked]]) -> None:
    """Judge clicks, count them on their posts and emit each verdict. Raises InvalidEvent for a link that never was."""
    posts = await context.store.posts.behind((click.data.link_code for click in clicks), tx)
    unknown = next((click for click in clicks if click.data.link_code not in posts), None)
    if unknown is not None:
        raise InvalidEvent("link-unknown", unknown.data.link_code)
    judged = [_as_judged(click.data, posts[click.data.link_code]) for click in clicks]
    history = await context.store.visits.history(judged, tx)
    verdicts, new = await asyncio.to_thread(judge, judged, history)  # of one visitor, each is compared with each
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    async for click, verdict in yielding(zip(clicks, verdicts, strict=True)):
        post = posts[click.data.link_code]
        counts[post.id][f"clicks.{verdict}"] += 1
        event = event_mapping.engagement_recorded(
            post, kind="click", quantity=1, verdict=verdict, measure="measured", occurred_at=click.data.occurred_at
        )
        # Named by the click: read again after a restore, it is the same event.
        tx.emit(event, cause=click, id=dated_id(click.time, "EngagementRecorded", click.id))
    await context.store.visits.add(new, tx)
    await context.store.posts.count(counts, tx)


def _as_judged(click: LinkClicked, post: PostReference) -> Click:
    return Click(
        code=click.link_code,
        author=post.ambassador_id,
        at=click.occurred_at,
        agent=click.agent,
        visitors=tuple(visitor for visitor in (click.visitor, click.visitor_yesterday) if visitor),
        mailed_at=post.shared_at if post.network == "email" else None,
    )


async def record_reports(
    context: Context, tx: Transaction, client_id: str, reports: Sequence[Report]
) -> tuple[int, int]:
    """Take what another system counted: how many reports were new, and how many had come before.

    All or nothing: raises Invalid naming each report that breaks a rule.
    """
    keys = [f"{client_id}|{one.external_id}" for one in reports]
    posts = await context.store.posts.by_ids((one.post_id for one in reports), tx)
    before = await context.store.posts.reported(keys, tx)
    wrong: list[Violation] = []
    fresh: dict[str, str] = {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for index, (key, report) in enumerate(zip(keys, reports, strict=True)):
        fingerprint = _fingerprint(report)
        known = before.get(key) or fresh.get(key)
        if known is not None:
            if known != fingerprint:
                detail = "This external_id named another report."
                wrong.append(Violation(f"items.{index}.external_id", "reused", detail))
            continue
        wrong += _wrong(index, report, posts, tx.now)
        fresh[key] = fingerprint
        counts[report.post_id][f"engagements.{report.kind}"] += report.quantity
        if not wrong:
            tx.emit(
                event_mapping.engagement_recorded(
                    posts[report.post_id],
                    kind=report.kind,
                    quantity=report.quantity,
                    verdict="counted",
                    measure=report.measure,
                    occurred_at=report.occurred_at,
                ),
                id=dated_id(report.occurred_at, "EngagementRecorded", key, fingerprint),
            )
    if wrong:
        raise Invalid("See `errors` for each report and the rule it breaks; nothing was taken.", errors=wrong[:100])
    await context.store.posts.note_reports(fresh, tx)
    await context.store.posts.count(counts, tx)
    return len(fresh), len(reports) - len(fresh)


def _wrong(index: int, report: Report, posts: Mapping[str, Post], now: datetime) -> list[Violation]:
    wrong = []
    if report.post_id not in posts:
        wrong.append(Violation(f"items.{index}.post_id", "unknown", "There is no such post."))
    if report.occurred_at > now + CLOCKS_DIFFER:
        wrong.append(Violation(f"items.{index}.occurred_at", "future", "This has not happened yet."))
    elif report.occurred_at < now - REPORTED_WITHIN:
        detail = f"This is more than {REPORTED_WITHIN.days} days ago."
        wrong.append(Violation(f"items.{index}.occurred_at", "too-old", detail, params={"days": REPORTED_WITHIN.days}))
    elif report.post_id in posts and report.occurred_at < posts[report.post_id].shared_at - COUNTED_BY_DAY:
        wrong.append(Violation(f"items.{index}.occurred_at", "before-post", "The post was not there yet."))
    return wrong


def _fingerprint(report: Report) -> str:
    said = f"{report.post_id}|{report.kind}|{report.quantity}|{report.measure}|{report.occurred_at.isoformat()}"
    return hashlib.sha256(said.encode()).hexdigest()
