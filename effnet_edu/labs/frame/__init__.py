"""What every lab has: its logic, its controls, its page."""
