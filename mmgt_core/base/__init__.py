"""What every other room builds on: errors, progress, the time base, limits, and file access."""
