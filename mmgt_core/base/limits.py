"""Size limits of untrusted files and values, all in one place.

Each limit lies well above what a person needs and below what hurts the machine; every reader checks it before
it reads or allocates. User files are: sound, images, video, pose JSON, motion files,
safetensors, torch checkpoints, their headers and configurations, jobs files, tables of videos, and the
shards and index of prepared data.
"""

from __future__ import annotations

# Sound
AUDIO_RATE = (1_000, 768_000)  # Hz, both included
AUDIO_CHANNELS = 64
AUDIO_PLANES = 8  # channels that a codec hands out apart: PyAV reads past the end of its table beyond them
MEDIA_SECONDS = 3 * 60 * 60  # of sound or video that one run uses
AUDIO_SAMPLES = 2**29  # of one channel in memory: 2 GiB, three hours at 48 kHz
DAMAGED_PACKETS = 100  # skipped with a warning before a file counts as unreadable
STREAMS = 100  # of one file

# Images and video
PICTURE_PIXELS = 2**26  # 8192 x 8192
PICTURE_SIDE = 32_768  # pixels; also of a pose's canvas
PICTURE_BYTES = 2**30  # of an image file
VIDEO_PIXELS = 2**25  # of a frame; 8K has 33 million
VIDEO_RATE = (0.1, 1_000.0)  # frames a second
VIDEO_FRAMES = MEDIA_SECONDS * 25
VIDEO_BYTES_IN_MEMORY = 2**33  # of frames that one call hands out together

# Poses
POINT_OUTSIDE = 100.0  # widths or heights of the image that a keypoint may lie away from it

# JSON
JSON_DEPTH = 32  # of nested lists and objects
POSE_BYTES = 2**28  # of a pose file: more than an hour
POSE_FRAMES = VIDEO_FRAMES
POSE_PEOPLE = 100  # on one frame
CONFIG_BYTES = 2**20  # of a config.json, or of a configuration in a header

# Model files
HEADER_BYTES = 2**24  # of a safetensors file; that of 2232 tensors takes 0.3 MB
TENSORS = 2**15
DIMENSIONS = 8
PICKLE_BYTES = 2**23  # the table of contents of a torch checkpoint; that of 2232 tensors takes 0.3 MB
LAYERS = 128  # of any kind in a configuration
WIDTH = 2**16  # any other whole number in a configuration
CONFIG_ENTRIES = 16  # of a list in a configuration
MOTION_FRAMES = VIDEO_FRAMES

# Jobs files
JOBS = 10_000
JOB_LINE = 2**16  # bytes
JOB_SETS = 64
JOB_TEXT = 10_000  # characters of one value, such as a prompt
PATH = 1_024  # characters

# Marks of generated files
MARK_TEXT = 200  # characters of a consent reference or a producer
XMP_BYTES = 2**22  # of an XMP packet
MOVIE_TAGS_BYTES = 2**26  # of the tags of a video; ComfyUI writes whole workflows there
BOXES = 100_000  # of one level of an MP4 file, or chunks of an image
PEM_BYTES = 2**20  # of a certificate chain or a key
