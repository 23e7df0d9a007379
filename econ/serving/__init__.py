"""Serving: how many users are served well, by exact simulation and by queueing theory."""
