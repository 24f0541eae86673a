"""Every MongoDB query and index of this service, a module a collection's owner."""
