"""`denoise` with the choices of a clip as keywords, as tests write them."""

from __future__ import annotations

from mmgt_core.base.progress import silent
from mmgt_core.video.denoise import Observer
from mmgt_core.video.denoise import denoise as core_denoise
from mmgt_core.video.sampling import Sampling


def denoise(
    model,
    conditions,
    *,
    noise=None,
    progress=silent,
    preview=None,
    work=None,
    unfinished=None,
    closed_loop=None,
    region_weights=(None, None, None),
    **choices,
):
    """See `mmgt_core.video.denoise.denoise`; `choices` are fields of `Sampling`."""
    ends = {None: None, True: "closed loop", False: "open"}[closed_loop]
    pose, face, lips = region_weights
    sampling = Sampling(
        pose_weight=pose, face_weight=face, lip_weight=lips, window_ends=ends, **{"seed": 42} | choices
    )
    observer = Observer(progress, preview, work)
    return core_denoise(model, conditions, sampling, noise=noise, observer=observer, unfinished=unfinished)


class SeenSteps:
    """In place of a work folder: remembers the latents after each step, and holds nothing to resume."""

    def __init__(self):
        self.latents = []

    def resume(self):
        return None

    def keep(self, done, latents):
        assert done == len(self.latents) + 1
        self.latents.append(latents.clone())

    def windows(self, step):
        return iter(())

    def keep_windows(self, step, first, v, count):
        pass

    def batch(self, asked):
        return None

    def note_batch(self, asked, windows):
        pass
