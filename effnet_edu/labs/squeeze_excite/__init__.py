"""The squeeze excite lab."""
