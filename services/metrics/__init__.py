"""What came of it: figures by day, network, country and content."""
