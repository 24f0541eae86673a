"""Posts and engagement from another product: kept as posts of their own day, told as facts that are `imported`."""
