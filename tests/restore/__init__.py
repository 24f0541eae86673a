"""Backup and restore, rehearsed on a whole Herald with real servers: `make restore-rehearsal`."""
