"""The transactional outbox: events committed with their state, published by a relay."""
