"""Values of every kind in the texts that people hand in, found by Hypothesis: refused well, or of use."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgt_core.base.errors import MMGTError
from mmgt_core.base.files import parse_json
from mmgt_core.base.safetensors_header import read_header
from mmgt_core.checkpoints.io import config_from_json
from mmgt_core.queue.jobs import parse_job
from mmgt_core.smga.config import SMGAConfig
from mmgt_core.video.config import VideoConfig

from .rule import TRIED, attempt
from .samples import DOORS

MANY = settings(
    max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**63), 10**400, 1e308, -0.0, 1e-320])
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=8)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
POINTS = st.lists(NUMBERS | SCALARS, max_size=60) | st.lists(
    st.floats(-1e4, 1e4) | st.none(), min_size=54, max_size=54
)
PERSON = st.fixed_dictionaries(
    {},
    optional={
        "pose_keypoints_2d": POINTS | ANYTHING,
        "face_keypoints_2d": POINTS | ANYTHING,
        "hand_left_keypoints_2d": POINTS,
        "foot_keypoints_2d": POINTS,
    },
)
NEARLY = st.fixed_dictionaries(
    {
        "people": st.lists(
            st.fixed_dictionaries(
                {"pose_keypoints_2d": st.lists(st.floats(-9, 99), min_size=54, max_size=54)}
            ),
            min_size=1,
            max_size=2,
        ),
        "canvas_width": st.integers(-2, 90),
        "canvas_height": st.integers(2, 90) | NUMBERS,
    }
)
FRAME = st.fixed_dictionaries(
    {"people": st.lists(PERSON | ANYTHING, max_size=3) | ANYTHING},
    optional={"canvas_width": NUMBERS | ANYTHING, "canvas_height": NUMBERS | ANYTHING},
)


@MANY
@given(document=NEARLY | FRAME | st.lists(FRAME | NEARLY, max_size=3) | ANYTHING)
def test_poses(tmp_path, document):
    path = tmp_path / "pose.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    attempt("written pose", lambda: DOORS["pose.json"].read(path), DOORS["pose.json"].usable, path)


ENTRY = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F32", "F16", "U8", "BOOL", "F8_E4M3", "C64", ""]) | ANYTHING,
        "shape": st.lists(st.integers(-2, 5), max_size=3) | st.lists(NUMBERS, max_size=3) | ANYTHING,
        "data_offsets": st.lists(st.integers(-4, 40), min_size=2, max_size=2) | ANYTHING,
    }
)


@MANY
@given(
    table=st.dictionaries(st.text(max_size=5) | st.just("__metadata__"), ENTRY | ANYTHING, max_size=4),
    data=st.binary(max_size=64),
    lie=st.integers(-3, 3) | st.just(0),
)
def test_headers_of_safetensors(tmp_path, table, data, lie):
    text = json.dumps(table).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", max(len(text) + lie, 0)) + text + data)
    attempt("written header", lambda: read_header(path), lambda header: True, path)
    for name in ("tensors.safetensors", "motion.safetensors"):
        attempt("written header", lambda name=name: DOORS[name].read(path), DOORS[name].usable, path)


@MANY
@given(data=st.data(), cls=st.sampled_from([SMGAConfig, VideoConfig]))
def test_configurations(data, cls):
    names = st.sampled_from(list(cls.__dataclass_fields__)) | st.text(max_size=4)
    small = st.integers(-1, 70) | st.lists(st.integers(0, 70), max_size=5)
    values = data.draw(st.dictionaries(names, small | ANYTHING, max_size=3))
    values = json.loads(json.dumps(values))
    try:
        config_from_json(cls, values, "a.safetensors")
    except MMGTError as error:
        assert "\n" not in str(error) and len(str(error)) < 2_000
        TRIED["written configuration"]["refused"] += 1
    else:
        TRIED["written configuration"]["taken"] += 1


@pytest.mark.parametrize("cls", [SMGAConfig, VideoConfig])
def test_a_name_with_a_line_break_stays_in_one_sentence(cls):
    with pytest.raises(MMGTError, match=r"unknown entries '\\n', steps2") as error:
        config_from_json(cls, {"\n": 0, "steps2": 1}, "a.safetensors")
    assert "\n" not in str(error.value)


@MANY
@given(st.dictionaries(st.sampled_from(["name", "image", "audio", "seed", "set", "x"]), ANYTHING, max_size=4))
def test_jobs(fields):
    where = Path("/jobs")
    try:
        job = parse_job(json.dumps(fields), 1, where)
    except MMGTError as error:
        assert "\n" not in str(error) and len(str(error)) < 1_000
        TRIED["written job"]["refused"] += 1
    else:
        assert (where / f"{job.name}.png").parent == where
        TRIED["written job"]["taken"] += 1


@MANY
@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | ANYTHING.map(lambda value: json.dumps(value).encode())
)
def test_anything_is_json_or_a_short_reason(data):
    try:
        parse_json(data, depth=4, unique=True)
    except ValueError as error:
        assert type(error) is ValueError and len(str(error)) < 300
        TRIED["written JSON"]["refused"] += 1
    else:
        TRIED["written JSON"]["taken"] += 1


@given(st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=2), max_leaves=20))
def test_depth_is_counted(value):
    def depth(value) -> int:
        return 1 + max((depth(item) for item in value), default=0) if isinstance(value, list) else 0

    text = json.dumps(value)
    for limit in range(depth(value), depth(value) + 2):
        assert parse_json(text, depth=limit) == value
    if depth(value):
        try:
            parse_json(text, depth=depth(value) - 1)
        except ValueError as error:
            assert "nested more than" in str(error)
        else:
            raise AssertionError("too deep, and taken")
