"""The binding of `mmgt_core` to ComfyUI: thin nodes and the extension that lists them."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from ..mmgt_core.errors import MMGTError
from .decode_video import MMGTDecodeVideo
from .demo_inputs import MMGTDemoInputs
from .detect_pose import MMGTDetectPose
from .host import register_model_folder
from .load_audio_features import LoadAudioFeatures
from .load_models import MMGTLoadMotionModel, MMGTLoadVideoModel
from .missing_libraries import tells_what_is_missing
from .motion_mask import MotionMaskFromKeypoints
from .pose_nodes import MMGTEditMotion, MMGTLoadMotion, MMGTMotionFromPose, MMGTSaveMotion
from .sampler import MMGTApply, MMGTSampler
from .smga_pose_generate import SMGAPoseGenerate

NODES: list[type[io.ComfyNode]] = [
    tells_what_is_missing(node)
    for node in (
        LoadAudioFeatures,
        SMGAPoseGenerate,
        MotionMaskFromKeypoints,
        MMGTSampler,
        MMGTApply,
        MMGTLoadMotionModel,
        MMGTLoadVideoModel,
        MMGTDetectPose,
        MMGTMotionFromPose,
        MMGTSaveMotion,
        MMGTLoadMotion,
        MMGTEditMotion,
        MMGTDecodeVideo,
        MMGTDemoInputs,
    )
]

for _error in (MMGTError, *MMGTError.__subclasses__()):
    _error.__module__ = (
        "mmgt"  # the host shows it in the error box: without this, the pack's path on the server
    )


class MMGTExtension(ComfyExtension):
    """What ComfyUI asks for our node classes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        register_model_folder()  # the loaders' lists of files need it; older hosts know no `on_load`
        return list(NODES)
