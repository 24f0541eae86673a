"""The figures of what a programme does beside sharing: its set-up, pilot, lesson, survey, newsletter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from herald.demo.api import Api
from herald.demo.figure import Figure
from herald.demo.mails import Received, newsletters, once_each, said_everywhere
from herald.demo.stage import MANAGER
from herald.demo.tally import Tally
from herald.demo.topics import TopicView

NEWSLETTER_DAYS = 28
"""Of which a newsletter that is drafted by itself tells."""


@dataclass(slots=True)
class StepsRead:
    """What the APIs answer of these steps, read once; `recent` are the figures of the newsletter's days."""

    objectives: int
    objectives_shown: int
    lessons: int
    lessons_shown: int
    learned: int | None
    learned_paid: int
    wave: dict[str, Any]
    cohort: dict[str, Any]
    survey: dict[str, Any]
    newsletter: dict[str, Any]
    mails: list[Received]
    recent: dict[str, Any]
    recent_days: list[dict[str, Any]]


def first_day(tally: Tally) -> date:
    """Of what the newsletter tells."""
    assert tally.today is not None
    return tally.today - timedelta(days=NEWSLETTER_DAYS - 1)


async def read_steps(api: Api, tally: Tally, ledger: Sequence[dict[str, Any]]) -> StepsRead:
    """`ledger` has today's ambassadors' entries."""
    program = f"/program/v1/programs/{tally.program_id}"
    metrics = f"/metrics/v1/programs/{tally.program_id}"
    span = {"from": first_day(tally).isoformat()}
    learning = await api.get(next(iter(tally.joined.values())), f"{program}/learning")
    courses = [learning["others"], *(path["lessons"] for path in learning["paths"])]
    return StepsRead(
        objectives=(await api.get(MANAGER, f"{program}/objectives", state="open", limit=1))["total"],
        objectives_shown=len(await api.pages(MANAGER, f"{metrics}/objectives", limit=50)),
        lessons=(await api.get(MANAGER, f"{program}/lessons", state="published", limit=1))["total"],
        lessons_shown=len({one["lesson_id"] for course in courses for one in course}),
        learned=(await api.get(MANAGER, f"{program}/lessons/{tally.lesson_id}"))["completed"],
        learned_paid=sum(entry["rule"] == "lesson" for entry in ledger),
        wave=await api.get(MANAGER, f"{program}/waves/{tally.wave_id}"),
        cohort=await api.get(MANAGER, f"{metrics}/waves/{tally.wave_id}"),
        survey=await api.get(MANAGER, f"{program}/surveys/{tally.survey_id}/results"),
        newsletter=await api.get(MANAGER, f"{program}/newsletters/{tally.newsletter_id}"),
        mails=newsletters(api.home.mails, tally.program_id, tally.newsletter_id),
        recent=(await api.get(MANAGER, f"{metrics}/figures", **span))["figures"],
        recent_days=(await api.get(MANAGER, f"{metrics}/series", by="day", **span))["items"],
    )


def figures_of_steps(tally: Tally, topics: TopicView, found: StepsRead, posts: dict[str, list[Any]]) -> list[Figure]:
    """`posts` are today's by ambassador."""
    cohort, wave = found.cohort, found.wave["wave"]
    active = {post.ambassador_id for post in topics.kept}
    sharing = {person for person, mine in posts.items() if mine}
    survey = topics.surveys[0] if topics.surveys else None
    answers, enps = (survey.answers or 0, survey.enps or 0.0) if survey else (0, 0.0)
    return [
        Figure("objectives", tally.objectives, len(topics.objectives), found.objectives, found.objectives_shown),
        Figure("lessons", tally.lessons, len(topics.lessons), found.lessons, found.lessons_shown),
        Figure("lesson completed", len(tally.learned), len(topics.learned), found.learned or 0, found.learned_paid),
        Figure("pilot: cohort", len(tally.cohort), len(topics.cohort), found.wave["members"], cohort["members"] or 0),
        Figure(
            "pilot: who shared",
            len(tally.cohort & tally.active),
            len(topics.cohort & active),
            len(tally.cohort & sharing),
            cohort["shared"] or 0,
        ),
        Figure("pilot: go", 1, topics.decisions.count("go"), int(wave["decision"] == "go"), int(tally.decision_shown)),
        Figure(
            "survey: answers",
            tally.recommendations.total(),
            answers,
            found.survey["answers"] or 0,
            cohort["enps"]["denominator"] or 0,
        ),
        Figure(
            "survey: eNPS",
            tally.enps,
            round(enps, 1),
            round(found.survey["enps"] or 0.0, 1),
            round(cohort["enps"]["value"] or 0.0, 1),
        ),
        *_newsletter(tally, topics, found),
    ]


def _newsletter(tally: Tally, topics: TopicView, found: StepsRead) -> list[Figure]:
    """Its mails, and what they say beside what was done in its days; a mail too many is a difference too."""
    once = once_each(found.mails) & tally.readers
    sent = sum(one.sent for one in topics.newsletters)
    right = len(once) if len(found.mails) == len(once) else len(found.mails)
    figures = [Figure("newsletter: mails", len(tally.readers), sent, found.newsletter["counts"].get("sent", 0), right)]
    for name, figure, count in (
        ("shares", "shares", _shares),
        ("clicks", "clicks_counted", _clicks),
        ("active ambassadors", "active_ambassadors", _active),
    ):
        said = said_everywhere(found.mails, figure, found.recent[figure]["value"])
        figures.append(Figure(f"newsletter: {name}", *count(tally, topics, found), said))
    return figures


def _shares(tally: Tally, topics: TopicView, found: StepsRead) -> tuple[int, int, int]:
    assert tally.history is not None
    since, zone = first_day(tally), tally.history.zone
    before = sum(number for day, number in tally.history.shares_by_day().items() if day >= since.isoformat())
    told = sum(post.occurred_at.astimezone(zone).date() >= since for post in topics.past_posts.values())
    return before + len(tally.kept), told + len(topics.kept), sum(day["shares"] for day in found.recent_days)


def _clicks(tally: Tally, topics: TopicView, found: StepsRead) -> tuple[int, int, int]:
    assert tally.history is not None
    since, zone = first_day(tally), tally.history.zone
    before = sum(counts.get("clicks", 0) for _, day, counts in tally.history.counted() if day >= since)
    told = sum(number for at, number in topics.past_clicks if at.astimezone(zone).date() >= since)
    stored = sum(day["clicks_counted"] for day in found.recent_days)
    return before + tally.clicks["counted"], told + topics.clicks["counted"], stored


def _active(tally: Tally, topics: TopicView, found: StepsRead) -> tuple[int, int, int]:
    assert tally.history is not None
    since, zone = first_day(tally), tally.history.zone
    emails = {tally.joined[id] for id in tally.active}
    emails |= {post.person for post in tally.history.posts if post.at.astimezone(zone).date() >= since}
    told = {post.ambassador_id for post in topics.kept}
    told |= {
        post.ambassador_id for post in topics.past_posts.values() if post.occurred_at.astimezone(zone).date() >= since
    }
    return len(emails), len(told), found.recent["active_ambassadors"]["value"]
