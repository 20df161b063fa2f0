"""The mbconv lab."""
