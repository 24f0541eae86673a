"""Replacements for an ingress and a company's identity provider on a developer's machine. Never for production."""
