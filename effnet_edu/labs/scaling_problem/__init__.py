"""The scaling problem lab."""
