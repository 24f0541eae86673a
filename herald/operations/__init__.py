"""Operations on an installation, without a terminal: topics, verification, the outbox."""
