"""Herald's tests: unit, contract, integration, e2e, fault."""
