"""The final comparison: what was done, what is on the topics, what each service stores, what is shown."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from herald.demo.acts_figures import ActsRead, acts_settled, figures_of_acts, read_acts
from herald.demo.api import Api
from herald.demo.figure import Figure
from herald.demo.history import History
from herald.demo.program_figures import StepsRead, figures_of_steps, read_steps
from herald.demo.stage import EDITOR, MANAGER
from herald.demo.tally import Tally
from herald.demo.topics import TopicView

SETTLE_SECONDS = 90.0
CENTS = 2


@dataclass(slots=True)
class ReadBack:
    """What the APIs answer, read once."""

    figures: dict[str, Any]
    """Of today; `whole` is from the first of the twelve weeks on, `before` until yesterday."""
    whole: dict[str, Any]
    before: dict[str, Any]
    days_before: list[dict[str, Any]]
    networks_before: dict[str, dict[str, Any]]
    by_network: dict[str, dict[str, Any]]
    by_day: list[dict[str, Any]]
    ambassadors: dict[str, int]
    people_of_program: list[Any]
    people: int
    items: dict[str, int]
    imported_items: int
    feed: int
    posts: dict[str, list[Any]]
    points: dict[str, int]
    ledger: dict[str, int]
    board: dict[str, int]
    rates: dict[str, dict[str, float]]
    objective: dict[str, Any]
    steps: StepsRead
    acts: ActsRead


async def settled(api: Api, tally: Tally) -> None:
    """Returns once dashboard and ledger show all that was done, or after 90 s."""
    deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
    wanted = (sum(tally.clicks.values()), len(tally.kept), len(tally.joined))
    history, earned = history_of(tally), tally.points().total()
    past = (len(history.posts), history.total("clicks", "likes", "comments", "reposts"), len(history.members))
    while asyncio.get_running_loop().time() < deadline:
        figures = await _figures(api, tally, day_of(tally))
        names = ("clicks_raw", "shares", "ambassadors_enrolled")
        if tuple(figures[name]["value"] for name in names) == wanted:
            before = await _figures(api, tally, history.first_day, day_of(tally) - timedelta(days=1))
            names = ("shares", "engagements", "ambassadors_enrolled")
            there = tuple(before[name]["value"] for name in names) == past and await _steps_settled(api, tally)
            there = there and acts_settled(tally, figures)
            if there and Counter(await _board(api, tally)).total() == earned:
                return
        await asyncio.sleep(0.3)


async def _steps_settled(api: Api, tally: Tally) -> bool:
    """Whether metrics knows the cohort, who of it shared, and the survey."""
    wave = await api.get(MANAGER, f"/metrics/v1/programs/{tally.program_id}/waves/{tally.wave_id}")
    cohort = (wave["members"], wave["shared"]) == (len(tally.cohort), len(tally.cohort & tally.active))
    return bool(cohort and wave["enps"]["denominator"] == tally.recommendations.total())


async def read_back(api: Api, tally: Tally) -> ReadBack:
    """Everything that the comparison needs, from the APIs; personal data with the ambassadors' own tokens."""
    today, history = day_of(tally), history_of(tally)
    past = {"from": history.first_day.isoformat(), "to": (today - timedelta(days=1)).isoformat()}
    program = f"/program/v1/programs/{tally.program_id}"
    metrics = f"/metrics/v1/programs/{tally.program_id}"
    posts: dict[str, list[Any]] = {}
    own_points: dict[str, int] = {}
    ledger: dict[str, int] = {}
    entries: list[dict[str, Any]] = []

    async def of_ambassador(person_id: str, email: str) -> None:
        mine = await api.pages(email, "/sharing/v1/posts", limit=100)
        posts[person_id] = [post for post in mine if post["program_id"] == tally.program_id and not post["imported"]]
        answer = await api.get(email, "/gamification/v1/me/points", program_id=tally.program_id)
        own_points[person_id] = answer["total"]
        own = await api.pages(email, "/gamification/v1/me/ledger", program_id=tally.program_id, limit=100)
        ledger[person_id] = sum(entry["points"] for entry in own)
        entries.extend(own)

    async with asyncio.TaskGroup() as group:
        for person_id, email in tally.joined.items():
            group.create_task(of_ambassador(person_id, email))
    items = await api.pages(EDITOR, "/content/v1/items", program_id=tally.program_id, limit=100)
    ambassadors = await api.get(MANAGER, f"{program}/ambassadors", limit=1)
    by_network = await api.get(MANAGER, f"{metrics}/series", by="network", **{"from": today.isoformat()})
    networks_before = await api.get(MANAGER, f"{metrics}/series", by="network", **past)
    feed = await api.pages(next(iter(tally.joined.values())), "/content/v1/feed", limit=100)
    rates = (await api.get(MANAGER, f"{metrics}/rates"))["items"][0]["rates"]
    return ReadBack(
        figures=await _figures(api, tally, today),
        whole=await _figures(api, tally, history.first_day),
        before=await _figures(api, tally, history.first_day, today - timedelta(days=1)),
        days_before=(await api.get(MANAGER, f"{metrics}/series", by="day", **past))["items"],
        networks_before={entry["key"]: entry for entry in networks_before["items"]},
        by_network={entry["key"]: entry for entry in by_network["items"]},
        by_day=(await api.get(MANAGER, f"{metrics}/series", by="day", **{"from": today.isoformat()}))["items"],
        ambassadors=ambassadors["counts"],
        people_of_program=await api.pages(
            MANAGER, "/program/v1/people", program_id=tally.program_id, status="joined", limit=100
        ),
        people=len(await api.pages(MANAGER, "/program/v1/people", limit=100)),
        items=dict(Counter(item["state"] for item in items if item["origin"] != "imported")),
        imported_items=sum(item["origin"] == "imported" for item in items),
        feed=sum(item["program_id"] == tally.program_id for item in feed),
        posts=posts,
        points=own_points,
        ledger=ledger,
        board=await _board(api, tally),
        rates=rates,
        objective=await api.get(MANAGER, f"{metrics}/objectives/{tally.objective_id}"),
        steps=await read_steps(api, tally, entries),
        acts=await read_acts(api, tally),
    )


async def _figures(api: Api, tally: Tally, first: date, last: date | None = None) -> dict[str, Any]:
    span = {"from": first.isoformat(), "to": last.isoformat() if last else None}
    answer = await api.get(MANAGER, f"/metrics/v1/programs/{tally.program_id}/figures", **span)
    found: dict[str, Any] = answer["figures"]
    return found


def history_of(tally: Tally) -> History:
    assert tally.history is not None
    return tally.history


def day_of(tally: Tally) -> date:
    assert tally.today is not None
    return tally.today


async def _board(api: Api, tally: Tally) -> dict[str, int]:
    path = f"/gamification/v1/programs/{tally.program_id}/leaderboard"
    entries = await api.pages(MANAGER, path, period="all", scope="individual", limit=100)
    return {entry["person_id"]: entry["points"] for entry in entries}


def compare(tally: Tally, topics: TopicView, found: ReadBack) -> list[Figure]:
    """The figures, each from its four sources."""
    shown = {name: one["value"] for name, one in found.figures.items()}
    verdicts: Mapping[str, int] = found.figures["clicks_raw"]["by_verdict"]
    posts = [post for mine in found.posts.values() for post in mine]
    sharers = {person for person, mine in found.posts.items() if mine}
    active = {post.ambassador_id for post in topics.kept}
    enrolled = shown["ambassadors_enrolled"]
    items = sum(found.items.values())
    invited = sum(found.ambassadors.values())
    members = len(found.people_of_program)
    return [
        Figure("people", tally.people, len(topics.people), found.people, found.people),
        Figure("invited", len(tally.invited), len(topics.invited), invited, invited),
        Figure("joined", len(tally.joined), len(topics.joined), found.ambassadors["joined"], enrolled),
        Figure("guidelines acknowledged", len(tally.acknowledged), len(topics.acknowledged), members, enrolled),
        Figure("items submitted", len(tally.submitted), len(topics.submitted), items, items),
        Figure("items published", *_published(tally, topics, found)),
        Figure("shares", len(tally.kept), len(topics.kept), len(posts), shown["shares"]),
        Figure("shares, day by day", len(tally.kept), len(topics.kept), len(posts), _sum(found.by_day, "shares")),
        Figure("objective", *_objective(tally, topics, found, len(posts))),
        Figure("active ambassadors", len(tally.active), len(active), len(sharers), shown["active_ambassadors"]),
        Figure(
            "participation rate",
            _rate(len(tally.active), len(tally.joined)),
            _rate(len(active), len(topics.joined)),
            _rate(len(sharers), found.ambassadors["joined"]),
            shown["participation_rate"],
        ),
        *_clicks(tally, topics, found, verdicts),
        *_networks(tally, topics, found, posts),
        *_points(tally, topics, found),
        *_value(tally, topics, found, shown["earned_media_value"]),
        *figures_of_steps(tally, topics, found.steps, found.posts),
        *figures_of_acts(tally, topics, found.acts, found.figures),
        *_history(tally, topics, found),
    ]


def _clicks(tally: Tally, topics: TopicView, found: ReadBack, verdicts: Mapping[str, int]) -> list[Figure]:
    """Raw clicks against the raw topic; verdicts against the posts' own counters. Posts taken back are in both."""
    raw, judged = sum(tally.clicks.values()), sum(topics.clicks.values())
    figures = [Figure("clicks", raw, topics.raw_clicks_of_program, judged, sum(verdicts.values()))]
    days = _sum(found.by_day, "clicks_counted")
    for verdict in ("counted", "bot", "prefetch", "repeat", "self", "scanner"):
        store = days if verdict == "counted" else topics.clicks[verdict]
        name = f"clicks: {verdict}"
        figures.append(Figure(name, tally.clicks[verdict], topics.clicks[verdict], store, verdicts.get(verdict, 0)))
    kept = {share.id for share in tally.kept}
    on_posts = sum(post["clicks"]["raw"] for mine in found.posts.values() for post in mine)
    seen = sum(number for code, number in topics.raw_clicks.items() if code in topics.kept_codes)
    done = sum(number for post, number in tally.raw_by_post.items() if post in kept)
    return [*figures, Figure("clicks on posts that stand", done, seen, on_posts, on_posts)]


def _networks(tally: Tally, topics: TopicView, found: ReadBack, posts: list[Any]) -> list[Figure]:
    on_topics = Counter[str](post.network for post in topics.kept)
    stored = Counter(post["network"] for post in posts)
    return [
        Figure(f"shares: {name}", number, on_topics[name], stored[name], found.by_network[name]["shares"])
        for name, number in sorted(tally.by_network().items())
    ]


def _points(tally: Tally, topics: TopicView, found: ReadBack) -> list[Figure]:
    """The ledger's entries, the topic's and the board's; each ambassador's own total must be the same too."""
    earned = +tally.points()
    told = Counter({person: number for person, number in topics.points.items() if person in tally.joined})
    ledger, board = Counter(found.ledger), Counter(found.board)
    same = sum(found.points[person] == earned[person] for person in found.points)
    members = len(found.points)
    return [
        Figure("points", earned.total(), told.total(), ledger.total(), board.total()),
        Figure("ambassadors with points", len(earned), len(+told), len(+ledger), len(+board)),
        Figure("most points", *(max(side.values(), default=0) for side in (earned, told, ledger, board))),
        Figure("ambassadors whose total is right", len(tally.joined), len(topics.joined), members, same),
    ]


def _published(tally: Tally, topics: TopicView, found: ReadBack) -> tuple[int, int, int, int]:
    """Today's items, and those of history that may still be shared."""
    old = sum(item.shareable for item in history_of(tally).items)
    standing = len(topics.published - topics.retired)
    return len(tally.published) + old, standing, found.items["published"] + old, found.feed


def _objective(tally: Tally, topics: TopicView, found: ReadBack, posts: int) -> tuple[int, int, int, float]:
    """Shares since the programme began: history's and today's."""
    before = _sum(found.days_before, "shares")
    done = len(tally.kept) + len(history_of(tally).posts)
    return done, len(topics.kept) + len(topics.past_posts), posts + before, found.objective["value"]


def _history(tally: Tally, topics: TopicView, found: ReadBack) -> list[Figure]:
    """What was imported: in the files, on the topics, day by day, and on the dashboard."""
    history, before, whole = history_of(tally), found.before, found.whole
    days = history.shares_by_day()
    told_days = Counter(
        post.occurred_at.astimezone(history.zone).date().isoformat() for post in topics.past_posts.values()
    )
    shown_days = {entry["key"]: entry["shares"] for entry in found.days_before if entry["shares"]}
    right = sum(days[day] == number for day, number in shown_days.items())
    kinds = ("click", "like", "comment", "repost")
    names = ("clicks", "likes", "comments", "reposts")
    active = {post.ambassador_id for post in topics.past_posts.values()}
    people = before["participation_rate"]
    return [
        Figure(
            "history: memberships",
            len(history.members),
            len(topics.past_members),
            tally.imported["membership"],
            before["ambassadors_enrolled"]["value"],
        ),
        Figure(
            "history: items",
            len(history.items),
            len(topics.past_items),
            found.imported_items,
            before["shared_content_rate"]["denominator"],
        ),
        Figure(
            "history: shares",
            len(history.posts),
            len(topics.past_posts),
            _sum(found.days_before, "shares"),
            whole["shares"]["imported"],
        ),
        Figure("history: days that agree", len(days), len(told_days), len(shown_days), right),
        Figure(
            "history: clicks",
            history.total("clicks"),
            topics.brought_before("click"),
            _sum(list(found.networks_before.values()), "clicks_counted"),
            whole["clicks_counted"]["imported"],
        ),
        Figure(
            "history: engagements",
            history.total(*names),
            topics.brought_before(*kinds),
            _sum(found.days_before, "engagements"),
            whole["engagements"]["imported"],
        ),
        Figure(
            "history: impressions",
            history.total("impressions"),
            topics.brought_before("impression"),
            before["impressions"]["value"],
            whole["impressions"]["imported"],
        ),
        Figure(
            "history: active",
            len(history.active()),
            len(active),
            people["numerator"],
            before["active_ambassadors"]["value"],
        ),
        Figure(
            "history: participation",
            _rate(len(history.active()), len(history.members)),
            _rate(len(active), len(topics.past_members)),
            _rate(people["numerator"], people["denominator"]),
            people["value"],
        ),
    ]


def _value(tally: Tally, topics: TopicView, found: ReadBack, shown: float) -> list[Figure]:
    def worth(clicks: Mapping[str, int]) -> float:
        everywhere = found.rates["*"]
        rates = {name: found.rates.get(name, everywhere).get("click", everywhere["click"]) for name in clicks}
        return round(sum(number * rates[name] for name, number in clicks.items()), CENTS)

    series = round(sum(entry["earned_media_value"] for entry in found.by_network.values()), CENTS)
    sides = (worth(tally.counted_by_network()), worth(topics.counted_by_network), series, shown)
    return [Figure("earned media value", *sides)]


def _sum(entries: list[dict[str, Any]], name: str) -> int:
    return sum(entry[name] for entry in entries)


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 6)
