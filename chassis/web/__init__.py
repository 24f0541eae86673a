"""The HTTP side of every service: the application, callers, problems, idempotent requests."""
