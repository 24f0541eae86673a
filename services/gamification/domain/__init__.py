"""Rules and facts of recognition: no clock, no store, no network."""
