"""The figures that are means over clips: their names, units, directions and meanings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", ""]


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: its key in the records and in eval.json.
        title: how tables name it.
        better: which direction is better; "" where neither is (compare with the truth).
        unit: "" for a ratio or a correlation.
        compares: whether it needs the truth.
    """

    name: str
    title: str
    better: Better = ""
    unit: str = ""
    compares: bool = False


IMAGES = (
    Figure("psnr", "PSNR", "higher", "dB", True),
    Figure("ssim", "SSIM", "higher", "", True),
    Figure("lpips", "LPIPS", "lower", "", True),
    Figure("psnr_face", "PSNR, face", "higher", "dB", True),
    Figure("ssim_face", "SSIM, face", "higher", "", True),
    Figure("lpips_face", "LPIPS, face", "lower", "", True),
    Figure("psnr_hands", "PSNR, hands", "higher", "dB", True),
    Figure("ssim_hands", "SSIM, hands", "higher", "", True),
    Figure("lpips_hands", "LPIPS, hands", "lower", "", True),
    Figure("psnr_start", "PSNR of the first 4 frames", "higher", "dB", True),
    Figure("sharpness", "gradient energy over the truth's", "", "", True),
    Figure("sharpness_hands", "gradient energy over the truth's, hands", "", "", True),
    Figure("flicker", "frame-to-frame difference", "", "/255"),
    Figure("background", "background drift, last second against frame 0", "lower", "/255"),
    Figure("face_lpips", "face drift (LPIPS), last second against frame 0", "lower"),
)
MOTIONS = (
    Figure("lips_sound", "lips against loudness, correlation without lag"),
    Figure("lips_sound_best", "lips against loudness, correlation at the best lag"),
    Figure("lips_sound_lag", "lips against loudness, best lag (late is positive)", "", "ms"),
    Figure("lips_truth", "lips against the true lips, correlation without lag", "higher", "", True),
    Figure("lips_truth_lag", "lips against the true lips, best lag", "", "ms", True),
    Figure("lips_phonemes", "lips against phonemes, correlation of the opening", "higher"),
    Figure("lips_meet", "m, p, b with closed lips, share", "higher"),
    Figure("rmse", "RMSE of keypoints", "lower", "px of 512", True),
    Figure("rmse_lips", "RMSE of the lips", "lower", "px of 512", True),
    Figure("rmse_hands", "RMSE of the hands", "lower", "px of 512", True),
    Figure("wrists_truth", "wrist speed against the truth's, correlation", "higher", "", True),
    Figure("first_pose", "frame 0 against the truth's", "lower", "px of 512", True),
    Figure("beat", "beat alignment", "higher"),
    Figure("beat_gain", "beat alignment above chance", "higher"),
    Figure("jerk", "jerk of arms and hands", "", "px/s^3"),
    Figure("hand_acceleration", "acceleration of the hands", "", "px/frame^2"),
    Figure("lip_acceleration", "acceleration of the lips", "", "px/frame^2"),
    Figure("opening_variance", "variance of the mouth's opening", "", "px^2"),
    Figure("wrist_speed", "speed of the wrists", "", "px/frame"),
    Figure("mouth_closed", "mouth closed in silence, share of frames", "higher"),
    Figure("hands_silent", "speed of the wrists, silence over speech"),
    Figure("hands_seen", "share of visible hands", "higher"),
    Figure("hand_score", "score of hand points", "higher"),
    Figure("shape_drift", "change of body lengths, last second against frame 0", "lower"),
)
DISTRIBUTIONS = (
    Figure("fgd", "FGD", "lower", "", True),
    Figure("diversity", "diversity (encoder)", "higher"),
    Figure("diversity_motion", "diversity (motion)", "higher", "shoulder widths"),
    Figure("fid", "FID", "lower", "", True),
    Figure("kid", "KID", "lower", "", True),
    Figure("fid_face", "FID, face", "lower", "", True),
    Figure("kid_face", "KID, face", "lower", "", True),
    Figure("fvd", "FVD", "lower", "", True),
    Figure("kvd", "KVD", "lower", "", True),
    Figure("fvd_face", "FVD, face", "lower", "", True),
    Figure("kvd_face", "KVD, face", "lower", "", True),
)
SYNC = (
    Figure("sync_c", "Sync-C", "higher"),
    Figure("sync_d", "Sync-D", "lower"),
    Figure("no_face", "share of frames without a face", "lower"),
)
DRAWN = (
    Figure("psnr_hair", "PSNR of the head without the face", "higher", "dB", True),
    Figure("mouth_seen", "mouth opening in the pixels, correlation with the true lips", "higher", "", True),
    Figure("five_fingers", "hands that show five fingers, per clip", "higher"),
    Figure("hands_apart", "hands that do not cover each other, per clip"),
)
"""Figures that only images of drawn speakers have."""
FIGURES = (*DISTRIBUTIONS, *IMAGES, *SYNC, *MOTIONS, *DRAWN)
OVER_ALL = {*(figure.name for figure in DISTRIBUTIONS), "lips_sound_best", "lips_sound_lag", "lips_truth_lag"}
"""Names of figures over all clips at once, which no single clip has."""
PAPER = ("fgd", "diversity", "fid", "fvd", "psnr", "ssim", "lpips", "sync_c", "sync_d")
"""The columns of the paper's tables, in their order."""
BY_NAME = {figure.name: figure for figure in FIGURES}
