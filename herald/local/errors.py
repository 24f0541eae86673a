"""Errors of a user's machine."""


class LocalError(Exception):
    """One sentence for the person at the keyboard: what is wrong and what to do about it."""
