"""Faults on real servers and real processes, and a checker that does not trust the code it checks."""
