"""Motions that no network makes, to compare with: one idea a file."""
