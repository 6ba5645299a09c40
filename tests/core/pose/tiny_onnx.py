"""Two tiny ONNX networks in place of YOLOX and DWPose, which see what the tests paint.

The detector takes blue blots for people; its boxes are squares around grid cells of 32 pixels whose size the
blot's green tells. The pose network puts every point on the brightest (least blue) spot of what it is shown.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# As published; nothing of the package is imported, so that the tests inside ComfyUI can use this file too.
DETECTOR_FILE, POSE_FILE = "yolox_l.onnx", "dw-ll_ucoco_384.onnx"
DETECTOR_SIZE, POSE_SIZE = 640, (288, 384)
OPSET = 13
BLUE, RED = 0, 2  # of BGR
CELLS, STRIDE = 20, 32
ANCHORS = 8400
SMALLEST, LARGEST = 5.0, 9.0  # box sides in cells, at no and at full green
FACE, LEFT_HAND, RIGHT_HAND = slice(23, 91), slice(91, 112), slice(112, 133)  # of COCO-WholeBody


def write_networks(folder: Path, scores: np.ndarray | None = None) -> Path:
    """The two files under their published names; `scores` (133,) scale the points' responses."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(detector_network(), folder / DETECTOR_FILE)
    onnx.save(pose_network(np.ones(133) if scores is None else scores), folder / POSE_FILE)
    return folder


def detector_network() -> onnx.ModelProto:
    """(1, 3, 640, 640) of 0..255 -> (1, 8400, 85)."""
    size = DETECTOR_SIZE
    channel = np.zeros((3, 3, 1, 1), np.float32)
    channel[0, BLUE], channel[0, RED] = 1 / 255, -1 / 255  # objectness: blue without red
    channel[1, 1] = np.log(LARGEST / SMALLEST) / 255  # log of the box side, from green
    constants = {
        "mix": channel,
        "gray": np.array([0, np.log(SMALLEST), 0], np.float32).reshape(1, 3, 1, 1),
        "rows": np.array([1, 3, CELLS * CELLS], np.int64),
        "half": np.full((1, CELLS * CELLS, 2), 0.5, np.float32),
        "classes": np.concatenate(
            [np.ones((1, CELLS**2, 1)), np.zeros((1, CELLS**2, 79))], axis=2
        ).astype(np.float32),
        "before": np.zeros((1, ANCHORS - CELLS**2, 85), np.float32),
        "zero": np.array([0], np.int64), "one": np.array([1], np.int64), "two": np.array([2], np.int64),
    }  # fmt: skip
    nodes = [
        helper.make_node(
            "AveragePool", ["images"], ["pooled"], kernel_shape=[STRIDE] * 2, strides=[STRIDE] * 2
        ),
        helper.make_node("Conv", ["pooled", "mix"], ["mixed"]),
        helper.make_node("Add", ["mixed", "gray"], ["raised"]),
        helper.make_node("Reshape", ["raised", "rows"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["cells"], perm=[0, 2, 1]),
        helper.make_node("Slice", ["cells", "zero", "one", "two"], ["object"]),
        helper.make_node("Slice", ["cells", "one", "two", "two"], ["side"]),
        helper.make_node("Concat", ["half", "side", "side", "object", "classes"], ["last"], axis=2),
        helper.make_node("Concat", ["before", "last"], ["output"], axis=1),
    ]
    return _model(nodes, constants, ("images", [1, 3, size, size]), [("output", [1, ANCHORS, 85])])


def pose_network(scores: np.ndarray) -> onnx.ModelProto:
    """(n, 3, 384, 288) -> (n, 133, 576) and (n, 133, 768), highest at the brightest column and row."""
    width, height = POSE_SIZE
    nodes, constants = [], {"scores": (scores / 2.5).astype(np.float32).reshape(1, 133, 1)}
    outputs = []
    for name, length, axis in (("simcc_x", width, 2), ("simcc_y", height, 3)):
        double = np.repeat(np.eye(length, dtype=np.float32), 2, axis=1)  # two bins a pixel
        constants[f"{name}_double"] = double
        nodes += [
            helper.make_node("ReduceMin", ["input"], [f"{name}_dark"], axes=[1], keepdims=1),
            helper.make_node("ReduceMax", [f"{name}_dark"], [f"{name}_line"], axes=[axis], keepdims=0),
            helper.make_node("MatMul", [f"{name}_line", f"{name}_double"], [f"{name}_bins"]),
            helper.make_node("Mul", [f"{name}_bins", "scores"], [name]),
        ]
        outputs.append((name, ["n", 133, 2 * length]))
    return _model(nodes, constants, ("input", ["n", 3, height, width]), outputs)


def _model(nodes, constants, picture, outputs) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(picture[0], TensorProto.FLOAT, picture[1])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def paint(width: int, height: int, people: list[tuple[float, float, int]]) -> np.ndarray:
    """uint8 RGB: around each (x, y) (fractions) a blue blot of that green, a white spot in its middle."""
    picture = np.zeros((height, width, 3), np.uint8)
    side = min(width, height)
    rows, columns = np.mgrid[:height, :width]
    for x, y, green in people:
        distance = np.maximum(abs(columns + 0.5 - x * width), abs(rows + 0.5 - y * height))
        picture[distance < 0.08 * side] = (0, green, 255)
        picture[distance < max(0.012 * side, 1)] = 255
    return picture
