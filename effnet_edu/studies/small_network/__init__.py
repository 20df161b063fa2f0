"""The study small_network: its runs and its findings."""
