"""What ambassadors learned: lessons that they completed, and who went all of the first-day path."""
