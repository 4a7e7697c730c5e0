"""Pigeonhole: documents in, one category and a summary each out."""
