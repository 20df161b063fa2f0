"""The v2 lab."""
