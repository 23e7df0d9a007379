"""Tokens: count them, bill them, and read what a workload asks for."""
