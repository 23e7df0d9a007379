"""Trends: how fast prices and hardware move, and forecasts tested on the past."""
