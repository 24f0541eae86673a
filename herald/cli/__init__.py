"""The `herald` command: one file a command."""
