"""Starter templates: what a file may say, and the days of its calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path as File

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gamification.schemas import RulesBody
from services.program.domain.lessons import Edition, Lesson, LessonText, Path
from services.program.domain.mixes import Mix
from services.program.domain.objectives import Objective
from services.program.domain.tasks import Task
from services.program.domain.templates import (
    Found,
    Scale,
    Standing,
    Template,
    TemplateObjective,
    TemplateTask,
    WrittenFor,
    add,
    end,
    expect,
    stays,
    targets,
    text_in,
    title_of,
)
from services.program.templates import TemplateError, load_templates, read_template

HEAD = """
[titles]
en = "Ours"
[leads]
en = "For us."
"""
OBJECTIVE = """
[[objectives]]
key = "a"
use_case = "culture"
kpi = "shares"
target = 10
weeks = 4
titles = { en = "Ten" }
"""
TASK = """
[[tasks]]
key = "a"
kind = "content"
week = 1
titles = { en = "Write" }
"""
QUIZ = """
[[lessons]]
name = "ours"
[lessons.texts.en]
title = "Ours"
text = "Read."
[[lessons.texts.en.questions]]
text = "Who?"
choices = [{ text = "You", right = true }, { text = "We" }]
explanation = "You."
"""


@pytest.mark.parametrize("template", load_templates(), ids=lambda one: one.name)
def test_what_herald_brings_is_whole_in_both_languages(template: Template) -> None:
    texts = [template.titles, template.leads]
    texts += [one.titles for part in (template.objectives, template.paths, template.tasks) for one in part]
    assert all({"en", "fr"} <= set(one) for one in texts)
    assert all({"en", "fr"} <= set(one.texts) for one in template.lessons)
    assert all((template.objectives, template.paths, template.rules, template.tasks))
    assert sum(template.mix.values()) == 100
    french = " ".join(one["fr"] for one in texts)
    assert not any(f" {sign}" in french for sign in ";:?!»"), "French sets a no-break space there"


@pytest.mark.parametrize("template", load_templates(), ids=lambda one: one.name)
def test_recognition_takes_the_rules_of_points(template: Template) -> None:
    rules = [
        {
            "id": one.id,
            "act": one.act,
            "points": one.points,
            "networks": list(one.networks),
            "acts_a_day": one.acts_a_day,
            "points_a_day": one.points_a_day,
        }
        for one in template.rules
    ]
    assert len(RulesBody.model_validate({"rules": rules}).rules) == len(template.rules)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 'blue'" + HEAD, "ours.toml: colour: there is no such key"),
        (HEAD + OBJECTIVE.replace("target", "targt"), "ours.toml: objectives.0.targt: there is no such key"),
        (HEAD + OBJECTIVE + OBJECTIVE, "ours.toml: objectives: a is there twice"),
        (HEAD + TASK + TASK, "ours.toml: tasks: a is there twice"),
        (HEAD + QUIZ.replace(", right = true", ""), "ours.toml: lessons.0.texts.en.questions.0.choices: Mark at least"),
        (HEAD + QUIZ.replace('"ours"', '"profile"'), "ours.toml: lessons: profile is there twice"),
        (
            HEAD + QUIZ.replace("Read.", "<script>x</script>"),
            "ours.toml: lessons.0.texts.en.text: Texts are Markdown",
        ),
        (HEAD + "[mix]\njobs = 30\ncompany_news = 60\n", "ours.toml: mix: the shares add up to 90 instead of 100"),
        (HEAD + "[mix]\ncats = 100\n", "ours.toml: mix.cats"),
        (
            HEAD + OBJECTIVE.replace("shares", "participation_rate"),
            "ours.toml: objectives.0.target: a rate is at most 1",
        ),
        (HEAD + OBJECTIVE + "baseline = 10\n", "ours.toml: objectives.0.target: the target has to lie above"),
        (HEAD + OBJECTIVE.replace("Ten", "{targt} shares"), "ours.toml: objectives.0.titles.en: {target} is all"),
        (HEAD + "[scale]\nambassadors = 0\n", "ours.toml: scale.ambassadors"),
        (HEAD + TASK + "times = 3\n", "ours.toml: tasks.0: what comes several times"),
        (HEAD + TASK + 'weekday = "someday"\n', "ours.toml: tasks.0.weekday"),
        (HEAD + '[[paths]]\nname = "p"\ntitles = { en = "P" }\nlessons = ["none"]\n', "there is no lesson none"),
        (HEAD + '[[rules]]\nid = "r"\nact = "share"\npoints = 0\n', "ours.toml: rules.0.points"),
        (HEAD + '[[rules]]\nid = "r"\nact = "share"\npoints = "5"\n', "ours.toml: rules.0.points"),
        ("= 1", "ours.toml: this is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(text: str, said: str) -> None:
    with pytest.raises(TemplateError) as failed:
        read_template("ours", text)
    assert said in str(failed.value)


def test_a_company_adds_files_of_its_own(tmp_path: File) -> None:
    (tmp_path / "ours.toml").write_text(HEAD + OBJECTIVE + TASK + QUIZ)
    ours = load_templates(tmp_path)[-1]
    assert (ours.name, ours.objectives[0].target, ours.lessons[0].name) == ("ours", 10, "ours")
    (tmp_path / "visibility.toml").write_text(HEAD)
    (tmp_path / "Not A Name.toml").write_text(HEAD)
    with pytest.raises(TemplateError) as failed:
        load_templates(tmp_path)
    assert str(failed.value).splitlines() == [
        "Not A Name.toml: a name has small letters, digits and dashes, 40 at most",
        "visibility.toml: there is a template visibility already",
    ]
    with pytest.raises(TemplateError, match="there is no such directory"):
        load_templates(tmp_path / "none")


def test_a_text_is_in_the_nearest_language() -> None:
    texts = {"de": "Eins", "en": "One", "fr": "Un"}
    assert [text_in(texts, one) for one in ("fr-CA", "fr", "it")] == ["Un", "Un", "One"]
    assert text_in({"de": "Eins"}, "it") == "Eins"


@given(
    start=st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    week=st.integers(1, 10),
    weekday=st.integers(0, 6),
    times=st.integers(1, 5),
)
def test_the_first_full_week_begins_on_a_monday_to_come(start: date, week: int, weekday: int, times: int) -> None:
    task = TemplateTask("a", {"en": "A"}, "other", week, weekday, every_weeks=2, times=times)
    days = task.days(start)
    assert {day.weekday() for day in days} == {weekday}
    assert start <= days[0] - timedelta(weeks=week - 1) < start + timedelta(days=13)
    assert {later - earlier for earlier, later in pairwise(days)} <= {timedelta(weeks=2)}
    assert len(days) == times


# --- targets of a company's size ----------------------------------------------------------------------------------

WRITTEN = Template("ours", {"en": "Ours"}, {"en": "For us."}, {}, written_for=WrittenFor(50, 0.1))
AIM = TemplateObjective("seen", {"en": "{target} clicks", "fr": "{target} clics"}, "awareness", "clicks", 1500, 12)


@pytest.mark.parametrize(
    ("headcount", "taking_part", "given", "ambassadors", "expected"),
    [
        (1200, 12, None, 120, "headcount"),
        (24, 12, None, 12, "taking_part"),
        (3, 1, None, 10, "least"),
        (1200, 12, 40, 40, "given"),
    ],
)
def test_how_many_ambassadors_are_expected(
    headcount: int, taking_part: int, given: int | None, ambassadors: int, expected: str
) -> None:
    scale = expect(WRITTEN, headcount, taking_part, given)
    assert scale is not None
    assert (scale.ambassadors, scale.expected, scale.written_for) == (ambassadors, expected, 50)
    assert expect(replace(WRITTEN, written_for=None), headcount, taking_part, given) is None


@pytest.mark.parametrize(
    ("ambassadors", "target", "title"),
    [(120, 3600, "3\u202f600 clics"), (50, 1500, "1\u202f500 clics"), (7, 210, "210 clics")],
)
def test_a_target_grows_with_the_company(ambassadors: int, target: float, title: str) -> None:
    scale = Scale(ambassadors, 50, "given", 0, 0)
    assert targets(AIM, scale) == (0, target)
    assert title_of(AIM, target, "fr-CA") == title
    assert targets(AIM, None) == (0, 1500)
    rate = replace(AIM, kpi="participation_rate", target=0.5, titles={"en": "{target} share"})
    assert targets(rate, scale) == (0, 0.5)
    assert title_of(rate, 0.5, "de") == "50% share"


@given(
    ambassadors=st.integers(1, 1_000_000),
    written_for=st.integers(1, 1_000_000),
    baseline=st.floats(0, 1e6),
    more=st.floats(0.1, 1e6),
)
def test_a_scaled_target_is_near_and_can_be_set(
    ambassadors: int, written_for: int, baseline: float, more: float
) -> None:
    scale = Scale(ambassadors, written_for, "given", 0, 0)
    aim = replace(AIM, baseline=baseline, target=baseline + more)
    low, high = targets(aim, scale)
    assert high > low >= 0
    exact = aim.target * ambassadors / written_for
    if exact >= 1 and ambassadors != written_for:
        assert abs(scale.scaled(aim.target) / exact - 1) <= 0.5
        assert exact < 100 or abs(scale.scaled(aim.target) / exact - 1) <= 0.0501


# --- taking a template back ---------------------------------------------------------------------------------------

NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
DAY = NOW.date()
BLANK = Standing("s", "p", "ours", 0)
STANDING = replace(add(BLANK, NOW, objectives=["o"], lessons=["a", "b"], paths=["p1"], tasks=["t"]), mix_version=2)
GOAL = Objective("o", "p", 1, "culture", "shares", 0.0, 10.0, DAY, DAY + timedelta(days=27), NOW)
TODO = Task("t", "p", 1, "Write", "content", DAY, NOW, NOW)
WAY = Path("p1", "p", 1, 0, {"en": "First"}, ("a",), NOW, NOW)
READ = Lesson("a", "p", 1, "published", 1, None, Edition({"en": LessonText("A", "Read.")}), NOW, NOW)


def test_what_nobody_touched_is_taken_back() -> None:
    found = Found([GOAL], [READ], [WAY], [TODO], Mix("p", 2, {"jobs": 100}))
    for one in (GOAL, READ, WAY, TODO, found.mix):
        assert one is not None
        assert stays(found, one, STANDING, DAY) is None


def test_what_was_changed_or_used_stays_and_so_does_what_hangs_on_it() -> None:
    found = Found(paths=[WAY])
    assert stays(found, replace(GOAL, version=2), STANDING, DAY) == "changed"
    assert stays(found, GOAL, STANDING, GOAL.ends_on + timedelta(days=1)) == "used"
    assert stays(found, replace(TODO, version=2, state="done"), STANDING, DAY) == "used"
    assert stays(found, replace(TODO, version=2), STANDING, DAY) == "changed"
    assert stays(found, Mix("p", 3, {"jobs": 100}), STANDING, DAY) == "changed"
    assert stays(found, replace(READ, version=2), STANDING, DAY) == "changed"
    completed = replace(found, completed=frozenset("b"), paths=[replace(WAY, lesson_ids=("a", "b"))])
    assert stays(completed, completed.paths[0], STANDING, DAY) == "used"
    assert stays(completed, READ, STANDING, DAY) == "used", "its path stays, because another lesson of it was completed"
    assert stays(replace(found, placed=frozenset("a")), READ, STANDING, DAY) == "used", "in somebody's own path"
    assert stays(replace(found, paths=[replace(WAY, version=2)]), READ, STANDING, DAY) == "used"


def test_what_is_set_after_a_template_was_taken_back_is_another_round() -> None:
    ended = end(STANDING)
    assert (ended.rounds, ended.applied_at, ended.tasks, ended.mix_version) == (1, None, (), 0)
    assert ended.version == STANDING.version + 1
    assert end(ended) is ended
    again = add(ended, NOW, tasks=["t"])
    assert (again.rounds, again.applied_at, again.tasks) == (1, NOW, ("t",))
    assert add(again, NOW + timedelta(days=1), tasks=["u"]).applied_at == NOW
