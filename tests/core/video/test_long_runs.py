"""Long runs: going on after a stop, memory that does not grow, and what happens when it runs out."""

from __future__ import annotations

import pytest
import torch

from mmgt_core.base.errors import CheckpointError, InputError
from mmgt_core.video import by_frame as by_frame_module
from mmgt_core.video import live_preview as live_preview_module
from mmgt_core.video.autoencoder import decode_latents
from mmgt_core.video.by_frame import ByFrame
from mmgt_core.video.conditions import ClipConditions
from mmgt_core.video.live_preview import LivePreview
from mmgt_core.video.mask_pyramid import MaskPyramid
from mmgt_core.video.memory import MOST_WINDOWS, is_out_of_memory, windows_that_fit
from mmgt_core.video.overflow import OverflowedError
from mmgt_core.video.scheduler import Schedule
from mmgt_core.work.folder import WorkFolder
from mmgt_core.work.steps import StepStore

from ...denoising import SeenSteps, denoise
from ...live_memory import LiveMemory

KEY = "0123456789abcdef" * 4
SETTINGS = {
    "seed": 3,
    "steps": 2,
    "cfg": 2.0,
    "window": 4,
    "overlap": 1,
    "closed_loop": False,
    "window_fusion": "pyramid",
}


class Stop(Exception):
    pass


def stopping(after: int):
    """A progress callable that stops the work at its `after`-th call."""
    calls = 0

    def progress(done, total, preview=None, /):
        nonlocal calls
        calls += 1
        if calls == after:
            raise Stop

    return progress


@pytest.fixture
def counted(model):
    """The batch sizes that went through the UNet."""
    rows = []
    handle = model.unet.conv_in.register_forward_hook(lambda _m, inputs, _o: rows.append(inputs[0].shape[0]))
    yield rows
    handle.remove()


@pytest.fixture
def no_memory_for(model):
    """Function: from now on the UNet has no memory for batches larger than this."""
    handles = []

    def limit(rows, error=None):
        error = error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

        def refuse(_module, inputs):
            if inputs[0].shape[0] > rows:
                raise error

        handles.append(model.unet.mid_block.register_forward_pre_hook(refuse))

    yield limit
    for handle in handles:
        handle.remove()


def test_a_run_stopped_anywhere_goes_on_bit_for_bit_and_does_nothing_twice(
    model, make_conditions, tmp_path, counted
):
    conditions = make_conditions(6)
    whole = denoise(model, conditions, **SETTINGS)
    calls = len(counted)  # two windows in each of two steps
    for stop in range(1, calls + 1):
        counted.clear()
        with WorkFolder.open(tmp_path / str(stop), KEY) as work, pytest.raises(Stop):
            denoise(model, conditions, **SETTINGS, work=StepStore(work), progress=stopping(stop))
        seen = []
        with WorkFolder.open(tmp_path / str(stop), KEY) as work:
            resumed = denoise(
                model,
                conditions,
                **SETTINGS,
                work=StepStore(work),
                progress=lambda done, total, preview=None, seen=seen: seen.append((done, total)),
            )
        assert torch.equal(resumed, whole)
        assert len(counted) == calls
        assert seen == sorted(seen) and all(total == calls for _, total in seen)


def test_a_resumed_run_may_batch_otherwise(model, make_conditions, tmp_path):
    conditions = make_conditions(9)
    whole = denoise(model, conditions, **SETTINGS)
    with WorkFolder.open(tmp_path, KEY) as work, pytest.raises(Stop):
        denoise(model, conditions, **SETTINGS, work=StepStore(work), progress=stopping(2))
    with WorkFolder.open(tmp_path, KEY) as work:
        resumed = denoise(model, conditions, **SETTINGS, work=StepStore(work), windows_at_once=3)
    assert (resumed - whole).abs().max() < 1e-3 * (whole.max() - whole.min())


SIDE = 8  # of the latents whose memory is counted
FRAME_BYTES = 4 * SIDE * SIDE * 4  # one copy, float32


@pytest.fixture
def peak(model, config, draw):
    """Function: frames -> the most bytes that tensors take while a clip is denoised.

    Pose images, masks and sound come from functions, as `render` gives them.
    """

    def count(frames: int, **settings) -> int:
        conditions = ClipConditions.build(
            model,
            draw(1, 4, SIDE, SIDE),
            lambda indices: torch.zeros(len(indices), 8 * SIDE, 8 * SIDE, 3, dtype=torch.uint8),
            frames,
            latent_size=(SIDE, SIDE),
            audio=lambda indices: torch.zeros(
                len(indices), config.audio_window, config.audio_blocks, config.audio_channels
            ),
            masks=lambda indices: MaskPyramid.empty(len(indices), SIDE, SIDE),
            image_embeds=draw(1, config.cross_dim),
        )
        with LiveMemory() as memory:
            denoise(model, conditions, steps=1, **settings)
        return memory.peak

    return count


@pytest.mark.parametrize("cfg", [1.0, 2.0])
def test_memory_grows_by_two_copies_of_the_latents(peak, cfg):
    """The clip and the sum of its predictions, with guidance too."""
    lengths = 160, 256  # both too long to be kept whole
    short, long = (peak(frames, cfg=cfg, window=8, overlap=1) for frames in lengths)
    copies = (long - short) / (lengths[1] - lengths[0]) / FRAME_BYTES
    print(f"{copies:.2f} copies of the latents, guidance {cfg:g}")
    assert 1.9 < copies < 2.1


@pytest.mark.slow
def test_the_device_holds_ten_minutes_as_it_holds_ten_seconds(peak):
    """All but the two copies that lie in main memory is what a GPU would hold."""
    held = {}
    for seconds in (10, 60, 600):
        frames = 25 * seconds
        held[seconds] = peak(frames, cfg=1.0, window=8, overlap=1) - 2 * frames * FRAME_BYTES
    print(", ".join(f"{seconds} s: {size / 2**20:.3f} MB" for seconds, size in held.items()))
    assert max(held[60], held[600]) <= 1.1 * held[10]


@pytest.mark.parametrize(
    ("frames", "room", "whole"), [(100, 2**20, True), (200, 2**20, False), (100, 0, False)]
)
def test_by_frame_gives_the_same_in_any_order_and_keeps_what_there_is_room_for(
    draw, monkeypatch, frames, room, whole
):
    """Of a clip that is long, or large, it keeps little; another it computes once, however many steps."""
    monkeypatch.setattr(by_frame_module, "WHOLE_BYTES", room)
    values, computed = draw(frames, 3), []

    def compute(indices):
        computed.append(len(indices))
        return values[indices], values[indices] * 2

    by_frame = ByFrame(compute, frames, 8)
    for indices in ([5, 6, 7, 8, 9], [frames - 2, frames - 1, 0, 1], list(range(frames)), [50, 3]):
        first, second = by_frame(indices)
        assert torch.equal(first, values[indices]) and torch.equal(second, 2 * values[indices])
        assert whole or len(by_frame._kept) <= 9
    assert max(computed) == 8
    assert (sum(computed) == frames) is whole


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_out_of_memory_halves_the_batch_says_so_and_goes_on(
    model, make_conditions, no_memory_for, counted, caplog, error
):
    conditions = make_conditions(13)
    options = {**SETTINGS, "overlap": 0, "cfg": 1.0, "steps": 1}
    whole = denoise(model, conditions, **options)
    counted.clear()
    no_memory_for(8, error)  # two windows of four frames
    pressed = denoise(model, conditions, **options, windows_at_once=4)
    assert counted == [16, 8, 8]
    assert (pressed - whole).abs().max() < 1e-3 * (whole.max() - whole.min())
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory with 4 windows at once; continuing with 2"
    ]


def test_what_fitted_is_remembered_for_the_resumed_run(
    model, make_conditions, no_memory_for, counted, tmp_path
):
    conditions = make_conditions(13)
    no_memory_for(8)
    options = {**SETTINGS, "cfg": 1.0, "windows_at_once": 4}
    whole = denoise(model, conditions, **options)
    with WorkFolder.open(tmp_path, KEY) as work, pytest.raises(Stop):
        denoise(model, conditions, **options, work=StepStore(work), progress=stopping(1))
    counted.clear()
    with WorkFolder.open(tmp_path, KEY) as work:
        resumed = denoise(model, conditions, **options, work=StepStore(work))
    assert max(counted) == 8 and torch.equal(resumed, whole)


def test_when_not_even_one_window_fits_a_person_is_told_what_to_do(model, make_conditions, no_memory_for):
    no_memory_for(3)
    with pytest.raises(InputError, match="shorter --window"):
        denoise(model, make_conditions(9), **SETTINGS, windows_at_once=2)


def test_other_errors_are_not_taken_for_a_lack_of_memory(model, make_conditions, no_memory_for):
    no_memory_for(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        denoise(model, make_conditions(9), **SETTINGS, windows_at_once=2)
    assert not is_out_of_memory(ValueError("out of memory"))


def test_the_decoder_halves_its_chunk_too(model, draw, caplog):
    latents = draw(7, 4, 4, 6)
    whole = decode_latents(model.autoencoder, latents, 1.0, at_once=1)

    def refuse(_module, inputs):
        if inputs[0].shape[0] > 1:
            raise torch.OutOfMemoryError("out of memory")

    handle = model.autoencoder.decoder.register_forward_pre_hook(refuse)
    try:
        pressed = decode_latents(model.autoencoder, latents, 1.0, at_once=4)
    finally:
        handle.remove()
    assert torch.equal(pressed, whole)
    assert len(caplog.records) == 2 and "4 frames to decode" in caplog.text


@pytest.mark.parametrize("cfg", [1.0, 2.0])
def test_the_preview_is_the_newest_frame_as_it_looks_so_far(model, make_conditions, cfg):
    """In the last step that is the frame itself, where no other window is averaged into it."""
    seen = []
    preview = LivePreview(lambda latents: latents[0].numpy(), every=0)
    conditions, options = make_conditions(8), {**SETTINGS, "cfg": cfg, "overlap": 0}
    whole = denoise(
        model,
        conditions,
        **options,
        preview=preview,
        progress=lambda done, total, picture=None, /: seen.append(picture),
    )
    assert torch.equal(whole, denoise(model, conditions, **options)), "looking changes nothing"
    assert len(seen) == 4
    for picture, frame in zip(seen[2:], (3, 7), strict=True):
        torch.testing.assert_close(torch.from_numpy(picture), whole[frame], atol=2e-2, rtol=0)


def test_previews_take_a_fiftieth_of_the_time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(live_preview_module.time, "monotonic", lambda: now[0])

    def decode(_latents):
        now[0] += 0.5
        return "picture"

    preview, nothing = LivePreview(decode, every=10.0), torch.zeros(4, 2, 2)
    shown = []
    for second in range(100, 200):
        now[0] = max(now[0], float(second))
        if preview.image(Schedule("linear"), nothing, nothing, 9) is not None:
            shown.append(second)
    # The first after ten seconds; each took half a second, so the next comes 25 seconds after it.
    assert shown == [110, 136, 162, 188]


def test_a_model_that_gives_no_numbers_is_refused_at_its_first_step(model, make_conditions, counted):
    handle = model.unet.conv_out.register_forward_hook(lambda _m, _i, output: output * torch.nan)
    try:
        with pytest.raises(CheckpointError, match="not finite"):
            denoise(model, make_conditions(4), steps=9, cfg=1)
    finally:
        handle.remove()
    assert len(counted) == 1


@pytest.mark.parametrize("bad", [0, 1, 4, 7])  # of the nine windows of three steps
def test_after_an_overflow_all_finished_windows_are_used(model, make_conditions, counted, bad):
    """The same latents as without it, and only the window that overflowed is computed twice."""
    conditions, options = make_conditions(9), {"steps": 3, "cfg": 1, "closed_loop": False}
    expected = denoise(model, conditions, **options)
    windows, before = len(counted), SeenSteps()
    counted.clear()
    handle = model.unet.conv_out.register_forward_hook(
        lambda _m, _i, output: output * torch.nan if len(counted) == bad + 1 else None
    )
    try:
        with pytest.raises(OverflowedError) as error:
            denoise(model, conditions, work=before, **options)
    finally:
        handle.remove()
    unfinished = error.value.unfinished
    assert unfinished.step == bad // (windows // 3) == len(before.latents)
    assert unfinished.windows == bad % (windows // 3) and unfinished.latents.isfinite().all()
    latents = denoise(model, conditions, unfinished=unfinished, **options)
    assert torch.equal(latents, expected) and len(counted) == windows + 1


def test_windows_are_chosen_by_free_memory():
    gigabyte = 2**30
    assert windows_that_fit(5 * gigabyte, gigabyte) == 4
    assert windows_that_fit(gigabyte, 2 * gigabyte) == 1
    assert windows_that_fit(100 * gigabyte, gigabyte) == MOST_WINDOWS
