"""Twelve weeks of history of the made-up company: a pilot, a roll-out, a campaign, holidays, people who left.

Generated from the seed and written as files for `herald history import`. Its totals are computed here independently,
and the figures are compared with them.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from herald.demo.company import Person

WEEKS = 12
SOURCE = "former-product"
PILOT_WEEKS = 4
CAMPAIGN = range(7 * 5, 7 * 5 + 10)
"""Days of the programme in which everybody is asked to help with hiring."""
STILL_SHAREABLE_DAYS = 9
HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)})
NETWORKS = (("linkedin", 62), ("x", 12), ("facebook", 12), ("whatsapp", 9), ("email", 5))
ACTIVE = 0.72
REGULARS = 3
"""The first ambassadors, named on the sign-in page, share about every other day."""
REACH = {"linkedin": 1.0, "facebook": 0.7, "x": 0.5, "whatsapp": 0.35, "email": 0.25}
COUNTS = ("clicks", "likes", "comments", "reposts", "impressions")
WEEKDAYS = (1.0, 1.15, 1.1, 1.0, 0.75, 0.12, 0.08)

TITLES = (
    ("en", "company_news", "We now run on wind: the Esbjerg contract, explained"),
    ("fr", "behind_the_scenes", "Dans l’atelier de Nantes, où une pale de 80 mètres se répare à la main"),
    ("en", "thought_leadership", "Why the grid of 2035 will be boring, and why that is good news"),
    ("fr", "jobs", "Douze alternances en ingénierie : les candidatures sont ouvertes"),
    ("en", "sector_news", "Offshore auctions: what the new rules change for suppliers"),
    ("fr", "company_news", "Premier bilan carbone publié, ce qui va bien et ce qui reste à faire"),
    ("en", "behind_the_scenes", "Six months as an apprentice: what Freya learned on the North Sea"),
    ("en", "local_news", "Our Leeds site opens its doors on the 14th"),
    ("fr", "thought_leadership", "Stocker l’électricité : trois idées reçues"),
    ("en", "jobs", "We are hiring thirty field engineers in Hamburg"),
    ("fr", "local_news", "Le club de course de Lyon boucle son premier semi-marathon"),
    ("en", "company_news", "Two million hours without a serious accident"),
    ("en", "behind_the_scenes", "How customer care answers at 3 a.m."),
    ("fr", "sector_news", "Réseaux : ce que dit le rapport de l’Agence internationale de l’énergie"),
    ("en", "thought_leadership", "Predictive maintenance without the magic"),
    ("en", "jobs", "Return to work after a break: our programme takes its third group"),
    ("fr", "behind_the_scenes", "Une journée avec l’équipe paie, la semaine la plus longue de l’année"),
    ("en", "company_news", "We are joining the science-based targets initiative"),
    ("fr", "company_news", "Un nouveau centre de formation à Valence"),
    ("en", "sector_news", "Heat pumps in numbers: Europe, quarter three"),
    ("en", "local_news", "Montréal: a winter of volunteering"),
    ("fr", "thought_leadership", "Ce que nos consultants ont appris de 200 audits énergétiques"),
    ("en", "behind_the_scenes", "The spreadsheet that became a product"),
    ("en", "company_news", "Our results, in one page and without jargon"),
)


@dataclass(frozen=True, slots=True)
class OldItem:
    """An item of the past."""

    id: str
    url: str
    title: str
    language: str
    category: str
    published: datetime
    shareable: bool


@dataclass(frozen=True, slots=True)
class OldPost:
    """A past post, with its counts by date."""

    id: str
    person: str
    item: str
    network: str
    at: datetime
    counts: dict[str, int]
    later: tuple[tuple[datetime, dict[str, int]], ...]


@dataclass
class History:
    """Everything that happened; people are named by e-mail address."""

    zone: ZoneInfo
    first_day: date
    members: dict[str, tuple[date, date]] = field(default_factory=dict)
    items: list[OldItem] = field(default_factory=list)
    posts: list[OldPost] = field(default_factory=list)

    # --- as files ------------------------------------------------------------------------------------------------

    def files(self) -> dict[str, bytes]:
        """Name to content: three CSV files, and one of JSON lines for what was counted later."""
        members = [[who, joined, left] for who, (joined, left) in self.members.items()]
        items = [
            [one.id, one.url, one.title, one.language, one.category, one.published.isoformat(), _yes(one.shareable)]
            for one in self.items
        ]
        posts = [
            [one.id, one.person, one.item, one.network, one.at.isoformat(), *(one.counts[name] for name in COUNTS)]
            for one in self.posts
        ]
        return {
            "memberships.csv": _csv(("person", "joined_at", "left_at"), members),
            "items.csv": _csv(
                ("id", "url", "title", "language", "category", "published_at", "shareable"),
                items,
            ),
            "posts.csv": _csv(("id", "person", "item", "network", "posted_at", *COUNTS), posts),
            "engagement.jsonl": "".join(
                json.dumps({"post": post.id, "counted_at": at.isoformat(), **counts}) + "\n"
                for post in self.posts
                for at, counts in post.later
            ).encode(),
        }

    # --- as its own book -----------------------------------------------------------------------------------------

    def counted(self) -> list[tuple[str, date, dict[str, int]]]:
        """Engagement by person, kind and day."""
        found = []
        for post in self.posts:
            for at, counts in ((post.at, post.counts), *post.later):
                found.append((post.person, at.astimezone(self.zone).date(), counts))
        return found

    def total(self, *names: str) -> int:
        return sum(counts.get(name, 0) for _, _, counts in self.counted() for name in names)

    def shares_by_day(self) -> Counter[str]:
        return Counter(post.at.astimezone(self.zone).date().isoformat() for post in self.posts)

    def active(self) -> set[str]:
        return {post.person for post in self.posts}

    def acts(self) -> dict[tuple[str, date], Counter[str]]:
        """By person and day: how many shares, clicks, likes, comments and reposts."""
        found: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
        for post in self.posts:
            found[post.person, post.at.astimezone(self.zone).date()]["shares"] += 1
        for person, day, counts in self.counted():
            found[person, day].update({name: counts.get(name, 0) for name in COUNTS[:4]})
        return found


def make_history(people: Sequence[Person], seed: int, today: date, zone: ZoneInfo) -> History:
    """Twelve weeks that end yesterday, of these people; the same seed makes the same weeks."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    history = History(zone, today - timedelta(weeks=WEEKS))
    _enrol(history, chance, people, today)
    _publish(history, chance, today)
    _share(history, chance, today)
    return history


def _enrol(history: History, chance: random.Random, people: Sequence[Person], today: date) -> None:
    """One in six takes part in the pilot, the others join in the weeks of the roll-out; one in fourteen leaves. All
    memberships with the former product ended yesterday."""
    last_day = today - timedelta(days=1)
    for number, person in enumerate(people):
        if number % 6 == 0:
            joined = history.first_day + timedelta(days=chance.randint(0, 4))
        else:
            days = min(int(chance.expovariate(1 / 9)), 7 * 6)
            joined = history.first_day + timedelta(days=7 * PILOT_WEEKS + days)
        stays = timedelta(days=chance.randint(8, 45))
        left = joined + stays if number % 14 == 5 else last_day
        history.members[person.email] = (joined, min(left, last_day))


def _publish(history: History, chance: random.Random, today: date) -> None:
    days = [history.first_day + timedelta(days=n) for n in range((today - history.first_day).days)]
    working = [day for day in days if day.weekday() < 5 and not _holiday(day)]
    step = len(working) / len(TITLES)
    for number, (language, category, title) in enumerate(TITLES):
        day = working[int(number * step)]
        at = datetime.combine(day, time(chance.randint(8, 10), chance.choice((0, 15, 30))), history.zone)
        url = f"https://www.northwind-demo.example/{language}/news/{_slug(title)}"
        shareable = (today - day).days <= STILL_SHAREABLE_DAYS
        history.items.append(OldItem(f"I-{number + 1:03}", url, title, language, category, at, shareable))


def _share(history: History, chance: random.Random, today: date) -> None:
    habits = {
        person: min(0.8, chance.lognormvariate(-1.6, 0.7)) if chance.random() < ACTIVE else 0.002
        for person in history.members
    }
    habits |= dict.fromkeys(list(history.members)[:REGULARS], 0.45)
    circles = {person: chance.lognormvariate(0.0, 0.7) for person in history.members}
    for offset in range((today - history.first_day).days):
        day = history.first_day + timedelta(days=offset)
        mood = WEEKDAYS[day.weekday()] * (0.15 if _holiday(day) else 1.0) * (1.9 if offset in CAMPAIGN else 1.0)
        fresh = [item for item in history.items if timedelta() <= day - item.published.date() <= timedelta(days=16)]
        for person, (joined, left) in history.members.items():
            novelty = 1.6 if (day - joined).days < 10 else 1.0
            if not fresh or not joined <= day <= left or chance.random() > habits[person] * mood * novelty:
                continue
            item = chance.choices(fresh, [1 / (2 + (day - one.published.date()).days) for one in fresh])[0]
            at = datetime.combine(
                day, time(chance.choice((8, 9, 11, 12, 13, 17, 18, 20)), chance.randint(0, 59)), history.zone
            )
            history.posts.append(_post(history, chance, person, circles[person], item, max(at, item.published), today))


def _post(
    history: History, chance: random.Random, person: str, circle: float, item: OldItem, at: datetime, today: date
) -> OldPost:
    network = chance.choices([name for name, _ in NETWORKS], [weight for _, weight in NETWORKS])[0]
    reach = circle * REACH[network] * chance.lognormvariate(0.0, 0.6)
    counts = _counts(chance, reach, network)
    later = []
    if chance.random() < 0.45:
        moment = at + timedelta(days=chance.randint(1, 4))
        if moment.date() < today:
            later.append(
                (moment, {name: number for name, number in _counts(chance, reach / 4, network).items() if number})
            )
    return OldPost(
        f"P-{len(history.posts) + 1:05}", person, item.url, network, at, counts, tuple(one for one in later if one[1])
    )


def _counts(chance: random.Random, reach: float, network: str) -> dict[str, int]:
    social = network in ("linkedin", "x", "facebook")
    return {
        "clicks": int(reach * chance.uniform(1.0, 9.0)),
        "likes": int(reach * chance.uniform(0, 12.0)) if social else 0,
        "comments": int(reach * chance.uniform(0, 1.9)) if social else 0,
        "reposts": int(reach * chance.uniform(0, 1.4)) if social else 0,
        "impressions": int(reach * chance.uniform(120, 420)) if network == "linkedin" else 0,
    }


def _holiday(day: date) -> bool:
    return (day.month, day.day) in HOLIDAYS


def _csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue().encode()


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _slug(title: str) -> str:
    from services.sharing.redirect.utm import slug

    return slug(title)[:60]
