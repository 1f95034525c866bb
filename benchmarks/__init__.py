"""Measures what the README claims: one script a table."""
