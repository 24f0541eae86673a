"""How each fault is brought about. Each returns at the moment when the fault is over."""
