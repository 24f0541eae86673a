"""The tip of a week."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from services.metrics.schemas.figures import PROGRAM


class SideView(BaseModel):
    """Posts that are alike."""

    model_config = ConfigDict(from_attributes=True)

    posts: int
    clicks: float = Field(description="Counted clicks of a post's first seven days, on average")


class TipFiguresView(BaseModel):
    """What brought more, and by how much."""

    model_config = ConfigDict(from_attributes=True)

    about: str = Field(description="`pictures` (image, video, infographic), `own_words`, `network`")
    network: str | None = Field(description="The one that brought more, of `about` `network`")
    better: SideView
    other: SideView


class TipView(BaseModel):
    """The tip of a week."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "program_id": PROGRAM,
                    "week": "2026-11-23",
                    "tip": {
                        "about": "pictures",
                        "network": None,
                        "better": {"posts": 12, "clicks": 6.3},
                        "other": {"posts": 18, "clicks": 3.0},
                    },
                }
            ]
        },
    )

    program_id: str
    week: date = Field(description="Its Monday, in the programme's time zone")
    tip: TipFiguresView | None = Field(description="Null where one's posts say nothing that chance could not have said")
