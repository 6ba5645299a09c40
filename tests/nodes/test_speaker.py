"""Speaker adapters in the loaders: numbers as on the command line, one sentence for wrong files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from .given import give  # noqa: F401 - a fixture
from .running import Executor, output_of
from .sampling import error
from .small_models import MOTION, VIDEO, write_small_models, write_speaker
from .test_both_hosts import latents_of_both
from .test_nodes import clip_links, clip_prompt, node
from .test_published_files import same
from .test_wrong_inputs import error_of

SPEAKER, ONE_STAGE = "anna.safetensors", "one.safetensors"
LORA, OTHER = "style.safetensors", "other.safetensors"
SIZE = (128, 128)


@pytest.fixture(scope="module")
def folders(pack, tmp_path_factory):
    """models/mmgt with small models and a speaker of one stage, and models/loras with others."""
    import folder_paths

    models, loras = (tmp_path_factory.mktemp("models") / name for name in ("mmgt", "loras"))
    write_small_models(pack, models)
    loras.mkdir()
    before = folder_paths.folder_names_and_paths["loras"]
    folder_paths.folder_names_and_paths["loras"] = ([str(loras)], {".safetensors"})
    folder_paths.filename_list_cache.pop("loras", None)
    write_speaker(pack, models, loras / SPEAKER)
    write_speaker(pack, models, models / ONE_STAGE, stages="motion")
    write_tensors = pack("mmgt_core.base.tensor_file").write_tensors
    write_tensors(loras / LORA, {"unet.lora_A.weight": torch.zeros(2, 2)}, {})
    write_other(pack, loras / OTHER)
    yield models, loras
    folder_paths.folder_names_and_paths["loras"] = before
    folder_paths.filename_list_cache.pop("loras", None)


def write_other(pack, path: Path) -> None:
    """An adapter of models of other sizes."""
    adapters = pack("mmgt_core.checkpoints.speaker_adapter")
    changes = {
        "final_layer.weight": (torch.zeros(2, 8), torch.zeros(8, 2)),
        "denoising_unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight": (
            torch.zeros(2, 8),
            torch.zeros(8, 2),
        ),
    }
    adapters.write_speaker_adapter(path, adapters.SpeakerAdapter(motion=changes, video=changes))


@pytest.fixture(scope="module")
def load(pack, folders):
    """Functions that load the video model on diffusers and on ComfyUI; None is no speaker."""
    speaker = pack("mmgt_core.checkpoints.speaker_adapter").Speaker
    models, loras = folders

    def person(strength):
        return None if strength is None else speaker(loras / SPEAKER, strength)

    def host(strength=None, dtype=torch.float32, name=VIDEO):
        module = pack("nodes.comfy.load_video_model")
        return module.load_host_video_model(models / name, dtype, person(strength))

    def diffusers(strength=None):
        pytest.importorskip("diffusers", reason="the command line's host is not installed here")
        module = pack("mmgt_core.checkpoints.video")
        return module.load_video_model(models / VIDEO, speaker=person(strength))

    return diffusers, host


def test_both_hosts_agree(pack, load, measured):
    diffusers, host = load
    expected, found = latents_of_both(pack, diffusers(0.5), host(0.5), SIZE)
    plain = latents_of_both(pack, diffusers(), host(), SIZE)[1]
    measured("a speaker at half strength: ComfyUI and diffusers", error(found, expected))
    assert error(found, expected) < 1e-4
    assert error(found, plain) > 0.05


def test_a_unet_from_another_file_gets_its_changes_when_it_is_patched(pack, folders, load, measured):
    """As with an SD1.5 checkpoint beside an adapter; attaching again adds nothing again."""
    diffusers, host = load
    pack("mmgt_core.checkpoints.convert").convert(folders[0] / VIDEO, folders[0], in_parts=True)
    alone, unet = host(0.5, name=VIDEO.replace(".", "_adapter.")), host().model
    assert alone.model is None and alone.speaker is not None
    with_vae = host(0.5)
    assert same(alone.reference, with_vae.reference)
    expected, found = (video.adapter.model.state_dict() for video in (with_vae, alone))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)  # folded products, rounded
    assert with_vae.speaker is None
    patches = pack("nodes.comfy.speaker_patches")
    once = unet.clone()
    patches.add_speaker(once, alone.speaker)
    patches.add_speaker(once, alone.speaker)
    assert len(once.patches) == len(alone.speaker.changes) > 10
    assert {len(of_weight) for of_weight in once.patches.values()} == {1} and not unet.patches
    expected, found = latents_of_both(pack, diffusers(0.5), alone, SIZE, model=unet)
    measured("a speaker on a UNet from another file: ComfyUI and diffusers", error(found, expected))
    assert error(found, expected) < 1e-4


PARTS = ("adapter", "reference", "model")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_every_dtype(load, dtype):
    """Strength 0 is no speaker, bit for bit; the changes are added before the weights are cast."""
    _, host = load
    plain, off, half, whole = (host(strength, dtype) for strength in (None, 0.0, 0.5, 1.0))
    exact = host(0.5).model.model.state_dict()
    for part in PARTS:
        assert same(getattr(plain, part), getattr(off, part))
        assert not same(getattr(plain, part), getattr(half, part))
        assert not same(getattr(half, part), getattr(whole, part))
    for name, tensor in half.model.model.diffusion_model.state_dict().items():
        assert tensor.dtype == dtype
        expected = exact[f"diffusion_model.{name}"].to(dtype)
        assert torch.equal(tensor.float(), expected.float()), name


def test_a_second_copy_of_the_model_has_the_speaker_too(load):
    _, host = load
    half = host(0.5)
    make, arguments = half.model.cached_patcher_init[:2]
    assert same(make(*arguments, disable_dynamic=True), half.model)
    assert not same(host().model, half.model)


def test_speakers_are_listed_and_other_files_are_not(pack, folders):
    module = pack("nodes.loaders")
    for loader in (module.MMGTLoadMotionModel, module.MMGTLoadVideoModel):
        speaker, strength = loader.define_schema().inputs[-2:]
        assert speaker.id == "speaker" and strength.id == "speaker_strength"
        assert speaker.options == ["none", SPEAKER, OTHER, ONE_STAGE]
        assert (strength.default, strength.min, strength.max, strength.step) == (1.0, 0.0, 2.0, 0.05)


@pytest.fixture
def prompt(pack, folders):
    """Function: choices of the loaders -> a prompt that generates a motion and saves latents."""

    def make(**choices) -> dict:
        wanted = clip_prompt()
        for stage in ("smga", "video"):
            wanted[stage]["inputs"] |= choices
        wanted["speech"]["inputs"]["duration"] = 0.2
        wanted["sample"] = node("MMGTSampler", **(clip_links() | {"width": 128, "height": 64, "steps": 1}))
        wanted["show"] = {
            "class_type": "SaveLatent",
            "inputs": {"samples": ["sample", 0], "filename_prefix": "l"},
        }
        return wanted

    return make


def test_the_widgets_reach_both_stages_and_a_changed_file_loads_again(pack, folders, prompt):
    models, loras = folders
    executor = Executor()

    def run(**choices) -> tuple[set[str], torch.Tensor, torch.Tensor]:
        done = executor.run(prompt(**choices))
        assert done.success, done.error
        motion, latents = output_of(executor, "motion")[0], output_of(executor, "sample")[0]["samples"]
        return {"smga", "video"} & set(done.executed), motion.keypoints.clone(), latents.clone()

    _, still, plain = run()
    old = prompt()
    for name in ("smga", "video"):
        for added in ("speaker", "speaker_strength"):
            old[name]["inputs"].pop(added)
    assert executor.run(old).success, "a prompt from before these widgets"
    loaded, motion, latents = run(speaker=SPEAKER, speaker_strength=0.5)
    assert loaded == {"smga", "video"}
    assert not torch.equal(motion, still) and not torch.equal(latents, plain)
    smga = pack("mmgt_core.checkpoints.smga").load_smga
    person = pack("mmgt_core.checkpoints.speaker_adapter").Speaker(loras / SPEAKER, 0.5)
    expected = smga(models / MOTION, speaker=person).state_dict()
    found = output_of(executor, "smga")[0].patcher.model["network"].state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)

    assert run(speaker=SPEAKER, speaker_strength=0.5)[0] == set(), "nothing changed"
    loaded, motion, latents = run(speaker=SPEAKER, speaker_strength=0.0)
    assert loaded == {"smga", "video"}
    assert torch.equal(motion, still) and torch.equal(latents, plain)
    first = run(speaker=SPEAKER)
    write_speaker(pack, models, loras / SPEAKER, seed=7)
    again = run(speaker=SPEAKER)
    assert again[0] == {"smga", "video"}, "trained again under the same name"
    assert not torch.equal(again[1], first[1]) and not torch.equal(again[2], first[2])
    write_speaker(pack, models, loras / SPEAKER)


def test_kept_work_belongs_to_one_speaker_and_strength(pack, folders, prompt):
    """The part of the prompt that loads the models identifies them (see test_keep_work.py)."""
    models, loras = folders

    def key(**choices) -> str:
        return str(pack("nodes.comfy.work_folder").origin(prompt(**choices), ["video", 0]))

    assert len({key(), key(speaker=SPEAKER), key(speaker=SPEAKER, speaker_strength=0.5)}) == 3
    before = key(speaker=SPEAKER)
    write_speaker(pack, models, loras / SPEAKER)
    assert key(speaker=SPEAKER) != before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("missing.safetensors", "this speaker adapter does not exist"),
        (LORA, "this is not a speaker adapter"),
        (VIDEO, "this is not a speaker adapter"),
        ("../../../etc/passwd", "this speaker adapter does not exist"),
    ],
)
def test_a_wrong_file_is_one_sentence_before_anything_runs(pack, folders, name, text):
    module = pack("nodes.loaders")
    for loader, file in ((module.MMGTLoadMotionModel, MOTION), (module.MMGTLoadVideoModel, VIDEO)):
        fault = loader.validate_inputs(file=file, speaker=name)
        assert isinstance(fault, str) and text in fault and fault.count(". ") == 0, fault
        assert loader.validate_inputs(file=file) is True
        assert loader.validate_inputs(file=file, speaker=None) is True
        assert loader.validate_inputs(file=None, speaker=SPEAKER) is True
        assert loader.fingerprint_inputs(speaker=None) == loader.fingerprint_inputs(file=file) == ""


def test_an_adapter_that_does_not_fit_is_one_sentence(prompt, give):  # noqa: F811
    executor = Executor()
    for stage in ("smga", "video"):
        wanted = prompt()
        wanted[stage]["inputs"]["speaker"] = OTHER
        assert "trained on a model of other sizes" in error_of(executor, wanted)
    wanted = prompt(speaker=ONE_STAGE)
    assert "nothing for Stage II (video)" in error_of(executor, wanted)
    wanted["video"]["inputs"]["speaker"] = "none"
    assert executor.run(wanted).success
    wanted["smga"]["inputs"]["speaker_strength"] = ["number", 0]
    wanted["number"] = give("FLOAT", 3.0)
    assert "a speaker strength of 3 is out of range" in error_of(executor, wanted)
    wanted["smga"]["inputs"] |= {"speaker": ["name", 0], "speaker_strength": 1.0}
    wanted["name"] = give("COMBO", LORA)
    assert "this is not a speaker adapter" in error_of(executor, wanted)
