"""Metrics: what came of the programme.

Owns facts, day counters, enrolments, cohorts of waves, completed lessons, rates, the progress of objectives, and the
weekly tip of each ambassador. Consumes people, programmes, lessons, content, posts and engagements; emits
ObjectiveReached.
"""
