"""People, ambassadors and the programme they take part in.

Owns who there is (from CSV imports and first sign-ins), who is an ambassador of which programme by accepting which
consent, guidelines and who acknowledged them, the programme's objective, its lessons with who completed them, its
surveys, anonymous by construction (ADR 0014), its waves with who is in their cohorts, and what ambassadors do beside
sharing. Emits `herald.people`, `herald.program` and `herald.acts`. Consumes `herald.audit.*`: it keeps the audit trail
of all services for administrators to search; `herald.content`, for the job offers in it; and `herald.posts`, since
what its author took back is no example any more.
"""
