"""The your network lab."""
