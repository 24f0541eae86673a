"""What every service stands on: settings, storage with its outbox, consumers, tokens, problems, telemetry, lifecycle.

A service brings rules, commands, handlers and routes; everything that is the same in each of them is here. Words of the
domain stand in two places only, because every service needs them alike: `principals` knows people as `program` tells of
them, and `text` knows what names, titles and captions are.
"""
