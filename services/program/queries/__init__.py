"""The read side, by subject: `queries.people.page(...)`."""

from services.program.queries import audit, people, programs, surveys

__all__ = ["audit", "people", "programs", "surveys"]
