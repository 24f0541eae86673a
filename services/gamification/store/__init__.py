"""Every query and index of this service, by what is kept."""
