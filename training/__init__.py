"""Reproduces every model that the packages ship, from the shared data: one command a model."""
