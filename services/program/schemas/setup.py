"""How far a programme is set up, and starter templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from chassis.web.json_bodies import Body
from services.program.domain.templates import Applied, Standing, Template, Withdrawn, text_in
from services.program.queries.setup import Step
from services.program.schemas.fields import AT, Locale, View


class StepView(View):
    """A step of a good start."""

    key: str = Field(description="An open word: `objectives`, `leaders`, `volunteers`, ...")
    have: int = Field(description="How much of it there is")
    need: int = Field(description="How much a good start has")
    done: bool


class TemplateStandingView(View):
    """A starter template that stands in a programme."""

    template: str
    applied_at: datetime


class SetupView(View):
    """The steps of a good start, in their order, and what is there of each; the templates that were applied, and not
    taken back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "steps": [{"key": "objectives", "have": 3, "need": 1, "done": True}],
                    "templates": [{"template": "visibility", "applied_at": AT}],
                }
            ]
        }
    )

    steps: list[StepView]
    templates: list[TemplateStandingView]

    @classmethod
    def of(cls, steps: Sequence[Step], standings: Sequence[Standing]) -> SetupView:
        return cls(
            steps=[StepView.model_validate(one) for one in steps],
            templates=[TemplateStandingView.model_validate(one) for one in standings],
        )


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


Expected = Annotated[
    int | None,
    Field(
        ge=1,
        le=1_000_000,
        description="How many ambassadors are expected: targets are scaled to them. Where nobody says, the most of "
        "those who take part, a share of the headcount that the template names, and ten",
    ),
]


class ApplyBody(Body):
    """How to apply a template."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"language": "en", "ambassadors": 120}]})

    language: Locale = Field(description="In which objectives and tasks are written")
    ambassadors: Expected = None


class PieceView(View):
    """A piece of a template."""

    part: str = Field(description="An open word: `objective`, `mix`, `lesson`, `path` or `task`")
    title: str = Field(description="Empty for the mix")
    outcome: str = Field(
        description="An open word: `set`; `left` because the programme has it; `untranslated` where it is in none of "
        "the programme's languages; of what is taken back `withdrawn`, or `changed` or `used`, which stays"
    )
    count: int = Field(description="How many, of a task that comes several times")
    day: date | None = Field(description="When the first of the tasks is due")
    target: float | None = Field(description="Of an objective: a count, an amount, or a rate from 0 to 1")
    written: float | None = Field(description="The target in the template, before it was scaled")


class ScaleView(View):
    """How targets are scaled: each is that of the template times `ambassadors` by `written_for`, with two figures that
    say something. Rates are not."""

    ambassadors: int = Field(description="How many are expected")
    written_for: int = Field(description="For how many ambassadors the template's targets are written")
    expected: str = Field(
        description="An open word, whence `ambassadors` is: `given`, `headcount` (a share of it), `taking_part` or "
        "`least` (no pilot has fewer)"
    )
    headcount: int = Field(description="People who are with the company")
    taking_part: int = Field(description="Ambassadors of the programme")


_PIECE: Any = {
    "part": "task",
    "title": "Editorial meeting: five items for the week",
    "outcome": "set",
    "count": 12,
    "day": "2026-03-03",
    "target": None,
    "written": None,
}
_SCALE: Any = {"ambassadors": 120, "written_for": 50, "expected": "headcount", "headcount": 1200, "taking_part": 12}


class AppliedView(View):
    """What a template set, or would set."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "template": _TEMPLATE,
                    "pieces": [_PIECE],
                    "scale": _SCALE,
                }
            ]
        }
    )

    template: TemplateView
    pieces: list[PieceView]
    scale: ScaleView | None = Field(description="Null where the template's targets are the same for all companies")

    @classmethod
    def of(cls, applied: Applied, language: str) -> AppliedView:
        pieces = [PieceView.model_validate(one) for one in applied.pieces]
        scale = ScaleView.model_validate(applied.scale) if applied.scale else None
        return cls(template=TemplateView.of(applied.template, language), pieces=pieces, scale=scale)


class WithdrawnView(View):
    """What of a template was taken back, or would be, and what stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"template": _TEMPLATE, "applied_at": AT, "pieces": [{**_PIECE, "outcome": "withdrawn"}]}]
        }
    )

    template: TemplateView
    applied_at: datetime | None = Field(description="When it was applied; null where it does not stand")
    pieces: list[PieceView]

    @classmethod
    def of(cls, withdrawn: Withdrawn, language: str) -> WithdrawnView:
        return cls(
            template=TemplateView.of(withdrawn.template, language),
            applied_at=withdrawn.applied_at,
            pieces=[PieceView.model_validate(one) for one in withdrawn.pieces],
        )
