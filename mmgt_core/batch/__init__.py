"""Batches of videos on a Ray cluster, or on this machine: `mmgt batch`.

`jobs` reads the jobs file as a stream and `options` what a line may choose; `storage` is local folders and
object stores behind one set of calls; `results` puts each video into its place once, `finished` remembers
what is done; `cluster` is the connection to Ray; `crew` says how many workers there are, `workers` and
`video_workers` are the stages, `helpers` share one clip, `pool` keeps the actors alive, `run` is the loop
that brings jobs and workers together.
"""
