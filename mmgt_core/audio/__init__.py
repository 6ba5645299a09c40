"""Audio features of both stages, and the silence gate."""
