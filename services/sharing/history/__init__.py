"""Posts and engagement from another product: kept as posts of their own day, emitted as facts marked `imported`."""
