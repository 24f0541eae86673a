"""What ambassadors ask and say, and what they are answered: questions to compliance, comments on the programme.

What somebody wrote waits until a manager answers it. The answer goes to them alone. What is said in public stands
apart, in the manager's own words and without a name: a question with its answer among those of the guidelines, a
comment with what was done about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from chassis.web.problems import Conflict, Invalid, Violation

FeedbackKind = Literal["question", "comment"]
FeedbackState = Literal["waiting", "answered"]
MAX_TEXT: Final = 2_000
MAX_WAITING: Final = 20
"""Of one person in one programme."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is told in public, in one language: what was asked or said, and the answer."""

    said: str
    answer: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one person wrote; `person_id` is None and `text` empty once they took it back and the answer stays public.
    `item_id` is what they were about to share. `done` marks a comment that something was done about."""

    id: str
    program_id: str
    version: int
    kind: FeedbackKind
    person_id: str | None
    language: str
    text: str
    created_at: datetime
    updated_at: datetime
    item_id: str | None = None
    answer: str = ""
    answered_by: str | None = None
    answered_at: datetime | None = None
    seen_at: datetime | None = None
    public: Mapping[str, Said] = field(default_factory=dict)
    done: bool = False
    published_at: datetime | None = None

    @property
    def state(self) -> FeedbackState:
        return "waiting" if self.answered_at is None else "answered"

    @property
    def unseen(self) -> bool:
        """Whether there is an answer that who wrote has not seen."""
        return self.answered_at is not None and (self.seen_at is None or self.seen_at < self.answered_at)


def check_room(waiting: int) -> None:
    """Raises Conflict `too-many-waiting`."""
    if waiting >= MAX_WAITING:
        raise Conflict(f"{MAX_WAITING} of yours wait for an answer.", type_="too-many-waiting", max=MAX_WAITING)


def answer_feedback(
    before: Feedback,
    languages: Sequence[str],
    by: str,
    now: datetime,
    *,
    answer: str,
    public: Mapping[str, Said],
    done: bool,
) -> Feedback:
    """What was written with an answer, in public too where `public` has words; the same object if nothing changes.

    Raises Invalid: `language-unknown` for a language that the programme does not have; `done` `comments-only` for a
    question, `public-only` for what is not in public.
    """
    wrong = [
        Violation(f"public.{language}", "language-unknown", "The programme does not have this language.")
        for language in public
        if language not in languages
    ]
    if done and before.kind != "comment":
        wrong.append(Violation("done", "comments-only", "Only about a comment can something be done."))
    elif done and not public:
        wrong.append(Violation("done", "public-only", "What was done is told in public: say it there."))
    if wrong:
        raise Invalid("The answer cannot be taken.", errors=wrong)
    wanted = replace(
        before,
        answer=answer,
        public=dict(public),
        done=done,
        published_at=(before.published_at or now) if public else None,
    )
    if wanted == before:
        return before
    if answer != before.answer:
        wanted = replace(wanted, answered_by=by, answered_at=now)
    return replace(wanted, version=before.version + 1, updated_at=now)


def take_back(before: Feedback, now: datetime) -> Feedback | None:
    """What stays of it when who wrote it takes it back: what is in public, and nothing of theirs; or nothing."""
    if not before.public:
        return None
    bare = replace(before, person_id=None, text="", answer="", item_id=None, seen_at=None)
    return replace(bare, version=before.version + 1, updated_at=now)
