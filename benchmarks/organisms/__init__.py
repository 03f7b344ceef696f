"""Planted behaviours: how many of a model's hidden behaviours each way of fitting brings out."""
