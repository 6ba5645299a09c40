"""`mmgt convert` on files of the published formats: nothing lost, nothing let in, there and back."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import OrderedDict
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mmgt_core.__main__ import main
from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.checkpoints.convert import convert, convert_back
from mmgt_core.checkpoints.io import read_model_file
from mmgt_core.checkpoints.smga import load_smga
from mmgt_core.checkpoints.video import load_video_model
from mmgt_core.checkpoints.video_parts import split
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.video.unets import build_unet

from .conftest import MOTION, VIDEO, WAVLM_CFG


def same(a, b) -> bool:
    return a.keys() == b.keys() and all(a[n].dtype == b[n].dtype and torch.equal(a[n], b[n]) for n in a)


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def metadata(path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return file.metadata()


@pytest.fixture(scope="module")
def whole(video_file, tmp_path_factory):
    """The video model as one file of ours."""
    out = tmp_path_factory.mktemp("whole")
    return convert(video_file, out).written[0].path


@pytest.fixture(scope="module")
def parts(video_file, tmp_path_factory):
    """kind -> file of the video model in parts."""
    done = convert(video_file, tmp_path_factory.mktemp("parts"), in_parts=True)
    return {file.kind: file.path for file in done.written}


# One file


def test_a_video_model_keeps_names_numbers_and_mixed_types(video_file, video_state, tmp_path):
    done = convert(video_file, tmp_path)
    (file,) = done.written
    assert file.path.name == "net-32500.safetensors" and file.tensors == len(video_state) == 2232
    assert same(load_file(file.path), video_state)
    assert file.dtypes == ("float16", "float32")
    assert file.sha256 == sha256(file.path) and done.source_sha256 == sha256(video_file)
    header = metadata(file.path)
    assert header["mmgt_kind"] == "video" and json.loads(header["mmgt_config"])["block_channels"] == [
        32,
        64,
        96,
        96,
    ]
    provenance = json.loads(header["mmgt_provenance"])
    assert provenance["source"] == "net-32500.pth" and provenance["source_sha256"] == done.source_sha256


def test_it_loads_the_same_from_the_published_file_and_from_ours(video_file, whole):
    direct, converted = load_video_model(video_file), load_video_model(whole)
    # Without a header the sizes are read off the tensors, and skeletons are drawn as in the sample video.
    assert direct.config == converted.config == replace(VIDEO, pose_style="example")
    assert same(direct.state_dict(), converted.state_dict())


@pytest.mark.parametrize(
    ("name", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16), ("fp32", torch.float32)]
)
def test_cast_by_a_flag(motion_checkpoint, motion_state, tmp_path, name, dtype, capsys):
    torch.save(motion_checkpoint, tmp_path / "epoch_200.pth")
    arguments = ["convert", str(tmp_path / "epoch_200.pth"), "--out", str(tmp_path / "out"), "--dtype", name]
    assert main(arguments) == 0
    written = tmp_path / "out" / "epoch_200.safetensors"
    assert same(load_file(written), {n: t.to(dtype) for n, t in motion_state.items()})
    printed = capsys.readouterr().out
    assert sha256(written) in printed and "473" not in printed
    assert "left out: model_state_dict (the averaged weights" in printed


def test_numbers_too_large_for_half_precision_are_named(motion_checkpoint, tmp_path):
    motion_checkpoint["ema_state_dict"]["norm_cond.bias"] = torch.full((MOTION.width,), 1e6)
    torch.save(motion_checkpoint, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"norm_cond\.bias holds numbers too large for float16"):
        convert(tmp_path / "a.pth", tmp_path, dtype=torch.float16)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]


def test_a_motion_checkpoint_keeps_its_dead_parameters(motion_checkpoint, motion_state, tmp_path):
    torch.save(motion_checkpoint, tmp_path / "audio2pose_best_model.pt")
    (file,) = convert(tmp_path / "audio2pose_best_model.pt", tmp_path).written
    assert same(load_file(file.path), motion_state)
    loaded, direct = load_smga(file.path), load_smga(tmp_path / "audio2pose_best_model.pt")
    assert loaded.config == direct.config and same(loaded.state_dict(), direct.state_dict())


def test_the_473_published_motion_keys(published_motion_shapes, tmp_path):
    """At full size, all ones."""
    from mmgt_core.smga.layers import rotary_frequencies

    width = SMGAConfig().width
    state = {
        name: rotary_frequencies(width)
        if name.endswith("rotary.freqs")
        else torch.ones(shape, dtype=torch.float16)
        for name, shape in published_motion_shapes.items()
    }
    torch.save({"ema_state_dict": OrderedDict(state), "normalizer": None}, tmp_path / "train-200.pt")
    (file,) = convert(tmp_path / "train-200.pt", tmp_path / "one", dtype=torch.float16).written
    assert file.tensors == 473 and json.loads(metadata(file.path)["mmgt_config"])["width"] == width
    with safe_open(file.path, framework="pt") as tensors:
        shapes = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    assert shapes == published_motion_shapes


# In parts


def test_the_parts_are_plain(parts, video_state):
    assert {kind: path.name for kind, path in parts.items()} == {
        "unet": "net-32500_unet.safetensors",
        "reference": "net-32500_reference.safetensors",
        "motion": "net-32500_motion.safetensors",
        "adapter": "net-32500_adapter.safetensors",
    }
    assert [len(load_file(parts[kind])) for kind in parts] == [686, 682, 588, 276]
    unet = build_unet(VIDEO)
    unet.load_state_dict(load_file(parts["unet"]), strict=True)  # a stock SD1.5 UNet takes it
    assert all(name.split(".")[2] == "motion_modules" or name.startswith("mid_block.motion_modules.")
               for name in load_file(parts["motion"]))  # fmt: skip


def test_the_parts_make_the_same_model(parts, whole):
    assert same(load_video_model(parts["adapter"]).state_dict(), load_video_model(whole).state_dict())


@pytest.mark.parametrize("kind", ["unet", "reference", "motion"])
def test_a_part_alone_is_named(parts, kind, tmp_path):
    with pytest.raises(CheckpointError, match=f"only a part .*{kind}.*_adapter.safetensors"):
        load_video_model(parts[kind])
    lonely = tmp_path / parts["adapter"].name
    lonely.write_bytes(parts["adapter"].read_bytes())
    with pytest.raises(CheckpointError, match="net-32500_reference.safetensors is missing"):
        load_video_model(lonely)


# And back


@pytest.mark.parametrize("start", ["whole", "adapter"])
def test_back_gives_the_published_key_set_again(start, whole, parts, video_state, tmp_path):
    source = whole if start == "whole" else parts["adapter"]
    (file,) = convert_back(source, tmp_path).written
    assert file.path.name == "net-32500_official.safetensors"
    assert same(load_file(file.path), video_state)
    assert "mmgt_kind" not in metadata(file.path)


def test_back_restores_what_a_slim_motion_model_leaves_out(motion_state, motion_checkpoint, tmp_path):
    from mmgt_core.checkpoints.smga import official_keys, save_smga

    torch.save(motion_checkpoint, tmp_path / "a.pt")
    save_smga(tmp_path / "slim.safetensors", load_smga(tmp_path / "a.pt"), complete=False)
    (file,) = convert_back(tmp_path / "slim.safetensors", tmp_path).written
    restored = load_file(file.path)
    assert list(official_keys(MOTION)) == list(motion_state) and restored.keys() == motion_state.keys()
    alive = [name for name, key in official_keys(MOTION).items() if not key.dead]
    assert all(torch.equal(restored[name], motion_state[name]) for name in alive)


def test_wavlm_there_and_back(wavlm_state, tmp_path):
    pytest.importorskip("transformers")
    torch.save({"cfg": WAVLM_CFG, "model": OrderedDict(wavlm_state)}, tmp_path / "WavLM-Large.pt")
    (file,) = convert(tmp_path / "WavLM-Large.pt", tmp_path).written
    read = read_model_file(file.path)
    assert read.kind == "wavlm" and read.config == WAVLM_CFG
    assert "encoder.layers.1.attention.gru_rel_pos_const" in read.tensors
    assert sorted(t.sum() for t in read.tensors.values()) == sorted(t.sum() for t in wavlm_state.values())
    (back,) = convert_back(file.path, tmp_path).written
    assert same(load_file(back.path), wavlm_state)


def test_process_1_files_and_motion_weights(video_state, tmp_path):
    parts = split(video_state)
    guider = {
        n.removeprefix("pose_guider."): t for n, t in video_state.items() if n.startswith("pose_guider.")
    }
    published = {
        "denoising_unet-29580.pth": ("unet", parts["unet"], 686),
        "reference_unet-29580.pth": ("reference", parts["reference"], 682),
        "pose_guider-29580.pth": ("pose_guider", guider, 16),
        "mm_sd_v15_v2.ckpt": (
            "motion",
            {"state_dict": {f"module.{n}": t for n, t in parts["motion"].items()}},
            588,
        ),
    }
    for name, (kind, content, count) in published.items():
        torch.save(content, tmp_path / name)
        (file,) = convert(tmp_path / name, tmp_path / "out").written
        assert (file.kind, file.tensors) == (kind, count)
        state = guider if kind == "pose_guider" else parts[kind]
        assert same(load_file(file.path), state)
        assert json.loads(metadata(file.path)["mmgt_config"])["block_channels"][0] == VIDEO.block_channels[0]
        (back,) = convert_back(file.path, tmp_path / "back").written
        assert same(load_file(back.path), state)


# Strict


@pytest.mark.parametrize("fault", ["missing", "misshapen", "positions"])
@pytest.mark.parametrize("in_parts", [False, True])
def test_a_wrong_video_file_is_refused_and_nothing_is_written(video_state, tmp_path, fault, in_parts):
    state = dict(video_state)
    name = "denoising_unet.up_blocks.1.motion_modules.0.temporal_transformer.proj_in.weight"
    if fault == "missing":
        del state[name]
    elif fault == "misshapen":
        state[name] = torch.zeros(3)
    else:
        name = name.replace("proj_in.weight", "transformer_blocks.0.attention_blocks.1.pos_encoder.pe")
        state[name] = state[name].flip(1)
    torch.save(state, tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=name):
        convert(tmp_path / "net.pth", tmp_path / "out", in_parts=in_parts)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("in_parts", [False, True])
def test_what_no_network_reads_is_left_out_with_a_warning(video_state, tmp_path, in_parts, caplog):
    torch.save({**video_state, "denoising_unet.conv_in.lora": torch.zeros(1)}, tmp_path / "net.pth")
    written = convert(tmp_path / "net.pth", tmp_path / "out", in_parts=in_parts).written
    names = [name for file in written for name in load_file(file.path)]
    assert not any("lora" in name for name in names) and len(names) == len(video_state)
    assert "net.pth: left out what this network does not read: denoising_unet.conv_in.lora" in caplog.text


@pytest.mark.parametrize("kind", ["unet", "reference", "motion"])
def test_a_wrong_part_is_refused(video_state, tmp_path, kind):
    state = split(video_state)[kind]
    name = max(state)
    del state[name]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(CheckpointError, match=name):
        convert(tmp_path / "part.pth", tmp_path)


def test_a_wrong_wavlm_is_refused(wavlm_state, tmp_path):
    pytest.importorskip("transformers")
    name = "encoder.layers.1.fc1.weight"
    for spoil in (
        lambda s: s.pop(name),
        lambda s: s.update({name: torch.zeros(3)}),
        lambda s: s.update(more=torch.zeros(1)),
    ):
        state = dict(wavlm_state)
        spoil(state)
        torch.save({"cfg": WAVLM_CFG, "model": state}, tmp_path / "w.pt")
        with pytest.raises(CheckpointError, match=r"w\.pt"):
            convert(tmp_path / "w.pt", tmp_path)


def test_other_models_are_named(tmp_path):
    save_file(
        {"model.diffusion_model.a": torch.zeros(1), "first_stage_model.b": torch.zeros(1)},
        tmp_path / "sd.safetensors",
    )
    with pytest.raises(CheckpointError, match="a whole Stable Diffusion checkpoint"):
        convert(tmp_path / "sd.safetensors", tmp_path)
    save_file({"x": torch.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="no model that MMGT uses"):
        convert(tmp_path / "x.safetensors", tmp_path)


def test_the_source_is_never_replaced(whole):
    before = sha256(whole)
    with pytest.raises(InputError, match="replace its own source"):
        convert(whole, whole.parent)
    assert sha256(whole) == before


def test_split_is_for_video_models_only(motion_checkpoint, tmp_path, capsys):
    torch.save(motion_checkpoint, tmp_path / "a.pt")
    assert main(["convert", str(tmp_path / "a.pt"), "--out", str(tmp_path), "--split"]) == 2
    assert "only a video model can be split" in capsys.readouterr().err


# Memory

MEMORY = """
import sys, torch
from pathlib import Path
from mmgt_core.checkpoints.convert import convert
folder = Path(sys.argv[1])
def status(key):  # of this program alone; what getrusage says is inherited from the process that started it
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))
convert(folder / "small.pth", folder / "small")
Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
before = status("VmRSS")
convert(folder / "large.pth", folder / "large", dtype=getattr(torch, sys.argv[2], None))
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("dtype", ["keep", "float16"])
def test_memory_stays_below_the_files_size_and_a_tenth(tmp_path, published_motion_shapes, dtype):
    config = SMGAConfig(width=768, ffn=2048, layers=2, encoder_layers=1, audio_channels=35)
    for name, sizes in (("small", MOTION), ("large", config)):
        from mmgt_core.checkpoints.smga import official_keys
        from mmgt_core.smga.layers import rotary_frequencies

        state = {
            key: rotary_frequencies(sizes.width) if entry.rotary else torch.full(entry.shape, 0.5)
            for key, entry in official_keys(sizes).items()
        }
        torch.save(state, tmp_path / f"{name}.pth")
    size = (tmp_path / "large.pth").stat().st_size
    assert size > 200e6
    command = [sys.executable, "-c", MEMORY, str(tmp_path), dtype]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    used = int(done.stdout)
    print(f"{used / 1e6:.0f} MB for a file of {size / 1e6:.0f} MB")
    assert 1e6 < used <= 1.1 * size
