"""`mmgt inspect`: what a file says about its origin, and what of it can be checked."""
