"""The ComfyUI nodes of MMGT and the extension that registers them."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .audio_features import LoadAudioFeatures
from .comfy.library_routes import add_routes
from .comfy.missing_libraries import names_missing_library
from .comfy.services import register_model_folder
from .crop_face import MMGTCropFace
from .decode_video import MMGTDecodeVideo
from .demo_inputs import MMGTDemoInputs
from .detect_pose import MMGTDetectPose
from .doctor import MMGTDoctor
from .draw_pose import MMGTDrawPose
from .edit_motion import MMGTEditMotion
from .edit_part import MMGTEditPart
from .export_motion import MMGTExportMotion
from .generate_motion import SMGAPoseGenerate
from .load_portrait import MMGTLoadPortrait
from .loaders import MMGTLoadMotionModel, MMGTLoadVideoModel
from .motion_files import MMGTLoadMotion, MMGTMotionFromPose, MMGTSaveMotion
from .motion_library import MMGTLoadFromLibrary, MMGTSaveToLibrary
from .motion_mask import MotionMaskFromKeypoints
from .preview_motion import MMGTPreviewMotion
from .sampler import MMGTApply, MMGTSampler
from .smooth_motion import MMGTSmoothMotion
from .trim_motion import MMGTTrimMotion

NODES: list[type[io.ComfyNode]] = [
    names_missing_library(node)
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
        MMGTLoadPortrait,
        MMGTDoctor,
        MMGTDrawPose,
        MMGTTrimMotion,
        MMGTEditPart,
        MMGTSmoothMotion,
        MMGTExportMotion,
        MMGTPreviewMotion,
        MMGTCropFace,
        MMGTSaveToLibrary,
        MMGTLoadFromLibrary,
    )
]


class MMGTExtension(ComfyExtension):
    """Returns the node classes to ComfyUI."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        add_routes()
        register_model_folder()  # for the loaders' file lists; older hosts have no `on_load`
        return list(NODES)
