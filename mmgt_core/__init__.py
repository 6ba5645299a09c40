"""MMGT: one portrait and one speech recording become a video of that person speaking and gesturing.

The headless core of ComfyUI-MMGT. It knows nothing of ComfyUI; `nodes/` at the top of the repository binds
it to that host. Importing it loads no heavy library and no model file, and touches no GPU and no network.
"""

__version__ = "0.1.0"
