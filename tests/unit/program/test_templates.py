"""Starter templates: what a file may say, and the days of its calendar."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gamification.schemas import RulesBody
from services.program.domain.templates import Template, TemplateTask, text_in
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


def test_a_company_adds_files_of_its_own(tmp_path: Path) -> None:
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
