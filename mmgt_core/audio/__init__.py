"""Sound: decoding, the features that SMGA and the video model hear, and the silence gate."""
