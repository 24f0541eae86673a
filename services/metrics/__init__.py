"""Metrics: what came of the programme.

Owns facts, day counters, enrolments, rates and the progress of objectives. Consumes people, programmes, content,
posts and engagements; emits ObjectiveReached.
"""
