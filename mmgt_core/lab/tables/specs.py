"""What a configuration of `mmgt tables` can say: data, models, rows, and what their figures must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .gate import Bound

MOTIONS = ("", "true", "first pose", "mean pose", "nearest")
REPEATED, FILMED = "repeated portrait", "true frames"
VIDEOS = ("", REPEATED, FILMED)
TRAIN = "train"
PRESENTER = "presenter"
CLIPS = ("speech", "silence", "presenters")
TRUTH = "the truth"
COLUMNS = ("fgd", "diversity", "fid", "fvd", "psnr", "ssim", "lpips")


@dataclass(frozen=True)
class ModelSpec:
    """A model of the rows, a trained file or a training.

    Attributes:
        name: of its table. phase: what is trained.
        file: a trained model's file; "{seed}" in it is the seed. Empty: it is trained.
        recipe: the settings to begin with: "practice" (small, minutes on a CPU) or "published".
        start: name of the model of the phase before; needed for the video phase.
        audio: whether audio modules and audio projection of a video phase begin "untrained", or "kept" as
            the start has them.
        set: changed settings of the phase. Of the video phase `set.model` changes switches of the start.
    """

    name: str
    phase: Literal["smga", "image", "video"]
    file: str = ""
    recipe: Literal["practice", "published"] = "practice"
    start: str = ""
    audio: Literal["untrained", "kept"] = "untrained"
    set: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RowSpec:
    """A row of a table.

    Attributes:
        name: in the table.
        motion: a Stage I model's name; "true" (the poses of the truth), "first pose" (held), "mean pose" or
            "nearest" (gestures of the training clips whose sound is nearest); "": none.
        video: a Stage II model's name; "repeated portrait"; "true frames"; "": no video.
        sound: what the models read: the clip's "own", that of an "other" clip, or "none": zeros, or of
            drawn speakers the sound of silence.
        folder: videos and motions of another system, in any form that `mmgt eval` reads, instead of all that.
        paper: the paper's own numbers by figure, shown in a line of their own.
        pose, portrait: whether the true poses and the portrait are the clip's "own" or the "other" clip's.
        lips: "drawn", or "hidden": lips and jaw are not in the pose image and the masks of the face stand
            still, so that sound alone can move the mouth of the video.
        frames: that are rendered; 0 = the configuration's.
        steps, guidance: of the video's sampler; 0 = the model's own.
        autoencoder: the true frames through the video model's autoencoder, what no video can surpass.
        mp4: frames are written to an mp4 file and read again before they are measured in memory.
        sampler: "product", as `mmgt motion` makes it; "window": the network alone on clips as long as its
            window, without gesture track, alignment and body limits.
        at_once: clips of one batch of the sampler "window".
        ramp: whether a motion begins exactly in the first pose.
        clips: of drawn speakers: windows of "speech", of "silence", or "presenters", who also have images.
    """

    name: str
    motion: str = ""
    video: str = ""
    sound: Literal["own", "other", "none"] = "own"
    folder: str = ""
    paper: Mapping[str, float] = field(default_factory=dict)
    pose: Literal["own", "other"] = "own"
    portrait: Literal["own", "other"] = "own"
    lips: Literal["drawn", "hidden"] = "drawn"
    frames: int = 0
    steps: int = 0
    guidance: float = 0.0
    autoencoder: bool = False
    mp4: bool = False
    sampler: Literal["product", "window"] = "product"
    at_once: int = 1
    ramp: bool = True
    clips: Literal["speech", "silence", "presenters"] = "presenters"


@dataclass(frozen=True)
class Operand:
    """A figure of a row. row: "" = that of the check; "the truth" = the truth itself. figure: "" likewise."""

    row: str = ""
    figure: str = ""


@dataclass(frozen=True)
class BesideSpec:
    """A number beside a check: a control or a ceiling; with a bound it must hold too."""

    name: str
    operand: Operand
    bound: Bound | None = None


@dataclass(frozen=True)
class CheckSpec:
    """What a figure of a row must reach.

    Attributes:
        name: in words. of: the row and the figure. unit: "%" multiplies a quotient by 100.
        statistic: over clips: "mean", or "p10", the 10th percentile.
        minus, divide: what is subtracted from it clip by clip, or divides it.
        floor: what it must reach; goal: what it should. None: it only informs.
        all_clips: windows that do not speak count too, each by itself.
        beside: controls and ceilings.
    """

    name: str
    of: Operand
    unit: str = ""
    statistic: Literal["mean", "p10"] = "mean"
    minus: Operand | None = None
    divide: Operand | None = None
    floor: Bound | None = None
    goal: Bound | None = None
    all_clips: bool = False
    beside: tuple[BesideSpec, ...] = ()


@dataclass(frozen=True)
class TableSpec:
    """A table: rows, the first of which the others are compared with, figures, and what they must reach."""

    name: str
    title: str
    rows: tuple[RowSpec, ...]
    figures: tuple[str, ...] = COLUMNS
    checks: tuple[CheckSpec, ...] = ()


@dataclass(frozen=True)
class PresenterSpec:
    """Drawn speakers whose voices, sentences and performances no training has (needs espeak-ng).

    Attributes:
        seed: decides all of them.
        speech_clips: utterances, each of `windows_per_clip` windows of 80 frames with the true motion.
        silent_windows: windows of silence. identities: people with a portrait and a clip of 80 frames each.
        enough_windows, enough_identities: with fewer windows that speak, or people, it is a smoke run.
    """

    seed: int = 0
    speech_clips: int = 112
    windows_per_clip: int = 2
    silent_windows: int = 16
    identities: int = 32
    enough_windows: int = 0
    enough_identities: int = 0


@dataclass(frozen=True)
class TablesConfig:
    """Everything that one file says.

    Attributes:
        data: folder of `mmgt prepare`; None: drawn speakers. out: folder of models, clips and results.
        seeds: of trainings and noise; each row that depends on chance is made once for each.
        split, limit: clips that are measured: part of the data, and how many at most.
        frames: of each clip that are rendered, from the first on; of drawn speakers where they speak most.
        size: pixels of the images that the practice recipe trains.
        pose_encoder: file of `mmgt train pose-encoder`; "train": made from the data; "": no FGD.
        weights: folder of published networks (`mmgt eval --weights`); "": none.
        device: "auto", "cpu", "cuda", ...
        presenter: how many drawn speakers. limits: row -> clips of drawn speakers at most.
        quick: a smoke run, whose numbers must not be quoted.
    """

    data: Path | None
    out: Path
    tables: tuple[TableSpec, ...]
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)
    split: str = "validation"
    limit: int = 100
    frames: int = 75
    size: int = 128
    pose_encoder: str = ""
    weights: str = ""
    device: str = "auto"
    presenter: PresenterSpec = field(default_factory=PresenterSpec)
    limits: Mapping[str, int] = field(default_factory=dict)
    quick: bool = False
