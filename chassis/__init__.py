"""What every service stands on: no domain word in here."""
