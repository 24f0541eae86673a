"""The web application that people use."""
