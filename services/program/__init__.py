"""People, ambassadors and the programme they take part in."""
