"""Settings of the content service."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import Rate, Settings


class ContentSettings(Settings):
    """What content needs beyond what every service does."""

    rate_uploads: Rate = Field("10/minute", description="Files that one person sends")
    rate_feed_refresh: Rate = Field("10/minute", description="Feeds that one person has looked at now")
    content_feed_interval: int = Field(
        900, ge=60, le=86_400, description="Seconds between two looks at a feed source that answers"
    )
