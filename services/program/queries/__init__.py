"""The read side, by subject: `queries.people.page(...)`."""

from services.program.queries import audit, lessons, objectives, people, programs, setup, surveys, tasks

__all__ = ["audit", "lessons", "objectives", "people", "programs", "setup", "surveys", "tasks"]
