"""Recognition: the points ledger and what follows from it."""
