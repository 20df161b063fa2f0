"""Published weights: other people's files into these networks."""
