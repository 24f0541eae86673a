"""What Kafka's client library lacks: a producer that recovers, topic identities, reading without a group."""
