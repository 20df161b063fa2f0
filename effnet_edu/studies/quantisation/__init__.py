"""The study quantisation: its runs and its findings."""
