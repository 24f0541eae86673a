"""Recognition: what ambassadors are thanked for, and why.

Owns the points ledger (append-only; each entry names what earned it, by which rule in which version), the
balances that are its sums, and the leaderboards made of them. Consumes people, programmes, posts and engagements;
emits PointsAwarded, one for each entry.
"""
