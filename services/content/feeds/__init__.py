"""Feeds: got through the guarded fetch and read in a process of their own."""
