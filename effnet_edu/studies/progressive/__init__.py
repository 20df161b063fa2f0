"""The study progressive: its runs and its findings."""
