"""Records that a service could not process: written to Kafka, listed, shown and replayed."""
