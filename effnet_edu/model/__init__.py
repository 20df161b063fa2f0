"""The networks: as data, as counts, and as modules."""
