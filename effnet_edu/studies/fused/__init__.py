"""The study fused: its runs and its findings."""
