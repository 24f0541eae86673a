"""What operators do with an installation, without a terminal: topics, verification, the outbox, spans."""
