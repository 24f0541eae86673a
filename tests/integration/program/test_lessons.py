"""Lessons from their writing to a certificate, on real servers."""

from __future__ import annotations

import asyncio
from typing import Any

from herald_contracts import LessonCompleted, LessonPublished, LessonRetired
from services.program.settings import ProgramSettings
from tests.integration.program.conftest import ProgramHarness

SMALL_GROUP: int = ProgramSettings.model_fields["small_group"].default

QUESTION = {
    "text": "Who publishes?",
    "choices": [{"text": "Herald"}, {"text": "You", "right": True}],
    "explanation": "The last tap is yours.",
}
TEXT = {"title": "First post", "text": "It takes **two taps**.", "questions": [QUESTION]}
BODY: dict[str, Any] = {"texts": {"fr": {**TEXT, "title": "Premier partage"}, "en": TEXT}, "required_for": ["share"]}
WRONG = {"edition": 1, "language": "en", "answers": [[0]]}
RIGHT = {"edition": 1, "language": "en", "answers": [[1]]}


async def _joined(program: ProgramHarness, *who: str) -> str:
    for one in who:
        await program.sign_in(one)
    id = await program.create_program(open=True)
    for one in who:
        await program.ok(one, "POST", f"/programs/{id}/join", {"consent_version": 1})
    await program.forget()
    return id


async def test_a_lesson_is_written_published_read_answered_and_certified(program: ProgramHarness) -> None:
    where = f"/programs/{await _joined(program, 'ada')}"
    lesson = await program.ok("max", "POST", f"{where}/lessons", BODY)
    of, read = f"{where}/lessons/{lesson['id']}", f"{where}/learning/{lesson['id']}"
    assert (lesson["state"], lesson["edition"], lesson["latest"]["texts"]["en"]["seconds"]) == ("draft", 0, 18)
    assert await program.refused("ada", "GET", read) == (409, "lesson-not-published")
    published = await program.ok("max", "POST", f"{of}/publish")
    assert await program.ok("max", "POST", f"{of}/publish") == published
    path = await program.ok(
        "max", "POST", f"{where}/paths", {"titles": {"fr": "Jour un", "en": "Day one"}, "lesson_ids": [lesson["id"]]}
    )

    reading = await program.ok("ada", "GET", read, params={"language": "fr-CA"})
    assert (reading["title"], reading["language"], reading["completed_at"]) == ("Premier partage", "fr", None)
    assert reading["questions"] == [{"text": "Who publishes?", "choices": ["Herald", "You"], "several": False}]
    certificate = f"{where}/learning/paths/{path['id']}/certificate"
    assert await program.refused("ada", "GET", certificate) == (409, "path-not-completed")
    failed = await program.ok("ada", "POST", f"{read}/answers", WRONG)
    assert failed == {
        "passed": False,
        "completed_at": None,
        "questions": [{"right": False, "explanation": "The last tap is yours."}],
    }
    assert await program.refused("ada", "POST", f"{read}/answers", {**RIGHT, "edition": 2}) == (409, "lesson-changed")
    assert await program.refused("ada", "POST", f"{read}/answers", {**RIGHT, "answers": []}) == (422, "invalid")
    assert await program.refused("max", "POST", f"{read}/answers", RIGHT) == (409, "not-a-member")
    answers = await asyncio.gather(*(program.ok("ada", "POST", f"{read}/answers", RIGHT) for _ in range(4)))
    assert len({one["completed_at"] for one in answers}) == 1
    learning = await program.ok("ada", "GET", f"{where}/learning")
    [course] = learning["paths"]
    assert (course["completed"], course["completed_at"], learning["others"]) == (1, answers[0]["completed_at"], [])
    found = await program.ok("ada", "GET", certificate, params={"language": "fr"})
    assert (found["name"], found["title"], found["completed_at"]) == ("Ada", "Jour un", answers[0]["completed_at"])

    retired = await program.ok("max", "POST", f"{of}/retire")
    assert (retired["state"], (await program.ok("ada", "GET", f"{where}/learning"))["paths"]) == ("retired", [])
    assert await program.refused("ada", "POST", f"{read}/answers", RIGHT) == (409, "lesson-not-published")
    events = [event.data for event in await program.emitted()]
    assert [type(one) for one in events] == [LessonPublished, LessonCompleted, LessonRetired]
    first, done, last = events
    assert isinstance(first, LessonPublished)
    assert (first.required_for, first.languages, first.edition) == (["share"], ["fr", "en"], 1)
    assert isinstance(done, LessonCompleted)
    assert (done.person_id, done.lesson_id) == (program.ids["ada"], lesson["id"])
    assert isinstance(last, LessonRetired)
    assert last.revision > first.revision


async def test_what_is_written_is_read_only_once_it_is_published(program: ProgramHarness) -> None:
    where = f"/programs/{await _joined(program, 'ada')}"
    id = (await program.ok("max", "POST", f"{where}/lessons", BODY))["id"]
    of = f"{where}/lessons/{id}"
    await program.ok("max", "POST", f"{of}/publish")
    changed = {"texts": {**BODY["texts"], "en": {**TEXT, "title": "Second"}}}
    assert await program.refused("max", "PUT", of, changed) == (428, "precondition-required")
    version = (await program.call("max", "GET", of)).headers["etag"]
    lesson = await program.ok("max", "PUT", of, changed, headers={"If-Match": version})
    assert (lesson["changed"], lesson["state"]) == (True, "published")
    assert await program.refused("max", "PUT", of, BODY, headers={"If-Match": version}) == (412, "stale-version")
    title = {"language": "en"}
    assert (await program.ok("ada", "GET", f"{where}/learning/{id}", params=title))["title"] == "First post"
    await program.ok("max", "POST", f"{of}/publish")
    assert (await program.ok("ada", "GET", f"{where}/learning/{id}", params=title))["edition"] == 2
    found = await program.ok("max", "GET", f"{where}/lessons", params={"query": "sec", "state": "published"})
    assert (found["total"], [one["id"] for one in found["items"]]) == (1, [id])
    assert (await program.ok("max", "GET", f"{where}/lessons", params={"query": "first"}))["total"] == 0


async def test_bad_lessons_are_refused_and_change_nothing(program: ProgramHarness) -> None:
    where = f"/programs/{await _joined(program)}"
    before = await program.state()

    async def rules(text: dict[str, Any]) -> list[tuple[str, str]]:
        answer = await program.call("max", "POST", f"{where}/lessons", {"texts": {"en": {**TEXT, **text}}})
        assert answer.status_code == 422, answer.text
        return [(one["field"], one["rule"]) for one in answer.json()["errors"]]

    assert await rules({"text": "Hi <script>alert(1)</script>"}) == [("texts.en.text", "script")]
    no_right = {**QUESTION, "choices": [{"text": "a"}, {"text": "b"}]}
    assert await rules({"questions": [no_right]}) == [("texts.en.questions.0.choices", "no-right-answer")]
    assert await rules({"text": "word " * 1100}) == [("texts.en.text", "reading-time")]
    assert await rules({"picture": "javascript:alert(1)"}) == [("texts.en.picture", "scheme")]
    assert await program.refused("max", "POST", f"{where}/lessons", {"texts": {"de": TEXT}}) == (422, "invalid")
    assert await program.refused("root", "POST", f"{where}/lessons", BODY) == (403, "role-missing")
    assert await program.state() == before


async def test_starter_lessons_are_added_once_and_small_numbers_stay_unsaid(program: ProgramHarness) -> None:
    people = [f"p{number}" for number in range(SMALL_GROUP)]
    where = f"/programs/{await _joined(program, *people)}"
    assert await program.ok("max", "POST", f"{where}/starter-lessons") == {"lessons": 7, "paths": 3}
    assert await program.emitted_types() == ["LessonPublished"] * 7
    assert await program.ok("max", "POST", f"{where}/starter-lessons") == {"lessons": 0, "paths": 0}
    [first, *_] = (await program.ok(people[0], "GET", f"{where}/learning"))["paths"][0]["lessons"]
    assert (first["title"], first["completed_at"]) == ("Un profil qui inspire confiance", None)
    answers = {"edition": 1, "language": "fr", "answers": [[1], [0]]}
    said = []
    for one in people:
        await program.ok(one, "POST", f"{where}/learning/{first['lesson_id']}/answers", answers)
        said.append((await program.ok("max", "GET", f"{where}/lessons/{first['lesson_id']}"))["completed"])
    assert said == [None] * (SMALL_GROUP - 1) + [SMALL_GROUP]


async def test_a_programme_in_another_language_gets_them_as_drafts(program: ProgramHarness) -> None:
    consent = {"fr": "Oui", "de": "Ja"}
    where = f"/programs/{await program.create_program(languages=['fr', 'de'], consent=consent)}"
    await program.ok("max", "POST", f"{where}/starter-lessons")
    items = (await program.ok("max", "GET", f"{where}/lessons"))["items"]
    assert {(one["state"], *one["titles"]) for one in items} == {("draft", "fr")}
    other = f"/programs/{await program.create_program(languages=['de'], consent={'de': 'Ja'})}"
    assert await program.refused("max", "POST", f"{other}/starter-lessons") == (409, "no-starter-lessons")
