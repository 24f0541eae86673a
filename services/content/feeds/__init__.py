"""Feeds: fetched through the guarded client and parsed in a separate process."""
