"""The study squeeze_excitation: its runs and its findings."""
