"""The lessons and paths that Herald brings: one file a lesson, in each language, and `paths.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from services.program.domain.lessons import LessonText, Starter
from services.program.domain.quizzes import Choice, Question

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class StarterPath:
    """A path: its names by language, and the names of its lessons."""

    name: str
    titles: Mapping[str, str]
    lessons: tuple[str, ...]


@lru_cache(maxsize=1)
def starter_lessons() -> tuple[Starter, ...]:
    """In the order of the paths."""
    return tuple(
        Starter(name, {language: _text(text) for language, text in _read(name).items()})
        for path in starter_paths()
        for name in path.lessons
    )


@lru_cache(maxsize=1)
def starter_paths() -> tuple[StarterPath, ...]:
    return tuple(StarterPath(name, one["titles"], tuple(one["lessons"])) for name, one in _read("paths").items())


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / f"{name}.toml").read_text("utf-8"))


def _text(row: Mapping[str, Any]) -> LessonText:
    questions = tuple(
        Question(
            one["text"],
            tuple(Choice(choice, number in one["right"]) for number, choice in enumerate(one["choices"])),
            one["explanation"],
        )
        for one in row["questions"]
    )
    return LessonText(row["title"], row["text"].strip(), questions)
