"""Scaling laws: pretraining, post-training and test time on one bill."""
