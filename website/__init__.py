"""The static site of the course and the slides, made from the lessons, the docstrings and the results."""
