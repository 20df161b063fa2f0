"""The study block_and_gate: its runs and its findings."""
