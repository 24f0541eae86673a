"""Cohorts of waves: kept of `program`'s events, and what came of them."""
