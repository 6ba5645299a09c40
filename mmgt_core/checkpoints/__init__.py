"""Model files: configuration in the header, key maps as data, strict both ways; where they come from."""
