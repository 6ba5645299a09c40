"""Motions in the files of other programs: 2-D points stay 2-D, and nothing that would need 3-D angles."""
