"""Work folders: finished parts of a long run, kept on disk so that the same call continues after a crash."""
