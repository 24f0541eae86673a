"""What stands in, on a developer's machine, for an ingress and a company's identity provider. Never for production."""
