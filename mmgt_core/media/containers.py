"""Endings of the video files that we write."""

from __future__ import annotations

CONTAINERS = (".mp4", ".mov", ".mkv")
