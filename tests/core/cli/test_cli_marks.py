"""The marks of `mmgt generate`: by default, on request, switched off; the terms, shown once."""

from __future__ import annotations

import json
import os

import pytest

from mmgt_core.__main__ import main
from mmgt_core.base.terms import TERMS
from mmgt_core.inspection.report import inspect_file
from mmgt_core.marks.record import COMPOSITE, VOCABULARY
from mmgt_core.media.video_reader import read_video
from mmgt_core.pipeline.marking import WITHOUT_MARKS

SIGNS = {"test_signature": True}


def test_a_video_is_marked_and_holds_no_names(inputs, tmp_path):
    out = tmp_path / "video.mp4"
    assert main(inputs.generate(out, contact_sheet=tmp_path / "sheet.png")) == 0
    for path in (out, tmp_path / "sheet.png"):
        report = inspect_file(path, watermark=False)
        assert report.marks.source == VOCABULARY + COMPOSITE and report.content == "same"
        assert report.marks.said is not None and report.marks.said.details == {}
        data = path.read_bytes()
        for name in (inputs.portrait, inputs.speech, inputs.pose, out):
            assert name.name.encode() not in data and str(name.parent).encode() not in data


def test_the_switch_is_reported_in_one_line(inputs, tmp_path, capsys):
    out = tmp_path / "video.mp4"
    assert main([*inputs.generate(out), "--no-marks"]) == 0
    assert capsys.readouterr().err.count(WITHOUT_MARKS) == 1
    assert not inspect_file(out).marked
    assert main(inputs.motion_command(tmp_path / "motion.mp4")) == 0
    assert inspect_file(tmp_path / "motion.mp4", watermark=False).marked


def test_details_on_request_hold_settings_and_hashes_but_no_paths(inputs, tmp_path):
    import hashlib

    out = tmp_path / "video.mp4"
    assert main(inputs.generate(out, mark_details=True, seed=41, consent="contract 8")) == 0
    said = inspect_file(out, watermark=False).marks.said
    assert said is not None and said.consent == "contract 8"
    digest = hashlib.sha256(inputs.portrait.read_bytes()).hexdigest()
    assert said.details["portrait SHA-256"] == digest and "sound SHA-256" in said.details
    settings = json.loads(said.details["settings"])
    assert settings["sampling"]["seed"] == 41 and str(tmp_path) not in json.dumps(said.details)
    assert str(inputs.folder).encode() not in out.read_bytes()


def test_a_signed_video_names_portrait_and_sound(inputs, tmp_path):
    pytest.importorskip("c2pa")
    out = tmp_path / "video.mp4"
    assert main(inputs.generate(out, **SIGNS)) == 0
    signature = inspect_file(out, watermark=False).signature
    assert signature is not None and signature.state == "valid" and signature.test
    assert signature.ingredients == ("portrait", "sound") and signature.source == VOCABULARY + COMPOSITE


def test_label_and_watermark_change_the_frames(inputs, tmp_path):
    plain, shown = tmp_path / "a.mp4", tmp_path / "b.mp4"
    assert main(inputs.generate(plain)) == 0
    assert main(inputs.generate(shown, visible_label=True, watermark=9)) == 0
    first, second = read_video(plain).frames.astype(int), read_video(shown).frames.astype(int)
    height = first.shape[1]
    corner = abs(second - first)[:, int(height * 0.8) :, -height // 3 :]
    rest = abs(second - first)[:, : height // 2]
    assert first.shape == second.shape and corner.max() > 60 and 0.3 < rest.mean() < 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"watermark": 70_000}, "watermark"),
        ({"consent": "x" * 300}, "consent"),
        ({"certificate": "a.pem"}, "belong together"),
        ({"certificate": "a.pem", "certificate_key": "b.pem"}, "no such file"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(inputs, tmp_path, capsys, options, said):
    assert main(inputs.generate(tmp_path / "video.mp4", **options)) == 2
    assert said in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_signature_needs_a_format_that_carries_one(inputs, tmp_path, capsys):
    pytest.importorskip("c2pa")
    assert main(inputs.generate(tmp_path / "video.mkv", **SIGNS)) == 2
    assert "carries no C2PA manifest" in capsys.readouterr().err


def test_the_terms_are_shown_once(inputs, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(os.environ, "XDG_STATE_HOME", str(tmp_path / "state"))
    if os.name == "nt" or os.uname().sysname == "Darwin":
        pytest.skip("the state folder of this system has no variable of its own")
    shown = []
    for number in (1, 2):
        assert main(inputs.generate(tmp_path / f"{number}.mp4")) == 0
        shown.append(capsys.readouterr().err.count(TERMS))
    assert shown == [1, 0]


def test_a_saved_file_is_signed_with_what_its_marks_say(inputs, tmp_path, capsys):
    pytest.importorskip("c2pa")
    out, bare = tmp_path / "video.mp4", tmp_path / "bare.mp4"
    assert main(inputs.generate(out, consent="contract 6")) == 0
    sources = ["--portrait", str(inputs.portrait), "--sound", str(inputs.speech)]
    assert main(["sign", str(out), *sources, "--test-signature"]) == 0
    report = inspect_file(out, watermark=False)
    assert report.signature is not None and report.signature.state == "valid" and report.content == "same"
    assert report.signature.source == VOCABULARY + COMPOSITE
    assert report.signature.said == {"consent": "contract 6"}
    assert report.signature.ingredients == ("portrait", "sound")
    assert main([*inputs.generate(bare), "--no-marks"]) == 0
    before = bare.read_bytes()
    capsys.readouterr()
    for arguments, said in (
        ([str(bare), "--test-signature"], "no marks of this software"),
        ([str(out)], "nothing to sign with"),
        ([str(out), "--test-signature", "--sound", str(tmp_path / "no.wav")], "no such file"),
    ):
        assert main(["sign", *arguments]) == 2
        assert said in capsys.readouterr().err
    assert bare.read_bytes() == before
