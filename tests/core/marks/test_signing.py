"""C2PA manifests, read by the C2PA library itself: what they say, ingredients, tampering, certificates."""

from __future__ import annotations

import http.server
import io
import json
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from PIL import Image

from mmgt_core.base.errors import DependencyError, InputError
from mmgt_core.inspection.report import inspect_file
from mmgt_core.inspection.signature import check_signature
from mmgt_core.marks.boxes import C2PA_BOX, boxes
from mmgt_core.marks.credentials import TEST_NAME, credentials_for_tests, load_credentials
from mmgt_core.marks.record import COMPOSITE, Record
from mmgt_core.marks.signing import manifest as definition
from mmgt_core.marks.signing import sign_file
from mmgt_core.media.images import save_image
from mmgt_core.media.sound_file import save_wav
from mmgt_core.media.video_writer import write_video
from mmgt_core.media.waveform import Waveform

c2pa = pytest.importorskip("c2pa")
CREDENTIALS = credentials_for_tests()
RECORD = Record(COMPOSITE, consent="contract 9", details={"settings": "{}"})


def film(path: Path, record: Record | None = RECORD) -> Path:
    frames = np.random.default_rng(1).integers(0, 256, (6, 48, 64, 3), np.uint8)
    write_video(path, frames, audio=Waveform(np.full(4_000, 0.1, np.float32), 16_000), record=record)
    return path


def manifest(path: Path) -> tuple[str, dict, dict]:
    """State, active manifest and the whole store, as the library gives them."""
    with path.open("rb") as file, c2pa.Reader(None, file) as reader:
        store = json.loads(reader.json())
        return str(reader.get_validation_state()), store["manifests"][store["active_manifest"]], store


@pytest.fixture
def ingredients(tmp_path) -> dict[str, Path]:
    """A portrait that has a manifest of its own, and a recording."""
    portrait, sound = tmp_path / "anna_private_name.png", tmp_path / "recording of anna.wav"
    save_image(portrait, np.full((48, 64, 3), 90, np.uint8), None)
    sign_file(portrait, Record(), CREDENTIALS)
    save_wav(sound, Waveform(np.full(4_000, 0.1, np.float32), 16_000))
    return {"portrait": portrait, "sound": sound}


def test_the_library_reads_what_was_made_and_from_what(tmp_path, ingredients):
    path = film(tmp_path / "a.mp4")
    sign_file(path, RECORD, CREDENTIALS, ingredients)
    state, active, store = manifest(path)
    assert state == "Valid" and active["signature_info"]["common_name"] == TEST_NAME
    labels = {item["label"]: item["data"] for item in active["assertions"]}
    action = labels["c2pa.actions.v2"]["actions"][0]
    assert action["action"] == "c2pa.created" and action["digitalSourceType"] == RECORD.source_uri
    assert labels["org.comfyui-mmgt.record"] == {"consent": "contract 9", "settings": "{}"}
    assert [item["title"] for item in active["ingredients"]] == ["portrait", "sound"]
    assert active["ingredients"][0]["active_manifest"] in store["manifests"]  # the portrait's own, kept
    assert "active_manifest" not in active["ingredients"][1]
    data = path.read_bytes()
    assert b"anna" not in data and b"thumbnail" not in data


def test_marks_and_content_stay_as_they_were(tmp_path, ingredients):
    path = film(tmp_path / "a.mp4")
    before = inspect_file(path, watermark=False)
    sign_file(path, RECORD, CREDENTIALS, ingredients)
    report = inspect_file(path, watermark=False)
    assert report.content == before.content == "same" and report.marks.content_id == before.marks.content_id
    assert report.signature is not None and report.signature.test and report.signature.state == "valid"
    assert report.signature.said == {"consent": "contract 9", "settings": "{}"}


@pytest.mark.parametrize("suffix", [".mp4", ".png", ".webp", ".jpg"])
def test_a_changed_byte_is_noticed(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".mp4":
        film(path)
    else:
        save_image(path, np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8))
    sign_file(path, RECORD, CREDENTIALS)
    assert check_signature(path).state == "valid"
    data = bytearray(path.read_bytes())
    place = len(data) // 2
    if suffix == ".mp4":
        with path.open("rb") as file:
            place = next(box.start for box in boxes(file) if box.type == b"mdat") + 100
    elif suffix != ".jpg":
        marker = {".png": b"IDAT", ".webp": b"VP8 "}[suffix]
        place = data.index(marker) + 60
    else:
        place = len(data) - 40
    data[place] ^= 1
    path.write_bytes(data)
    signature = check_signature(path)
    assert signature.state == "invalid" and any("ash" in code for code in signature.failures)


def test_a_manifest_moved_to_another_video_does_not_hold(tmp_path):
    signed, other = film(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    sign_file(signed, RECORD, CREDENTIALS)
    write_video(other, np.zeros((6, 48, 64, 3), np.uint8))
    data = signed.read_bytes()
    with signed.open("rb") as file:
        box = next(box for box in boxes(file) if box.extended == C2PA_BOX)
    other.write_bytes(other.read_bytes() + data[box.start - 24 : box.end])
    assert check_signature(other).state in ("invalid", "unreadable")


def test_an_ingredient_of_an_unknown_format_is_left_out_with_a_remark(tmp_path):
    path, odd, notes = film(tmp_path / "a.mp4"), tmp_path / "a.bmp", []
    Image.new("RGB", (20, 20)).save(odd)
    sign_file(path, RECORD, CREDENTIALS, {"portrait": odd}, notes.append)
    assert manifest(path)[1].get("ingredients", []) == [] and "portrait" in notes[0]


def test_a_file_that_cannot_be_signed_stays_as_it_is(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video at all")
    with pytest.raises(InputError, match="cannot be signed"):
        sign_file(path, RECORD, CREDENTIALS)
    assert path.read_bytes() == b"no video at all" and list(tmp_path.iterdir()) == [path]


def user_files(folder: Path, key) -> tuple[Path, Path]:
    """A certificate of one's own authority and its key, as PEM files."""

    def name(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Studio"),
                          x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])  # fmt: skip

    now, root = datetime.now(timezone.utc), ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name("Studio signer"))
        .issuer_name(name("Studio root"))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=9))
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), False)
        .sign(root, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    certificate, secret = folder / "c.pem", folder / "k.pem"
    certificate.write_bytes(leaf.public_bytes(pem))
    secret.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
        if not isinstance(key, ed25519.Ed25519PrivateKey)
        else key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, secret


KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("kind", KEYS)
def test_the_users_certificate_signs(tmp_path, kind):
    path = film(tmp_path / "a.mp4")
    sign_file(path, RECORD, load_credentials(*user_files(tmp_path, KEYS[kind]())))
    signature = check_signature(path)
    assert (signature.state, signature.signer, signature.test) == ("valid", "Studio signer", False)


def test_keys_that_do_not_fit_are_refused(tmp_path):
    certificate, key = user_files(tmp_path, KEYS["P-256"]())
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InputError, match="does not belong"):
        load_credentials(certificate, user_files(other, KEYS["P-256"]())[1])
    with pytest.raises(InputError, match="not a private key"):
        load_credentials(certificate, certificate)
    with pytest.raises(InputError, match="not a certificate"):
        load_credentials(key, key)
    with pytest.raises(InputError, match="does not know keys"):
        load_credentials(*user_files(other, ec.generate_private_key(ec.SECP256K1())))


def test_the_key_shows_in_no_text():
    assert "PRIVATE" not in repr(CREDENTIALS)


def test_reading_opens_no_connection(tmp_path, monkeypatch):
    """A manifest may name an address from which it is to be fetched: nobody does."""
    path = film(tmp_path / "a.mp4", None)
    info = c2pa.C2paSignerInfo(CREDENTIALS.algorithm, CREDENTIALS.chain, CREDENTIALS.key, None)
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 - the library's name
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(definition(Record(), ".mp4")) as builder:
            builder.set_no_embed()
            builder.set_remote_url(f"http://127.0.0.1:{server.server_port}/manifest")
            with path.open("rb") as source:
                target = io.BytesIO()
                builder.sign(signer, "video/mp4", source, target)
        path.write_bytes(target.getvalue())
        inspect_file(path, watermark=False)
        assert check_signature(path).state != "trusted" and asked == []
        server.shutdown()


def test_without_the_library_marks_are_still_read_and_the_message_names_it(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4")
    sign_file(path, RECORD, CREDENTIALS)
    monkeypatch.setitem(sys.modules, "c2pa", None)
    report = inspect_file(path, watermark=False)
    assert report.marked and report.content == "same"
    assert report.signature is not None and report.signature.state == "not checked"
    assert "mmgt[c2pa]" in "\n".join(report.lines())
    with pytest.raises(DependencyError, match=r"mmgt\[c2pa\]"):
        sign_file(path, RECORD, CREDENTIALS)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(DependencyError, match=r"mmgt\[c2pa\]"):
        credentials_for_tests()
