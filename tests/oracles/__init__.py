"""Slow or simple ways to the same answers, for tests."""
