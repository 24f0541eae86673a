"""Rules and facts of people and programmes: no clock, no store, no network."""
