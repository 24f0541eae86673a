"""Posts, short links and what they bring.

Sharing owns what ambassadors share, the guardrails of captions, the short links and the clicks on them. It emits
PostShared and PostRemoved, LinkClicked (raw, by role `links`) and EngagementRecorded (with its verdict), and consumes
what it must know of people, programmes and content, and its own LinkClicked.
"""
