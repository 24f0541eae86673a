"""What the rates of the earned media value look like."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, Field

from chassis.web.http import example
from chassis.web.json_bodies import Body
from chassis.web.one_of import OneOf
from chassis.web.times import Day
from herald_contracts.words import ENGAGEMENT_KINDS, MAX_LENGTH
from services.metrics.domain.value import FORMULA, Rates

Amount = Annotated[Decimal, Field(ge=0, le=10_000, decimal_places=4)]
Action = Annotated[str, OneOf(ENGAGEMENT_KINDS)]
LINKEDIN_RATES = {"linkedin": {"click": 3.2}, "*": {"click": 0.5}}


class RatesBody(Body):
    """Rates of the earned media value from a day on; network `*` stands for all that are not named."""

    valid_from: Day
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
    source: Annotated[str, Field(min_length=3, max_length=500, examples=["Average CPC of our paid campaigns, Q3"])]
    rates: Annotated[
        dict[Annotated[str, Field(pattern=rf"^([a-z][a-z0-9_-]{{0,{MAX_LENGTH - 1}}}|\*)$")], dict[Action, Amount]],
        Field(min_length=1, max_length=32, examples=[{"linkedin": {"click": "3.20"}, "*": {"click": "0.50"}}]),
    ]

    def rates_from_day(self) -> Rates:
        """As the domain has them; the version is given when they are set."""
        rates = {
            network: {str(action): amount for action, amount in one.items()} for network, one in self.rates.items()
        }
        return Rates(0, self.valid_from.isoformat(), self.currency, self.source, rates)


class RateSetView(BaseModel):
    """One version of the rates."""

    model_config = example(
        version=1,
        valid_from="2026-11-01",
        currency="EUR",
        source="Average CPC of our paid campaigns, Q3",
        rates=LINKEDIN_RATES,
    )

    version: int = Field(description="0: Herald's starting values")
    valid_from: date
    currency: str
    source: str
    rates: dict[str, dict[str, float]] = Field(description="Network, or `*`, to action to amount")

    @classmethod
    def of(cls, rates: Rates) -> Self:
        return cls(
            version=rates.version,
            valid_from=date.fromisoformat(rates.valid_from),
            currency=rates.currency,
            source=rates.source,
            rates={
                network: {action: float(amount) for action, amount in actions.items()}
                for network, actions in rates.rates.items()
            },
        )


class RatesView(BaseModel):
    """Versions of the rates, the latest first. The ETag is the latest version of all."""

    formula: str
    items: list[RateSetView]
    next: str | None = Field(description="Cursor of the next page")

    @classmethod
    def of(cls, versions: list[Rates], *, more: str | None) -> Self:
        return cls(formula=FORMULA, items=[RateSetView.of(one) for one in versions], next=more)
