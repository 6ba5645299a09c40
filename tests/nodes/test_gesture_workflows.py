"""The workflows that hand gestures to other video models: valid here, and all but the model runs.

Samplers hand their latents on; VAEs, encoders and ControlNet are stand-ins of the right class or shape. The
host's own conditioning, decoding and video nodes run on our outputs.
"""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

from . import stand_ins
from .given import give  # noqa: F401
from .running import Executor, load_core_nodes, output_of

FOLDER = Path(__file__).resolve().parents[2] / "example_workflows" / "api"
NAMES = sorted(path.stem for path in FOLDER.glob("gestures_to_*.json"))
EXTRAS = (
    "nodes_wan", "nodes_lt", "nodes_lt_audio", "nodes_audio_encoder", "nodes_video", "nodes_images",
    "nodes_mask", "nodes_latent", "nodes_preview_any", "nodes_model_advanced", "nodes_context_windows",
    "nodes_audio",
)  # fmt: skip
FILES = {
    "unet_name", "clip_name", "vae_name", "audio_encoder_name", "ckpt_name", "lora_name", "control_net_name",
    "text_encoder",
}  # fmt: skip
"""Widgets that name files, of which this host has none."""
SECONDS = ["0.7", "5", *(pytest.param(seconds, marks=pytest.mark.slow) for seconds in ("12.3", "61"))]
SIDE = 64


@pytest.fixture(scope="module", autouse=True)
def core_nodes(pack):
    """The host's own nodes, and a sampler that hands its latent on."""
    import nodes

    load_core_nodes(*EXTRAS)
    nodes.NODE_CLASS_MAPPINGS["TestSampler"] = _Sampler
    yield
    del nodes.NODE_CLASS_MAPPINGS["TestSampler"]


class _Sampler:
    FUNCTION, CATEGORY, RETURN_TYPES = "sample", "tests", ("LATENT",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - the host's name
        return {"required": {"latent_image": ("LATENT",), "positive": ("CONDITIONING",)}}

    def sample(self, latent_image: Any, positive: Any) -> tuple[Any]:
        return (latent_image,)


def api(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def kinds(node: type) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Input -> (type, options), as /object_info gives them."""
    groups = node.INPUT_TYPES()
    given = {**groups.get("required", {}), **groups.get("optional", {})}
    return {name: (spec[0], spec[1] if len(spec) > 1 else {}) for name, spec in given.items()}


@pytest.mark.parametrize("name", [*NAMES, "motion_only"])
def test_valid_against_the_host(name):
    """Every class, input, type and value, as the host's validation reads them, but for files."""
    import nodes

    prompt = api(name)
    for node in prompt.values():
        assert node["class_type"] in nodes.NODE_CLASS_MAPPINGS, node["class_type"]
        made = nodes.NODE_CLASS_MAPPINGS[node["class_type"]]
        known = kinds(made)
        assert set(made.INPUT_TYPES().get("required", {})) <= set(node["inputs"]), node["class_type"]
        for given, value in node["inputs"].items():
            where = f"{node['class_type']}.{given}"
            if "." in given:  # below a choice of the host
                assert given.split(".")[0] in known, where
                continue
            kind, options = known[given]
            if isinstance(value, list):
                source = nodes.NODE_CLASS_MAPPINGS[prompt[value[0]]["class_type"]]
                made_kind = source.RETURN_TYPES[value[1]]
                assert kind == "*" or made_kind in kind.split(","), (where, made_kind, kind)
            elif given not in FILES:
                choices = kind if isinstance(kind, list) else options.get("options", [value])
                names = [choice["key"] if isinstance(choice, dict) else choice for choice in choices]
                assert value in names, (where, value)
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    assert options.get("min", value) <= value <= options.get("max", value), where


def figure(pack, seconds: str):
    """Somebody who stands there for the seconds of a sound, on a square image."""
    absent, kinds = pack("mmgt_core.pose.absent"), pack("mmgt_core.pose.motion")
    frames = pack("mmgt_core.base.timebase").frame_count(int(Fraction(seconds) * 16_000))
    points = torch.zeros(1, 134, 3)
    points[:, :24, :2] = torch.tensor(absent.BODY) * 0.2 + torch.tensor([0.5, 0.3])
    points[:, :24, 2] = 1
    keypoints = absent.with_places(kinds.Motion(points, 512, 512)).keypoints.clone()
    keypoints[..., 2] = 1
    return kinds.Motion(keypoints.repeat(frames, 1, 1), 512, 512)


class Graph:
    """A workflow with stand-ins in place of what needs weights."""

    def __init__(self, pack, give, name: str, seconds: str):  # noqa: F811
        self.nodes, self.give = api(name), give
        self.motion = figure(pack, seconds)
        sound = torch.rand(1, 1, int(Fraction(seconds) * 16_000), generator=torch.Generator().manual_seed(0))
        self.replace("SMGAPoseGenerate", "MMGT_MOTION", self.motion)
        for node in self.nodes.values():
            if node["class_type"] == "MMGTDrawPose":
                given = give("AUDIO", {"waveform": sound - 0.5, "sample_rate": 16_000})
                self.nodes["sound"] = given
                node["inputs"]["audio"] = ["sound", 0]
                break
        for kind in ("CLIPTextEncode",):
            self.replace(kind, "CONDITIONING", stand_ins.conditioning())
        for node in self.nodes.values():
            for side in ("width", "height"):
                if node["inputs"].get(side) in (512, 640):
                    node["inputs"][side] = SIDE
            if node["class_type"] == "KSampler":
                kept = {name: node["inputs"][name] for name in ("latent_image", "positive")}
                node.update(class_type="TestSampler", inputs=kept)

    def keys(self, kind: str) -> list[str]:
        return [key for key, node in self.nodes.items() if node["class_type"] == kind]

    def replace(self, kind: str, socket: str, value: Any) -> None:
        for key in self.keys(kind):
            self.nodes[key] = self.give(socket, value)

    def inputs(self, kind: str) -> dict[str, Any]:
        (key,) = self.keys(kind)
        return self.nodes[key]["inputs"]

    def run(self) -> Any:
        self.executor = Executor()
        done = self.executor.run(self.nodes)
        assert done.success, done.error
        return done

    def out(self, kind: str) -> tuple[Any, ...]:
        return output_of(self.executor, self.keys(kind)[0])

    def saved(self, done: Any) -> tuple[int, float, float, tuple[int, int]]:
        """Frames, frames a second, seconds of sound and size of the video that was written."""
        import av
        import folder_paths

        (file,) = done.outputs[self.keys("SaveVideo")[0]]["images"]
        path = Path(folder_paths.get_output_directory()) / file["subfolder"] / file["filename"]
        with av.open(str(path)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            seconds = float(audio.duration * audio.time_base)
            frames = sum(1 for _ in container.decode(video))
            return frames, float(video.average_rate), seconds, (video.width, video.height)


@pytest.fixture
def graph(pack, give):  # noqa: F811
    return lambda name, seconds: Graph(pack, give, name, seconds)


def check(graph: Graph, done: Any, fps: int) -> int:
    """The video has the frames, rate, size and duration of the pose clip -> its frames."""
    images, *_, count, rate, audio, _ = graph.out("MMGTDrawPose")
    frames, video_rate, seconds, size = graph.saved(done)
    assert images.shape == (count, SIDE, SIDE, 3) and rate == video_rate == fps and size == (SIDE, SIDE)
    assert frames == count
    assert abs(audio["waveform"].shape[-1] / audio["sample_rate"] - count / fps) < 0.5 / fps
    assert abs(seconds - frames / fps) < 0.5 / fps + 0.025, "one AAC frame more or less"
    assert count / fps >= graph.motion.frames / 25 - 0.5 / fps, "nothing of the gestures is cut off"
    return frames


@pytest.mark.parametrize("seconds", SECONDS)
def test_wan_s2v(graph, seconds):
    graph = graph("gestures_to_wan_s2v", seconds)
    graph.replace("VAELoader", "VAE", stand_ins.wan_vae())
    graph.replace("AudioEncoderLoader", "AUDIO_ENCODER", stand_ins.SpeechEncoder())
    count = extensions(graph)
    copy_extensions(graph, count)
    frames = check(graph, graph.run(), 16)
    assert frames == 77 + 80 * count and graph.out("MMGTDrawPose")[-1] == count
    ends = [output_of(graph.executor, key) for key in graph.keys("WanSoundImageToVideoExtend")]
    for positive, _, latent in [graph.out("WanSoundImageToVideo"), *ends]:
        options = positive[0][1]
        assert latent["samples"].shape == (1, 16, 20, SIDE // 8, SIDE // 8)
        assert options["control_video"].shape == latent["samples"].shape
        assert options["control_video"].isfinite().all() and options["control_video"].std() > 1e-4
        assert options["audio_embed"].shape[-1] == 80, "sound for every frame of the segment"


def extensions(graph: Graph) -> int:
    """The number that MMGT Draw Pose gives, run by itself."""
    alone = copy.copy(graph)
    (draw,) = graph.keys("MMGTDrawPose")
    see = {"class_type": "PreviewAny", "inputs": {"source": [draw, 7]}}
    wanted, alone.nodes = [draw], {"see": see}
    while wanted:
        key = wanted.pop()
        alone.nodes[key] = graph.nodes[key]
        inputs = graph.nodes[key]["inputs"].values()
        wanted += [value[0] for value in inputs if isinstance(value, list)]
    alone.run()
    return alone.out("MMGTDrawPose")[-1]


def copy_extensions(graph: Graph, count: int) -> None:
    """Copies of the group "Extension", as the note says: the batch index is 80 times its number."""
    (part,), (extend,) = graph.keys("ImageFromBatch"), graph.keys("WanSoundImageToVideoExtend")
    (join,) = graph.keys("LatentConcat")
    sampler = next(
        key for key in graph.keys("TestSampler") if graph.nodes[key]["inputs"]["latent_image"][0] == extend
    )
    first = graph.nodes[extend]["inputs"]["video_latent"]
    decode = graph.keys("VAEDecode")[0]
    group = {key: graph.nodes.pop(key) for key in (part, extend, sampler, join)}
    before = first
    for number in range(1, count + 1):
        names = {key: f"{key} {number}" for key in group}
        for key, node in copy.deepcopy(group).items():
            for name, value in node["inputs"].items():
                if isinstance(value, list) and value[0] in names:
                    node["inputs"][name] = [names[value[0]], value[1]]
            graph.nodes[names[key]] = node
        graph.nodes[names[part]]["inputs"]["batch_index"] = 80 * number
        graph.nodes[names[extend]]["inputs"]["video_latent"] = before
        graph.nodes[names[join]]["inputs"]["samples1"] = before
        before = [names[join], 0]
    graph.nodes[decode]["inputs"]["samples"] = before


def test_the_extension_in_the_workflow_is_the_first(graph):
    graph = graph("gestures_to_wan_s2v", "5")
    assert graph.inputs("ImageFromBatch")["batch_index"] == 80
    lengths = [graph.inputs(kind)["length"] for kind in ("ImageFromBatch", "WanSoundImageToVideoExtend")]
    assert lengths == [77, 77]


@pytest.mark.parametrize("seconds", SECONDS)
def test_wan_animate(graph, seconds):
    """The first segment as it is; further ones are copied as the note says."""
    graph = graph("gestures_to_wan_animate", seconds)
    graph.replace("VAELoader", "VAE", stand_ins.wan_vae())
    graph.replace("CLIPVisionEncode", "CLIP_VISION_OUTPUT", object())
    rendered = -(-graph.motion.frames * 16 // 25)
    graph.replace("GetVideoComponents", "IMAGE", torch.rand(rendered, SIDE, SIDE, 3))
    graph.inputs("MMGTCropFace")["size"] = SIDE
    count = extensions(graph)
    joined = copy_segments(graph, count)
    done = graph.run()
    images, *_, frames, fps, audio, found = graph.out("MMGTDrawPose")
    faces = graph.out("MMGTCropFace")[0]
    assert images.shape == (frames, SIDE, SIDE, 3) and faces.shape == images.shape and found == count
    assert frames == 77 + 72 * count and fps == 16
    segments = [output_of(graph.executor, key) for key in graph.keys("WanAnimateToVideo")]
    assert len(segments) == count + 1
    for positive, _, latent, trim, *_ in segments:
        options = positive[0][1]
        assert options["pose_video_latent"].shape == (1, 16, 20, SIDE // 8, SIDE // 8)
        assert options["face_video_pixels"].shape == (1, 3, 77, 512, 512)
        assert latent["samples"].shape[2] == 20 + trim == 21
    decoded = [output_of(graph.executor, key)[0] for key in joined]
    total = sum(len(images) for images in decoded) - 5 * count
    assert total == frames, "what the segments add up to, their common frames once"
    if not count:
        check(graph, done, 16)
    assert abs(audio["waveform"].shape[-1] / audio["sample_rate"] - frames / 16) < 0.5 / 16


def copy_segments(graph: Graph, count: int) -> list[str]:
    """Further segments, each from the images of the one before -> the decoders."""
    (animate,), (sampler,) = graph.keys("WanAnimateToVideo"), graph.keys("TestSampler")
    (trim,), (decode,) = graph.keys("TrimVideoLatent"), graph.keys("VAEDecode")
    group = {key: copy.deepcopy(graph.nodes[key]) for key in (animate, sampler, trim, decode)}
    decoders, before = [decode], {key: key for key in group}
    for number in range(1, count + 1):
        names = {key: f"{key} {number}" for key in group}
        for key, node in copy.deepcopy(group).items():
            for name, value in node["inputs"].items():
                if isinstance(value, list) and value[0] in names:
                    node["inputs"][name] = [names[value[0]], value[1]]
            graph.nodes[names[key]] = node
        given = graph.nodes[names[animate]]["inputs"]
        given["video_frame_offset"] = [before[animate], 5]
        given["continue_motion"] = [before[decode], 0]
        graph.nodes[f"see {number}"] = {"class_type": "PreviewAny", "inputs": {"source": [names[decode], 0]}}
        decoders.append(names[decode])
        before = names
    return decoders


@pytest.mark.parametrize("seconds", SECONDS)
def test_vace(graph, seconds):
    graph = graph("gestures_to_vace", seconds)
    graph.replace("VAELoader", "VAE", stand_ins.wan_vae())
    frames = check(graph, graph.run(), 16)
    positive, _, latent, trim = graph.out("WanVaceToVideo")
    latents = (frames - 1) // 4 + 1
    assert frames % 4 == 1 and trim == 1
    assert latent["samples"].shape == (1, 16, latents + 1, SIDE // 8, SIDE // 8)
    assert positive[0][1]["vace_frames"][0].shape == (1, 32, latents + 1, SIDE // 8, SIDE // 8)


@pytest.mark.parametrize("seconds", SECONDS)
def test_ltx(graph, seconds):
    graph = graph("gestures_to_ltx", seconds)
    vae = stand_ins.ltx_vae()
    for key in graph.keys("CheckpointLoaderSimple"):
        graph.nodes[key] = graph.give("VAE", vae)
        for node in graph.nodes.values():
            for name, value in node["inputs"].items():
                if value == [key, 2]:
                    node["inputs"][name] = [key, 0]
    graph.replace("LTXVAudioVAELoader", "VAE", stand_ins.LtxAudioVae())
    frames = check(graph, graph.run(), 25)
    positive, _, latent = graph.out("LTXVAddGuide")
    latents = (frames - 1) // 8 + 1
    assert frames % 8 == 1
    assert latent["samples"].shape == (1, 128, 2 * latents, SIDE // 32, SIDE // 32), "video, then guide"
    assert positive[0][1]["keyframe_idxs"].shape[2] == latents * (SIDE // 32) ** 2
    both = graph.out("LTXVConcatAVLatent")[0]
    _, voice = both["samples"].unbind()
    assert abs(voice.shape[2] / 25 - frames / 25) < 0.5 / 25 + 1e-6
    assert not both["noise_mask"].unbind()[1].any(), "the voice stays as it is"


@pytest.mark.parametrize("seconds", SECONDS)
def test_controlnet(graph, seconds):
    graph = graph("gestures_to_controlnet", seconds)
    graph.replace("ControlNetLoader", "CONTROL_NET", stand_ins.control_net())
    graph.inputs("ControlNetApplyAdvanced").pop("vae")
    graph.nodes[graph.keys("VAEDecode")[0]] = graph.give("IMAGE", torch.rand(1, SIDE, SIDE, 3))
    sampled = [graph.keys("TestSampler")[0], 0]
    graph.nodes["see"] = {"class_type": "PreviewAny", "inputs": {"source": sampled}}
    graph.run()
    images, *_, frames, fps, audio, extensions = graph.out("MMGTDrawPose")
    net = graph.out("ControlNetApplyAdvanced")[0][0][1]["control"]
    assert net.cond_hint_original.shape == (frames, 3, SIDE, SIDE) and extensions == 0
    assert graph.out("TestSampler")[0]["samples"].shape[0] == images.shape[0] == frames
    assert abs(frames / fps - graph.motion.frames / 25) <= 0.5 / fps
    assert abs(audio["waveform"].shape[-1] / audio["sample_rate"] - frames / fps) < 0.5 / fps


@pytest.mark.parametrize("seconds", [0.7, 5])
def test_motion_only_runs_as_it_is(pack, seconds):
    prompt = api("motion_only")
    for node in prompt.values():
        if node["class_type"] == "LoadAudioFeatures":
            node["inputs"]["duration"] = seconds
        if node["class_type"] == "SMGAPoseGenerate":
            node["inputs"]["steps"] = 2
    executor = Executor()
    done = executor.run(prompt)
    assert done.success, done.error
    shown = {prompt[key]["class_type"]: value for key, value in done.outputs.items()}
    assert shown["MMGTPreviewMotion"]["images"][0]["filename"].endswith(".mp4")
    assert shown["MMGTExportMotion"]["text"] and shown["PreviewImage"]["images"]
    key = next(key for key, node in prompt.items() if node["class_type"] == "MMGTSmoothMotion")
    assert output_of(executor, key)[0].frames == pytest.approx(seconds * 25, abs=1)
