"""Who takes part, against who there is, as it is answered."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from services.program.domain.diversity import MAX_TOLD, Diversity, Told
from services.program.schemas.fields import View


class CellView(View):
    """A group of people."""

    name: str | None = Field(description="Null for those of whom it is not known")
    within: str | None = Field(description="The country of a site")
    people: int
    ambassadors: int


class ToldView(View):
    """Groups, the largest first, at most 200; and together those that are too small to be told of."""

    shown: list[CellView]
    hidden_groups: int
    hidden_people: int
    hidden_ambassadors: int

    @classmethod
    def of(cls, told: Told) -> ToldView:
        shown = [CellView.model_validate(one) for one in told.shown[:MAX_TOLD]]
        return cls(
            shown=shown,
            hidden_groups=told.hidden_groups,
            hidden_people=told.hidden_people,
            hidden_ambassadors=told.hidden_ambassadors,
        )


class SuggestionView(View):
    """Whom to invite next."""

    dimension: str = Field(description="jobs, levels, countries or sites: a field of a segment")
    name: str
    within: str | None = Field(description="The country of a site")
    count: int = Field(description="How many ambassadors the group lacks")


class DiversityView(View):
    """Who takes part, against who there is. A group of fewer than `min` people is not told of, and neither is another
    by which its figures could be found."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "people": 1200,
                    "ambassadors": 96,
                    "min": 5,
                    **{
                        name: {"shown": [], "hidden_groups": 0, "hidden_people": 0, "hidden_ambassadors": 0}
                        for name in ("jobs", "levels", "sites")
                    },
                    "countries": {
                        "shown": [{"name": "FR", "within": None, "people": 900, "ambassadors": 81}],
                        "hidden_groups": 3,
                        "hidden_people": 300,
                        "hidden_ambassadors": 15,
                    },
                    "suggestion": {"dimension": "sites", "name": "Lyon", "within": "FR", "count": 6},
                }
            ]
        }
    )

    people: int
    ambassadors: int
    min: int
    jobs: ToldView
    levels: ToldView
    countries: ToldView
    sites: ToldView
    suggestion: SuggestionView | None

    @classmethod
    def of(cls, found: Diversity, least: int) -> DiversityView:
        wanted = found.suggestion
        return cls(
            people=found.people,
            ambassadors=found.ambassadors,
            min=least,
            **{name: ToldView.of(told) for name, told in found.told.items()},
            suggestion=SuggestionView.model_validate(wanted) if wanted else None,
        )
