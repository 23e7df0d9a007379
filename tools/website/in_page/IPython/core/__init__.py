"""The parts that widgets import."""
