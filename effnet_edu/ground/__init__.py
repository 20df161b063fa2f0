"""Checks, files, archives and watching: what every room uses."""
