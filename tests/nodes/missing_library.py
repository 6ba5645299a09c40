"""Run in a process of its own, under ComfyUI's Python: what the pack says when libraries are not installed.

python missing_library.py FOLDER  ->  JSON: library -> [number of nodes, error of the node that wants it]
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.nodes.conftest import ROOT, start_host
from tests.nodes.running import Executor, load_core_nodes

DEMO = {"class_type": "MMGTDemoInputs", "inputs": {}}
LISTEN = {
    "class_type": "LoadAudioFeatures",
    "inputs": {"audio": ["demo", 2], "start": 0.0, "duration": 0.4, "silence_gate": True},
}
KEEP = {"class_type": "MMGTSaveMotion", "inputs": {"motion": ["demo", 1], "filename_prefix": "t"}}
DETECT = {"class_type": "MMGTDetectPose", "inputs": {"image": ["demo", 0]}}
SHOW = {"class_type": "PreviewAny", "inputs": {"source": ["node", 0]}}
WANTED = {
    "soxr": LISTEN,
    "cv2": KEEP,
    "onnxruntime": DETECT,
    "diffusers": None,
    "transformers": None,
}


def block(library: str) -> dict[str, object]:
    """Make a library absent -> what was loaded of it."""
    loaded = {name: sys.modules[name] for name in sys.modules if f"{name}.".startswith(f"{library}.")}
    sys.modules.update(dict.fromkeys([*loaded, library]))
    return loaded


def unload_pack(name: str) -> None:
    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]


def main(folder: Path) -> None:
    pack = start_host(folder)
    import folder_paths

    import nodes

    load_core_nodes("nodes_preview_any")
    models = folder / "mmgt"
    models.mkdir()
    for name in ("yolox_l.onnx", "dw-ll_ucoco_384.onnx"):
        (models / name).write_bytes(b"not read before the library is there")
    errors = {}
    for library, wanted in WANTED.items():
        unload_pack(pack)
        loaded = block(library)
        for name in [name for name, cls in nodes.NODE_CLASS_MAPPINGS.items() if "MMGT" in str(cls)]:
            del nodes.NODE_CLASS_MAPPINGS[name]
        assert asyncio.run(nodes.load_custom_node(str(ROOT)))
        folder_paths.folder_names_and_paths["mmgt"] = ([str(models)], {".onnx"})
        ours = [cls for cls in nodes.NODE_CLASS_MAPPINGS.values() if cls.__module__.startswith(pack)]
        error = None
        if wanted is not None:
            error = Executor().run({"demo": DEMO, "node": wanted, "show": SHOW}).error
        errors[library] = [len(set(ours)), error]
        sys.modules.pop(library)
        sys.modules.update(loaded)
    print(json.dumps(errors))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
