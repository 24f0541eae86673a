"""Traces, metrics and logs: what those on call look at."""
