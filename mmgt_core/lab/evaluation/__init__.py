"""Figures of gestures, of long clips, and of the borders between windows."""
