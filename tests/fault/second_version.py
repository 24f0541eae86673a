"""Herald whose contracts list a second version of a fact, which its consumers do not take yet:
`python -m tests.fault.second_version run SERVICE ROLE`. The next version emits it (`next_version`)."""

from __future__ import annotations

from typing import ClassVar

from herald_contracts import EngagementRecorded


class EngagementRecordedV2(EngagementRecorded):
    """The same fact, with a field that v1 could not have got."""

    type: ClassVar[str] = "herald.EngagementRecorded.v2"
    certainty: float


if __name__ == "__main__":
    from herald.cli.app import main

    main()
