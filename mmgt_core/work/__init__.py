"""Work folders: what a long run has finished lies on disk, so that the same call goes on after a crash."""
