"""Latency: how long a token takes, from the datasheet to a calibrated prediction with a band."""
