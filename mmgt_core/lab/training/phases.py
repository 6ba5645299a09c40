"""The names of the demo model's phases, apart from the trainers so that a command line loads none of them."""

from __future__ import annotations

PHASES = ("speech", "pictures", "smga", "gestures", "autoencoder", "image", "video", "whole", "decoder")
"""In the order of the work; each needs the files of those before it."""
