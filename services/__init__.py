"""The services of Herald; none imports another."""
