"""Marks of origin through the host: MMGT Decode Video, then the host's SaveVideo, in every format it has."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import av
import pytest
import torch

from .given import give  # noqa: F401
from .running import Executor, load_core_nodes
from .small_models import VIDEO, write_small_models

FRAMES = 6


@pytest.fixture(scope="module")
def vae(pack, tmp_path_factory):
    write_small_models(pack, folder := tmp_path_factory.mktemp("models") / "mmgt")
    return pack("nodes.comfy.load_video_model").load_host_video_model(folder / VIDEO).vae


def latent() -> dict:
    return {"samples": torch.randn(FRAMES, 4, 32, 32, generator=torch.Generator().manual_seed(1))}


def decode(pack, vae, **marks):
    time = torch.arange(round(FRAMES / 25 * 16_000)) / 16_000
    audio = {"waveform": 0.3 * torch.sin(2 * torch.pi * 300 * time)[None, None], "sample_rate": 16_000}
    node = pack("nodes.decode_video").MMGTDecodeVideo
    return node.execute(latent(), vae, fps=25.0, audio=audio, **marks).args[0]


def inspected(pack, path: Path):
    return pack("mmgt_core.inspection.report").inspect_file(path, watermark=False)


def test_savevideo_keeps_the_marks(pack, vae, give, tmp_path, monkeypatch):  # noqa: F811
    """The host's own node, in a prompt."""
    import folder_paths

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    video = decode(pack, vae, consent="contract 4")
    prompt = {
        "1": give("VIDEO", video),
        "2": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["1", 0], "filename_prefix": "saved", "format": "auto", "codec": "auto"},
        },
    }
    load_core_nodes("nodes_video")
    run = Executor().run(prompt)
    assert run.success, run.error
    (saved,) = tmp_path.glob("saved*.mp4")
    report = inspected(pack, saved)
    assert report.content == "same" and report.marks.source.endswith("compositeWithTrainedAlgorithmicMedia")
    assert report.marks.said.consent == "contract 4" and report.marks.label["Label"] == "1"
    with av.open(str(saved)) as container:
        assert json.loads(container.metadata["AIGC"])["ProduceID"] == report.marks.content_id


def formats(pack) -> list[tuple[str, str]]:
    from comfy_api.latest import Types

    known = {item.value for item in Types.VideoContainer}
    return [
        (name, codec) for name, codec in (("mp4", "auto"), ("mkv", "h264"), ("webm", "av1")) if name in known
    ]


def test_every_format_of_the_host_keeps_at_least_the_tags(pack, vae, tmp_path):
    from comfy_api.latest import Types

    video = decode(pack, vae)
    for name, codec in formats(pack):
        path = tmp_path / f"a.{name}"
        kinds = {"format": Types.VideoContainer(name), "codec": Types.VideoCodec(codec)}
        video.save_to(str(path), **kinds, metadata={"prompt": {"1": {}}})
        report = inspected(pack, path)
        assert report.marked and report.marks.label["Label"] == "1"
        assert report.content == ("same" if name == "mp4" else "other"), name  # the host encodes again
        with av.open(str(path)) as container:
            assert "prompt" in {key.lower() for key in container.metadata}


def test_a_video_that_the_host_encodes_again_says_so(pack, vae, tmp_path):
    import inspect

    video = decode(pack, vae)
    if "crf" not in inspect.signature(type(video).__mro__[1].save_to).parameters:
        pytest.skip("this host does not encode again")
    path = tmp_path / "a.mp4"
    video.save_to(str(path), crf=30.0)
    report = inspected(pack, path)
    assert report.marked and report.content == "other" and report.marks.said is not None


def test_the_first_part_of_a_video_is_marked(pack, vae, tmp_path):
    video = decode(pack, vae)
    if not hasattr(type(video).__mro__[1], "as_trimmed"):
        pytest.skip("this host cuts no videos")
    part = video.as_trimmed(0.0, 0.12, strict_duration=False)
    part.save_to(str(tmp_path / "a.mp4"))
    report = inspected(pack, tmp_path / "a.mp4")
    assert report.marked and report.content == "other" and part.get_frame_count() < FRAMES


def test_a_buffer_is_marked_too(pack, vae, tmp_path):
    data = io.BytesIO()
    decode(pack, vae).save_to(data)
    (tmp_path / "a.mp4").write_bytes(data.getvalue())
    assert inspected(pack, tmp_path / "a.mp4").content == "same"


def test_switched_off_the_file_says_nothing_and_the_node_says_so(pack, vae, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(pack("nodes.decode_video"), "show_message", lambda *texts: shown.extend(texts))
    decode(pack, vae, marks=False).save_to(str(tmp_path / "a.mp4"))
    assert not inspected(pack, tmp_path / "a.mp4").marked
    assert shown == [pack("nodes.mark_inputs").WITHOUT_MARKS]


def test_watermark_and_label_are_in_the_frames(pack, vae):
    plain = decode(pack, vae).get_components().images
    marked = decode(pack, vae, watermark=5, visible_label=True).get_components().images
    change = (marked - plain).abs()
    assert 0.3 / 255 < change[:, : plain.shape[1] // 2].mean() < 8 / 255
    assert change[:, -40:, -80:].max() > 60 / 255


def test_the_terms_are_shown_once(pack, tmp_path, monkeypatch):
    import folder_paths

    shown = []
    terms = pack("nodes.comfy.terms")
    monkeypatch.setattr(folder_paths, "user_directory", str(tmp_path))
    monkeypatch.setattr(terms, "show_message", lambda *texts: shown.extend(texts))
    terms.show_terms()
    terms.show_terms()
    assert shown == [pack("mmgt_core.base.terms").TERMS]


def test_details_are_numbers_and_hashes_and_never_names(pack, vae, tmp_path, monkeypatch):
    """Of the nodes that the video depends on; texts that a person typed stay out."""
    import folder_paths

    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path))
    (tmp_path / "anna secret.png").write_bytes(b"a portrait")
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "anna secret.png"}},
        "2": {
            "class_type": "MMGTSampler",
            "inputs": {"portrait": ["1", 0], "seed": 77, "note": "private words"},
        },
        "3": {"class_type": "MMGTDecodeVideo", "inputs": {"latent": ["2", 0], "fps": 25.0, "marks": True}},
        "4": {"class_type": "KSampler", "inputs": {"seed": 99}},
    }
    details = pack("nodes.comfy.prompt_details").prompt_details(prompt, "3")
    settings = json.loads(details["settings"])
    assert settings == {"MMGTSampler 2": {"seed": 77}, "MMGTDecodeVideo 3": {"fps": 25.0, "marks": True}}
    assert details["LoadImage 1 image SHA-256"] == hashlib.sha256(b"a portrait").hexdigest()
    assert "anna" not in str(details) and "private" not in str(details)
    changed = {**prompt, "4": {"class_type": "KSampler", "inputs": {"seed": 98}}}
    again = pack("nodes.comfy.prompt_details").prompt_details(changed, "3")
    assert (
        again["workflow SHA-256"] != details["workflow SHA-256"] and again["settings"] == details["settings"]
    )
    assert pack("nodes.comfy.prompt_details").prompt_details(None, "3") == {}


def test_details_are_written_only_on_request(pack, vae, give, tmp_path, monkeypatch):  # noqa: F811
    import folder_paths

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    load_core_nodes("nodes_video")
    for number, wanted in enumerate((False, True)):
        prompt = {
            "1": give("LATENT", latent()),
            "2": give("VAE", vae),
            "3": {
                "class_type": "MMGTDecodeVideo",
                "inputs": {"latent": ["1", 0], "vae": ["2", 0], "fps": 12.5, "mark_details": wanted},
            },
            "4": {
                "class_type": "SaveVideo",
                "inputs": {
                    "video": ["3", 0],
                    "filename_prefix": f"n{number}",
                    "format": "auto",
                    "codec": "auto",
                },
            },
        }
        run = Executor().run(prompt)
        assert run.success, run.error
        (saved,) = tmp_path.glob(f"n{number}*.mp4")
        details = inspected(pack, saved).marks.said.details
        assert bool(details) == wanted
        if wanted:
            assert json.loads(details["settings"])["MMGTDecodeVideo 3"]["fps"] == 12.5
            assert len(details["workflow SHA-256"]) == 64


def test_a_video_leaves_the_folder_when_nothing_refers_to_it(pack, vae):
    import gc

    from comfy_api.latest import InputImpl

    video = decode(pack, vae)
    path = Path(video.get_stream_source())
    part = video.as_trimmed(0, 0.1) if hasattr(InputImpl.VideoFromFile, "as_trimmed") else video
    del video
    gc.collect()
    assert path.is_file() and part.get_duration() > 0, "a part of it still reads the file"
    del part
    gc.collect()
    assert not path.exists()
