"""The study search: its runs and its findings."""
