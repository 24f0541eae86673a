"""Metrics: what came of the programme.

Owns facts, day counters, enrolments, cohorts of waves, rates and the progress of objectives. Consumes people,
programmes, content, posts and engagements; emits ObjectiveReached.
"""
