"""What there is to share."""
