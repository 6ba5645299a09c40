"""Measures of motion and pictures, and the intervals that belong to them; nothing here knows a model."""
