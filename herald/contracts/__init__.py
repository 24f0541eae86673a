"""Contracts as documents: generated from the typed events, topic files and services, and checked.

`documents` gives every generated file, `checks` what is wrong, `compatibility` what would break a subscriber.
"""
