"""Walks through every page as each persona, in each language, size and theme, and says what is wrong with what it sees.

`python -m tests.walk` does so against a Herald that it starts, or one that runs (`--url`), and keeps pictures of all.
"""
