"""Measures of motion and images, and the intervals that belong to them; nothing here knows a model."""
