"""What the figures are and how they are computed; nothing here reads a clock or a database."""
