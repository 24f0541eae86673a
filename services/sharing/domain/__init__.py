"""Rules and facts of posts, captions and guardrails: no clock, no store, no network."""
