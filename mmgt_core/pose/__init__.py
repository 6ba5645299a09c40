"""Whole-body poses: the 134-keypoint skeleton, motions, drawing, motion masks, interchange formats."""
