"""The files that MMGT can use, one table: what each is, where it comes from, where it goes.

A size or SHA-256 stands here only where a public page states it: the page of the repository itself, or, for
the sizes of the DWPose files and WavLM and the hash of the VAE, a public copy under the same name or hash.
None means that it is not known; such a file is checked by its tensors alone when it is loaded or converted.
The folders inside the MMGT repository are those that the official scripts read from; nobody here has seen
its list of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class KnownFile:
    """One file that a loader may ask for.

    Attributes:
        name: what `mmgt download` calls it.
        title: what a person calls it, with its article.
        repository, path: on Hugging Face, and inside that repository.
        folder: below ComfyUI's `models`.
        file: its name there; unlike `path` it says what it is.
        license: as its repository states it.
        needed_by: the nodes, and what for.
        also: other names under which the same model is known, such as what `mmgt convert` makes of it.
        size: bytes; sha256: hexadecimal; None where not known.
        optional: the standard way works without it.
    """

    name: str
    title: str
    repository: str
    path: str
    folder: str
    file: str
    license: str
    needed_by: str
    also: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None
    optional: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every file name that counts as this model."""
        return (self.file, *self.also)

    @property
    def page(self) -> str:
        """Where a person reads about it."""
        return f"https://huggingface.co/{self.repository}"


MMGT = "addtime/MMGT_pretrained"
NO_LICENCE = "no license stated by the authors: ask them before you pass it on"

REGISTRY = (
    KnownFile(
        name="motion",
        title="the Stage I motion model",
        repository=MMGT,
        path="stage_1/audio2pose_best_model.pt",
        folder="mmgt",
        file="audio2pose_best_model.pt",
        also=("audio2pose_best_model.safetensors",),
        license=NO_LICENCE,
        needed_by="MMGTLoadMotionModel (speech to motion)",
    ),
    KnownFile(
        name="video",
        title="the Stage II video model",
        repository=MMGT,
        path="stage_2/process_2/net-32500.pth",
        folder="mmgt",
        file="net-32500.pth",
        also=("net-32500.safetensors", "net-32500_adapter.safetensors"),
        license=NO_LICENCE,
        needed_by="MMGTLoadVideoModel (motion to video)",
    ),
    KnownFile(
        name="wavlm",
        title="the speech encoder WavLM-Large",
        repository="s3prl/converted_ckpts",
        path="wavlm_large.pt",
        folder="audio_encoders",
        file="wavlm_large.pt",
        also=("WavLM-Large.pt", "WavLM-Large.safetensors", "wavlm_large.safetensors"),
        license="see https://github.com/microsoft/unilm/tree/master/wavlm",
        needed_by="MMGT Audio Features (Stage I)",
        size=1_261_965_425,
        sha256="6fb4b3c3e6aa567f0a997b30855859cb81528ee8078802af439f7b2da0bf100f",
    ),
    KnownFile(
        name="wav2vec2",
        title="the speech encoder wav2vec2-base-960h",
        repository="facebook/wav2vec2-base-960h",
        path="model.safetensors",
        folder="audio_encoders",
        file="wav2vec2_base_960h.safetensors",
        also=("wav2vec2-base-960h.safetensors", "wav2vec2_base_960h_fp16.safetensors"),
        license="Apache-2.0",
        needed_by="AudioEncoderLoader (Stage II)",
        sha256="8aa76ab2243c81747a1f832954586bc566090c83a0ac167df6f31f0fa917d74a",
    ),
    KnownFile(
        name="clip-vision",
        title="the CLIP image encoder of sd-image-variations",
        repository="lambdalabs/sd-image-variations-diffusers",
        path="image_encoder/pytorch_model.bin",
        folder="clip_vision",
        file="sd_image_variations_clip_vision.bin",
        also=("sd_image_variations_clip_vision.safetensors",),
        license="CreativeML Open RAIL-M",
        needed_by="CLIPVisionLoader (the portrait's token)",
    ),
    KnownFile(
        name="vae",
        title="the VAE of SD1.5 (ft-mse)",
        repository="stabilityai/sd-vae-ft-mse-original",
        path="vae-ft-mse-840000-ema-pruned.safetensors",
        folder="vae",
        file="vae-ft-mse-840000-ema-pruned.safetensors",
        license="MIT",
        needed_by="VAELoader (images to latents and back)",
        size=334_641_190,
        sha256="735e4c3a447a3255760d7f86845f09f937809baa529c17370d83e4c3758f3c75",
    ),
    KnownFile(
        name="person-detector",
        title="the person detector YOLOX-L",
        repository="yzd-v/DWPose",
        path="yolox_l.onnx",
        folder="mmgt",
        file="yolox_l.onnx",
        license="Apache-2.0",
        needed_by="the pose detector (finds the person)",
        size=216_746_733,
        sha256="7860ae79de6c89a3c1eb72ae9a2756c0ccfbe04b7791bb5880afabd97855a411",
    ),
    KnownFile(
        name="pose-detector",
        title="the keypoint detector DWPose-L 384",
        repository="yzd-v/DWPose",
        path="dw-ll_ucoco_384.onnx",
        folder="mmgt",
        file="dw-ll_ucoco_384.onnx",
        license="Apache-2.0",
        needed_by="the pose detector (134 keypoints)",
        size=134_399_116,
        sha256="724f4ff2439ed61afb86fb8a1951ec39c6220682803b4a8bd4f598cd913b1843",
    ),
    KnownFile(
        name="animatediff",
        title="AnimateDiff's motion modules v2",
        repository="guoyww/animatediff",
        path="mm_sd_v15_v2.ckpt",
        folder="animatediff_models",
        file="mm_sd_v15_v2.ckpt",
        also=("mm_sd_v15_v2.safetensors",),
        license="Apache-2.0",
        needed_by="nothing at inference; video training starts from it",
        size=1_817_888_431,
        sha256="69ed0f5fef82b110aca51bcab73b21104242bc65d6ab4b8b2a2a94d31cad1bf0",
        optional=True,
    ),
)


def known_file(name: str) -> KnownFile | None:
    """The entry of that name, or of that file name in any of its spellings."""
    plain = PurePosixPath(name.replace("\\", "/")).name
    return next((entry for entry in REGISTRY if entry.name == name or plain in entry.names), None)
