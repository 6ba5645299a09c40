"""From videos to a prepared data set: `mmgt prepare` (docs/training_data.md).

A source goes through `timeline` (25 fps, cuts), `poses` (one person), `faults` (quality filter), `stretches`
(what is kept), `cropping` and `features`; `part_maker` makes a part in DATA/work of it. `run` does so for all
`sources`, divides the clips (`split`), writes the shards, and reports.
"""
