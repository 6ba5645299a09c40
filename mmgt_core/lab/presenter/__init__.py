"""The procedural presenter: a made-up cartoon speaker whose speech, motion and images all follow from a seed.

The way of a clip: `sentences` -> `speech` (sound and timed phonemes) -> `law` (134 exact keypoints per frame)
-> `draw` (images); `clip` does all of it in one call, `meter` reads the mouth opening back from pixels.
"""
