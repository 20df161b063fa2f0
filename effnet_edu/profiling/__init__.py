"""What only a measurement can know: time and memory of a network on this device."""
