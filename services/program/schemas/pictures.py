"""Pictures as they are answered."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from services.program.schemas.fields import AT, PROGRAM_ID, View

PICTURE_ID = "019c46c7-6a80-7a6a-8d23-f082128b2f41"


class PictureView(View):
    """What is known of a picture."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": PICTURE_ID,
                    "program_id": PROGRAM_ID,
                    "media_type": "image/png",
                    "width": 1200,
                    "height": 627,
                    "size": 48213,
                    "created_at": AT,
                }
            ]
        },
        from_attributes=True,
    )

    id: str
    program_id: str
    media_type: str
    width: int = Field(description="In pixels, upright")
    height: int
    size: int = Field(description="In bytes, as it is kept")
    created_at: datetime
