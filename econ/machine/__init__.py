"""The chain on the computer you sit at: measured, not read."""
