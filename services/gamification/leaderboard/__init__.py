"""Leaderboards: read from Redis while a keeper holds them there as MongoDB has them, from MongoDB otherwise."""
