"""The study scaling: its runs and its findings."""
