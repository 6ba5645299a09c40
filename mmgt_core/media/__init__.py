"""Images and video files: loading, framing, streamed writing and reading, contact sheets."""
