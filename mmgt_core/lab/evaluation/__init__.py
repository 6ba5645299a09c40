"""The figures of the demo model: how they are measured, what they must reach, and how they are shown."""
