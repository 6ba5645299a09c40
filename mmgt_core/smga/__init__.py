"""SMGA, MMGT's Stage I: speech and a first pose become whole-body keypoints, by diffusion in windows."""
