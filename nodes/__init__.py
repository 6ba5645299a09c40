"""The binding of `mmgt_core` to ComfyUI: thin nodes and the extension that lists them."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .audio_features import LoadAudioFeatures
from .comfy.missing_libraries import tells_what_is_missing
from .comfy.services import register_model_folder
from .decode_video import MMGTDecodeVideo
from .demo_inputs import MMGTDemoInputs
from .detect_pose import MMGTDetectPose
from .generate_motion import SMGAPoseGenerate
from .loaders import MMGTLoadMotionModel, MMGTLoadVideoModel
from .motion_files import MMGTEditMotion, MMGTLoadMotion, MMGTMotionFromPose, MMGTSaveMotion
from .motion_mask import MotionMaskFromKeypoints
from .sampler import MMGTApply, MMGTSampler

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


class MMGTExtension(ComfyExtension):
    """What ComfyUI asks for our node classes."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        register_model_folder()  # the loaders' lists of files need it; older hosts know no `on_load`
        return list(NODES)
