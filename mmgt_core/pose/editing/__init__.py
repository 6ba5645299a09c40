"""What an animator does to a motion, one operation a file.

None of them averages a point with one that is not visible.
"""
