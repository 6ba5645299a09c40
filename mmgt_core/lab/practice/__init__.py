"""All of training on a small set of real files that the project makes: from videos to a speaker adapter."""
