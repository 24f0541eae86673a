"""A newsletter drafted from what happened: each of its blocks is a row of `DRAFTERS`.

What a service does not answer, or where nothing happened, is left out. Who is thanked is who may be seen in rankings,
which is for gamification to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from markupsafe import Markup

from chassis.messages import supported
from chassis.text import shortened
from services.hub.clients import Json, ServiceUnavailable
from services.hub.content import variant_in
from services.hub.figures import number_of, text_of
from services.hub.language import Language, known_zone
from services.hub.paths import NoSuchPath, page, v1
from services.hub.view import Missing, View

DAYS: Final = 28
SHOWN: Final = 3
THANKED: Final = 5
LONG: Final = 300
"""Signs of what was said, and of what was done."""
FIGURES: Final = ("active_ambassadors", "shares", "clicks_counted")
Draft = dict[str, str]
"""A block in one language: `title`, `text` in Markdown, and perhaps `link`, `link_text`."""


@dataclass(frozen=True, slots=True)
class Material:
    """What happened, as the services tell it; Missing where one does not answer."""

    figures: Any
    objectives: Any
    best: Any
    items: Mapping[str, Json]
    fresh: Any
    board: Any
    names: Mapping[str, Json]
    lessons: Any
    trend: Any
    done: Mapping[str, Any]
    """By language, what was done about comments."""
    since: date
    until: date
    program_id: str
    public_url: str


async def draft(view: View) -> Json:
    """Subjects and blocks of a newsletter on the last four weeks, in each language of the programme; numbers and days
    are as that language has them, whoever drafts."""
    found = await _material(view)
    program = view.require_program()
    spoken = {code: written_in(code, program.time_zone) for code in program.languages}
    blocks = []
    for kind, write in DRAFTERS.items():
        texts = {code: write(found, language) for code, language in spoken.items()}
        written = {code: text for code, text in texts.items() if text}
        if len(written) == len(spoken):
            blocks.append({"kind": kind, "texts": written})
    subjects = {
        code: plain(language.text("newsletter.draft.subject", program=program.name, day=language.day(found.until)))
        for code, language in spoken.items()
    }
    days = {"first": found.since.isoformat(), "last": found.until.isoformat()}
    return {"subjects": subjects, "blocks": blocks, "segment": {"everybody": True}, "prepared": days}


def written_in(code: str, zone: str) -> Language:
    """A language of the programme, such as `fr` or `en-GB`."""
    _, _, region = code.partition("-")
    return Language(supported(code), region if len(region) == 2 else "", zone)


async def _material(view: View) -> Material:
    program = view.require_program()
    of = ("programs", program.id)
    end = view.now.astimezone(known_zone(program.time_zone)).date()
    since = end - timedelta(days=DAYS - 1)
    span = {"from": since.isoformat(), "to": end.isoformat()}
    found = await view.gather(
        figures=view.apis.get("metrics", v1(*of, "figures"), **span),
        objectives=view.apis.get("metrics", v1(*of, "objectives"), state="open", limit=SHOWN),
        best=view.apis.get("metrics", v1(*of, "series"), by="content", limit=SHOWN, **span),
        fresh=view.apis.get("content", v1("items"), program_id=program.id, state="published", limit=SHOWN),
        board=view.apis.get("gamification", v1(*of, "leaderboard"), period="month", scope="individual", limit=THANKED),
        lessons=view.apis.get("program", v1(*of, "lessons"), state="published", limit=1),
        trend=view.apis.get("program", v1(*of, "surveys", "trend")),
    )
    if all(isinstance(one, Missing) and one.down for one in found.values()):
        raise ServiceUnavailable("metrics", "nothing of what happened can be had")
    answers = v1(*of, "answers")
    wanted = {"kind": "comment", "done": "true", "limit": SHOWN}
    codes = {written_in(code, program.time_zone).code for code in program.languages}
    done = await view.gather_all({code: view.apis.get("program", answers, language=code, **wanted) for code in codes})
    keys = [str(row["key"]) for row in rows_of(found["best"]) if row["key"]][:SHOWN]
    paths = {}
    for key in keys:
        with suppress(NoSuchPath):
            paths[key] = v1("items", key)
    items = await view.gather_all({key: view.apis.get("content", path) for key, path in paths.items()})
    people = {row["person_id"] for row in rows_of(found["board"]) if row.get("person_id")}
    return Material(
        **found,
        items={key: one for key, one in items.items() if not isinstance(one, Missing)},
        names=await view.names(people) if people else {},
        done=done,
        since=since,
        until=end,
        program_id=program.id,
        public_url=view.context.settings.public_url,
    )


# --- the blocks ---------------------------------------------------------------------------------------------------


def results(found: Material, language: Language) -> Draft | None:
    """The figures of four weeks, and how far each objective is."""
    if isinstance(found.figures, Missing):
        return None
    figures = found.figures["figures"]
    lines = [
        f"**{text_of(language, key, figures[key])}** {plain(language.text(f'figure.{key}')).lower()}"
        for key in FIGURES
        if key in figures and number_of(figures[key])
    ]
    for one in rows_of(found.objectives):
        if one.get("value") is not None and one.get("share") is not None:
            said = language.text(
                "newsletter.draft.objective",
                title=one.get("title") or plain(language.word("kpi", one["kpi"])),
                share=language.percent(max(0.0, one["share"])),
            )
            lines.append(plain(said))
    return _listed(language, "results", lines, link=f"{found.public_url}/points")


def posts(found: Material, language: Language) -> Draft | None:
    """What brought most visits."""
    lines = [
        plain(
            language.text(
                "newsletter.draft.post",
                title=_escaped(variant_in(found.items[row["key"]], language.code)["title"]),
                count=int(row.get("clicks_counted") or 0),
            )
        )
        for row in rows_of(found.best)
        if row["key"] in found.items and row.get("clicks_counted")
    ]
    return _listed(language, "posts", lines)


def content(found: Material, language: Language) -> Draft | None:
    """What is new to share."""
    lines = []
    for item in rows_of(found.fresh)[:SHOWN]:
        title = _escaped(variant_in(item, language.code)["title"])
        lines.append(f"[{title}]({found.public_url}/feed/{item['id']})")
    return _listed(language, "content", lines, link=f"{found.public_url}/feed")


def tip(found: Material, language: Language) -> Draft | None:
    """The latest lesson."""
    lessons = rows_of(found.lessons)
    if not lessons:
        return None
    titles = lessons[0]["titles"]
    title = titles.get(language.code) or next(iter(titles.values()), "")
    text = plain(language.text("newsletter.draft.tip.text", title=_escaped(title)))
    address = page("programs", found.program_id, "lessons", lessons[0]["id"])
    return _block(language, "tip", text, link=f"{found.public_url}{address}")


def thanks(found: Material, language: Language) -> Draft | None:
    """Those with the most points of the month, who let themselves be seen."""
    ids = [row["person_id"] for row in rows_of(found.board) if row.get("person_id") in found.names]
    names = [_escaped(found.names[id]["name"]) for id in ids]
    if not names:
        return None
    text = plain(language.text("newsletter.draft.thanks.text", names=language.listed(names)))
    return _block(language, "thanks", text)


def answers(found: Material, language: Language) -> Draft | None:
    """What the last survey said; what is done about it is for the manager to write."""
    points = rows_of(found.trend)
    if not points or points[-1]["closes_on"] < found.since.isoformat():
        return None
    point = points[-1]
    text = plain(language.text("newsletter.draft.answers.text", title=_escaped(point["title"]), count=point["answers"]))
    return _block(language, "answers", text)


def done(found: Material, language: Language) -> Draft | None:
    """What was said about the programme, and what was done about it."""
    lines = [
        f"**{_in_short(one['said'])}** {_in_short(one['answer'])}"
        for one in rows_of(found.done.get(language.code, {}))
        if one["published_at"][:10] >= found.since.isoformat()
    ]
    return _listed(language, "done", lines, link=f"{found.public_url}/feedback")


DRAFTERS: Final[Mapping[str, Callable[[Material, Language], Draft | None]]] = {
    "results": results,
    "posts": posts,
    "content": content,
    "tip": tip,
    "thanks": thanks,
    "answers": answers,
    "done": done,
}


def _listed(language: Language, kind: str, lines: Sequence[str], link: str | None = None) -> Draft | None:
    return _block(language, kind, "\n".join(f"- {line}" for line in lines), link=link) if lines else None


def _block(language: Language, kind: str, text: str, link: str | None = None) -> Draft:
    found = {"title": plain(language.text(f"newsletter.draft.{kind}")), "text": text}
    if link:
        found |= {"link": link, "link_text": plain(language.text(f"newsletter.draft.{kind}.link"))}
    return found


def _escaped(text: str) -> str:
    """A text of somebody inside of Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#" else letter for letter in text)


def _in_short(text: str) -> str:
    """What somebody wrote, on a line of a list."""
    return _escaped(shortened(" ".join(text.split()), LONG))


def plain(text: Markup | str) -> str:
    """A text of the catalogue as Markdown has it."""
    return text.unescape() if isinstance(text, Markup) else text


def rows_of(found: Any) -> list[Json]:
    """The rows of an answer; none where the service does not answer."""
    return [] if isinstance(found, Missing) else list(found.get("items") or ())
