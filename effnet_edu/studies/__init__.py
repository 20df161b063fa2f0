"""The experiments behind the lessons, and their results with where each number came from."""
