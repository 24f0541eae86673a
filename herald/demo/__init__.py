"""`herald demo`: a company's first day with its programme, on real servers, and whether every figure is right."""

from pathlib import Path

SAMPLE = Path(__file__).parent / "samples" / "feed.atom.xml"
"""The included sample feed."""
