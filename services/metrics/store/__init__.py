"""Every query and index of metrics, by what is kept."""
