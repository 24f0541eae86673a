"""Use cases: each is one transaction, state and events together."""
