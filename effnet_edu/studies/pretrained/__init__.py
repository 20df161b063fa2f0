"""The study pretrained: its runs and its findings."""
