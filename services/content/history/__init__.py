"""Items from another product: published on their own day; in feeds only where they may still be shared."""
