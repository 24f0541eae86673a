"""How far a programme is set up, and starter templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from services.program.domain.templates import Applied, Template, text_in
from services.program.queries.setup import Step
from services.program.schemas.fields import Locale, View


class StepView(View):
    """A step of a good start."""

    key: str = Field(description="An open word: `objectives`, `leaders`, `volunteers`, ...")
    have: int = Field(description="How much of it there is")
    need: int = Field(description="How much a good start has")
    done: bool


class SetupView(View):
    """The steps of a good start, in their order, and what is there of each."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"steps": [{"key": "objectives", "have": 3, "need": 1, "done": True}]}]}
    )

    steps: list[StepView]

    @classmethod
    def of(cls, steps: Sequence[Step]) -> SetupView:
        return cls(steps=[StepView.model_validate(one) for one in steps])


_RULE: Any = {"id": "share", "act": "share", "points": 10, "networks": [], "acts_a_day": 3, "points_a_day": None}
_TEMPLATE: Any = {
    "name": "visibility",
    "title": "Visibility at scale",
    "lead": "For many people of all trades.",
    "mix": {"company_news": 60, "jobs": 40},
    "rules": [_RULE],
}


class RuleView(View):
    """A rule of points, as `POST /programs/{program_id}/rules` of gamification takes it."""

    id: str
    act: str
    points: int
    networks: list[str]
    acts_a_day: int | None
    points_a_day: int | None


class TemplateView(View):
    """A starter template, in one language."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TEMPLATE]})

    name: str
    title: str
    lead: str
    mix: dict[str, int] = Field(description="Percent of the content by category; empty where it wants none")
    rules: list[RuleView] = Field(
        description="Points, which gamification keeps: whoever applies a template sends them there"
    )

    @classmethod
    def of(cls, template: Template, language: str) -> TemplateView:
        return cls(
            name=template.name,
            title=text_in(template.titles, language),
            lead=text_in(template.leads, language),
            mix=dict(template.mix),
            rules=[RuleView(**_as_sent(rule)) for rule in template.rules],
        )


def _as_sent(rule: Any) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in RuleView.model_fields} | {"networks": list(rule.networks)}


class TemplatesView(View):
    """All starter templates."""

    items: list[TemplateView]


class ApplyBody(Body):
    """How to apply a template."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"language": "en"}]})

    language: Locale = Field(description="In which objectives and tasks are written")


class PieceView(View):
    """A piece of a template."""

    part: str = Field(description="An open word: `objective`, `mix`, `lesson`, `path` or `task`")
    title: str = Field(description="Empty for the mix")
    outcome: str = Field(
        description="An open word: `set`; `left` because the programme has it; `untranslated` where it is in none of "
        "the programme's languages"
    )
    count: int = Field(description="How many, of a task that comes several times")
    day: date | None = Field(description="When the first of the tasks is due")


class AppliedView(View):
    """What a template set, or would set."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "template": _TEMPLATE,
                    "pieces": [
                        {
                            "part": "task",
                            "title": "Editorial meeting: five items for the week",
                            "outcome": "set",
                            "count": 12,
                            "day": "2026-03-03",
                        }
                    ],
                }
            ]
        }
    )

    template: TemplateView
    pieces: list[PieceView]

    @classmethod
    def of(cls, applied: Applied, language: str) -> AppliedView:
        pieces = [PieceView.model_validate(one) for one in applied.pieces]
        return cls(template=TemplateView.of(applied.template, language), pieces=pieces)
