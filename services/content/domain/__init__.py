"""The rules of content: `items`, what there is to share, and `sources`, the feeds that bring some of it."""
