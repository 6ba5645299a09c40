"""All of training on a small set of real files that the project makes itself: from videos to a speaker's adapter."""
