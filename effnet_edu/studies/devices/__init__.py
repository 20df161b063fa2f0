"""Experiments that measure a device, and their records."""
