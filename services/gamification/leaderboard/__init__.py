"""Leaderboards: read from Redis while an updater holds them there as MongoDB has them, from MongoDB otherwise."""
