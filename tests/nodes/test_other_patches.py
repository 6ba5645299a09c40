"""Patches of the host's own nodes on the same MODEL: they act, and MMGT acts beside them."""

from __future__ import annotations

import dataclasses

import pytest

from .running import load_core_nodes
from .sampling import error
from .short import sample_short

OFFICIAL = "official"
PATCHES = {
    "FreeU_V2": {"b1": 1.3, "b2": 1.4, "s1": 0.9, "s2": 0.2},
    "TomePatchModel": {"ratio": 0.5},
    "PerturbedAttentionGuidance": {"scale": 3.0},
    "RescaleCFG": {"multiplier": 0.7},
}


def patched(name, model):
    import nodes

    node = nodes.NODE_CLASS_MAPPINGS[name]
    if hasattr(node, "execute"):
        return node.execute(model=model, **PATCHES[name]).args[0]
    return getattr(node(), node.FUNCTION)(model=model, **PATCHES[name])[0]


@pytest.fixture(scope="module")
def alone(pack, video):
    load_core_nodes("nodes_freelunch", "nodes_tomesd", "nodes_pag", "nodes_model_advanced")
    return sample_short(pack, video, preset=OFFICIAL)


@pytest.mark.slow
@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_of_the_host_beside_ours(pack, video, alone, name):
    """Behind MMGT Apply, on a clip of several windows; MMGT's own effect stays the larger one."""
    behind = sample_short(
        pack,
        video,
        preset=OFFICIAL,
        change=lambda prepared: dataclasses.replace(prepared, model=patched(name, prepared.model)),
    )
    assert behind.isfinite().all()
    assert error(behind, alone) > 1e-4 and float((behind - alone).norm() / alone.norm()) < 1
