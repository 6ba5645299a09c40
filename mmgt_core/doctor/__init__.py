"""`mmgt doctor`: what is installed, which models are there, and whether both stages do what they should."""
