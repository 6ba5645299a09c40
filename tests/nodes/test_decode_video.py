"""Latents to a video file: chunks, sound, rates, framing, background, cancel, short memory, what it costs."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from .running import hooked_bars
from .small_models import VIDEO, write_small_models

FRAMES, SIDE = 19, 64
RATE = 44_100


@pytest.fixture(scope="module")
def vae(pack, tmp_path_factory):
    """The autoencoder of the small random model, as the host holds it."""
    write_small_models(pack, folder := tmp_path_factory.mktemp("models") / "mmgt")
    return pack("nodes.comfy.load_video_model").load_host_video_model(folder / VIDEO).vae


@pytest.fixture
def temp(tmp_path, monkeypatch) -> Path:
    """The host's folder for temporary files, empty."""
    import folder_paths

    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path / "temp 临时"))
    return tmp_path / "temp 临时"


def latent(frames: int = FRAMES, size: tuple[int, int] = (SIDE, SIDE), **more) -> dict:
    noise = torch.randn(frames, 4, size[1] // 8, size[0] // 8, generator=torch.Generator().manual_seed(1))
    return {"samples": noise, **more}


def stereo(seconds: float) -> dict:
    time = torch.arange(round(seconds * RATE)) / RATE
    left, right = torch.sin(2 * torch.pi * 440 * time), torch.sin(2 * torch.pi * 660 * time)
    return {"waveform": 0.4 * torch.stack([left, right])[None], "sample_rate": RATE}


def framed(pack, source: tuple[int, int], mode: str, sampled: tuple[int, int] = (SIDE, SIDE)):
    """The framing of a colourful portrait of this size, fitted to what was sampled."""
    picture = np.random.default_rng(2).integers(0, 256, (source[1] // 4, source[0] // 4, 3), np.uint8)
    picture = np.kron(picture, np.ones((4, 4, 1), np.uint8))
    module = pack("mmgt_core.media.portrait_framing")
    fit = pack("mmgt_core.media.framing").fit(source, sampled, mode)
    return {pack("nodes.comfy.sockets").FRAMING: module.PortraitFraming(fit, picture)}


def decode(pack, *args, **kwargs):
    return pack("nodes.decode_video").MMGTDecodeVideo.execute(*args, **{"fps": 25.0, **kwargs}).args[0]


def packets(path: str, kind: str) -> list[tuple[int, bytes]]:
    with av.open(path) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [(packet.pts, bytes(packet)) for packet in container.demux(stream) if packet.size]


def test_the_video_is_a_file_that_is_copied_packet_by_packet(pack, vae, temp, tmp_path):
    """SaveVideo calls `save_to` like this; the workflow itself goes into the file."""
    video = decode(pack, latent(), vae, audio=stereo(FRAMES / 25))
    source = video.get_stream_source()
    assert Path(source).parent == temp and video.get_dimensions() == (SIDE, SIDE)
    saved = str(tmp_path / "saved 保存.mp4")
    video.save_to(saved, metadata={"prompt": {"1": {}}})
    for kind in ("video", "audio"):
        assert packets(saved, kind) == packets(source, kind) != []
    components = video.get_components()
    assert components.images.shape == (FRAMES, SIDE, SIDE, 3) and components.frame_rate == 25
    sound = components.audio["waveform"][0]
    assert sound.shape[0] == 2 and abs(sound.shape[1] / components.audio["sample_rate"] - FRAMES / 25) < 0.03
    spectra = torch.fft.rfft(sound[:, :24_000]).abs()
    assert [round(int(line.argmax()) * 48_000 / 24_000 / 2) * 2 for line in spectra] == [440, 660]


def test_chunks_are_the_whole_clip_and_show_the_newest_frame(pack, vae, temp):
    seen: list[tuple[int, int, tuple | None]] = []
    with hooked_bars(lambda value, total, preview, **more: seen.append((value, total, preview))):
        video = decode(pack, latent(), vae)
    assert [value for value, _, _ in seen] == [8, 16, FRAMES]
    assert all(picture[0] == "JPEG" and picture[1].size == (SIDE, SIDE) for _, _, picture in seen)
    whole = vae.decode(latent()["samples"])
    found = video.get_components().images
    assert float((found - whole).abs().mean()) < 0.1, "the frames are those of the latents, up to H.264"


@pytest.mark.parametrize("fps", [12.5, 24.0, 29.97, 50.0])
def test_another_rate_keeps_the_length(pack, vae, temp, fps):
    video = decode(pack, latent(), vae, fps=fps, audio=stereo(FRAMES / 25))
    with av.open(video.get_stream_source()) as container:
        stream = container.streams.video[0]
        frames = sum(1 for _ in container.decode(stream))
        assert abs(float(stream.average_rate) - fps) < 0.01
    rate = Fraction(fps).limit_denominator(1001)
    assert 0 <= frames / rate - Fraction(FRAMES, 25) < 1 / rate


@pytest.mark.parametrize(
    ("source", "mode", "size"),
    [((128, 96), "pad", (64, 48)), ((128, 96), "crop", (85 // 2 * 2, 64)), ((64, 64), "pad", (64, 64))],
)
def test_frames_come_back_in_the_portraits_framing(pack, vae, temp, source, mode, size):
    given = latent(3, **framed(pack, source, mode))
    assert decode(pack, given, vae).get_dimensions() == size
    assert decode(pack, given, vae, framing="as sampled").get_dimensions() == (SIDE, SIDE)
    images = pack("nodes.comfy.decoding").decoded_images(given, vae)
    assert images.shape == (3, size[1], size[0], 3)


@pytest.mark.parametrize(
    ("mode", "framing"), [("pad", "portrait"), ("crop", "portrait"), ("pad", "as sampled")]
)
def test_a_locked_background_is_the_portrait_to_the_bit(pack, vae, mode, framing):
    module, keypoints = pack("nodes.decode_video"), torch.zeros(3, 134, 3)
    points = torch.rand(134, 2, generator=torch.Generator().manual_seed(4)) * 0.05 + 0.7
    keypoints[..., :2], keypoints[..., 2] = points, 1.0  # a small person at the lower right
    motion = pack("mmgt_core.pose.motion").Motion(keypoints, 256, 192)
    given = latent(3, (256, 256), **framed(pack, (256, 192), mode, (256, 256)))
    fitted = given[pack("nodes.comfy.sockets").FRAMING]
    chunks = list(
        pack("nodes.comfy.decoding").decoded_frames(given, vae, fitted if framing == "portrait" else None)
    )
    frames = np.concatenate(list(module.locked(iter(chunks), given, framing, motion, None)))
    whole = fitted.portrait((256, 256)) if framing == "portrait" else fitted.framing.apply(fitted.picture)
    height, width = frames.shape[1:3]
    far = np.s_[:, height // 3 : height // 2, : width // 3]
    assert np.array_equal(frames[far], np.broadcast_to(whole, frames.shape)[far])
    y = 0.71 if framing == "portrait" else (0.71 * 192 + 32) / 256  # below the padding
    near = np.s_[:, round(y * height), round(0.71 * width) : round(0.73 * width)]
    assert np.array_equal(frames[near], np.concatenate(chunks)[near]), "where the person is, the model paints"
    with pytest.raises(Exception, match="locked without a motion"):
        module.locked(iter(chunks), given, framing, None, None)
    with pytest.raises(Exception, match="locked without the portrait, which this latent"):
        module.locked(iter(chunks), latent(), framing, motion, None)


def test_cancel_leaves_no_file(pack, vae, temp, monkeypatch):
    import comfy.model_management as management

    class Pressing:
        """A person who presses Cancel while the second chunk is decoded."""

        calls = 0

        def decode(self, samples):
            self.calls += 1
            if self.calls == 2:
                management.interrupt_current_processing()
            return vae.decode(samples)

    vae_of_a_person = Pressing()
    with pytest.raises(management.InterruptProcessingException):
        decode(pack, latent(), vae_of_a_person)
    assert vae_of_a_person.calls == 2 and list(temp.iterdir()) == []
    management.interrupt_current_processing(False)


def test_short_memory_halves_the_chunks_and_changes_nothing(pack, vae, temp, caplog):
    class Small:
        """The VAE on a device that holds three frames."""

        def decode(self, samples):
            if samples.shape[0] > 3:
                raise torch.OutOfMemoryError("out of memory, forced")
            return vae.decode(samples)

    images = torch.cat(list(pack("nodes.comfy.decoding").decoded_chunks(latent()["samples"], Small())))
    assert torch.allclose(images, vae.decode(latent()["samples"]), atol=1e-5)
    assert sum("out of memory" in record.message for record in caplog.records) == 2  # 8 -> 4 -> 2

    class None_:
        def decode(self, samples):
            raise torch.OutOfMemoryError("out of memory, forced")

    with pytest.raises(
        Exception, match="not enough memory for even 1 of the frames to decode; choose a smaller"
    ):
        decode(pack, latent(), None_())


def test_images_say_what_they_cost_before_they_are_made(pack, vae, monkeypatch, caplog):
    import logging

    import comfy.model_management as management

    decoding = pack("nodes.comfy.decoding")
    with caplog.at_level(logging.INFO):
        decoding.decoded_images(latent(), vae)
    assert "19 frames of 64 x 64 pixels as IMAGE take 934 kB of memory." in caplog.text
    monkeypatch.setattr(management, "get_free_memory", lambda *a, **k: 2**29)
    long = {"samples": torch.zeros(1, 4, 64, 64).expand(15_000, -1, -1, -1)}
    with pytest.raises(Exception, match=r"take 47 GB of memory, but only 537 MB is free; use MMGT"):
        decoding.decoded_images(long, vae)


def test_a_full_disk_is_said_before_the_decoding(pack, vae, temp, monkeypatch):
    import shutil

    usage = shutil.disk_usage(temp.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**20))
    with pytest.raises(Exception, match="the disk has 1.0 MB free.*--temp-directory"):
        decode(pack, latent(), vae)
    assert list(temp.iterdir()) == []


def test_an_empty_latent_and_pictures_that_are_no_numbers_are_refused(pack, vae, temp):
    with pytest.raises(Exception, match="the latent holds no frame"):
        decode(pack, {"samples": torch.zeros(0, 4, 8, 8)}, vae)
    with pytest.raises(Exception, match="not finite.*--fp32-vae"):
        decode(pack, {"samples": torch.full((2, 4, 8, 8), torch.nan)}, vae)
    assert not temp.exists() or list(temp.iterdir()) == []


@pytest.mark.parametrize(
    "waveform", [torch.zeros(1, 2, 0), torch.zeros(1, 2, 10)], ids=["no samples", "less than a frame"]
)
def test_audio_without_samples_gives_a_silent_file(pack, vae, temp, waveform):
    video = decode(pack, latent(), vae, audio={"waveform": waveform, "sample_rate": 16_000})
    with av.open(video.get_stream_source()) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES
        assert len(container.streams.audio) == min(waveform.shape[2], 1)


def test_a_value_that_is_no_audio_is_refused_before_the_decoding(pack, temp):
    class Unused:
        def decode(self, samples):
            pytest.fail("the audio was checked after the decoding")

    with pytest.raises(Exception, match="not an AUDIO"):
        decode(pack, latent(), Unused(), audio={"samples": torch.zeros(1, 1, 16_000)})
