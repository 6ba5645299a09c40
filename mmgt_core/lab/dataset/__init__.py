"""A prepared data set on disk: an index, and shards of clips in the webdataset layout.

`layout` says what a clip consists of, `index` and `clip` are the two kinds of JSON in it, `writer` makes a
data set, and `reader` reads it back, only the entries that are wanted (docs/training_data.md).
"""
