"""The phi lab."""
