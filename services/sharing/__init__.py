"""Posts, short links and what they bring."""
