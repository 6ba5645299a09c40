"""The browser of the motion library on its node, on the classic canvas and with Nodes 2.0."""

from __future__ import annotations

import shutil
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from mmgt_core import assets
from mmgt_core.library.saving import save_clip
from mmgt_core.media.sound_file import load_waveform
from mmgt_core.pose.motion_file import load_motion

from .conftest import PICTURES
from .test_workflows import NODES_2, SETTING

ADD = """(() => { app.graph.clear(); const node = LiteGraph.createNode('MMGTLoadFromLibrary');
  node.pos = [300, 200]; app.graph.add(node); node.setSize([420, 480]); return node.id; })()"""
TILES = "[...document.querySelectorAll('.mmgt-library-clip')].map(tile => tile.dataset.clip)"
SHOWN = """[...document.querySelectorAll('.mmgt-library-clip img')].filter(i => i.naturalWidth > 0
  && i.getBoundingClientRect().height > 20).length"""
FLAT = """[...document.querySelectorAll('.mmgt-library-clip')].filter(t => t.offsetHeight < t.offsetWidth
  || [...t.querySelectorAll('img')].some(i => !i.src)).length"""
VALUE = "app.graph._nodes[0].widgets.find(w => w.name === 'clip').value"
CHOSEN = """document.querySelector('.mmgt-library-clip[aria-selected="true"]')?.dataset.clip"""
FIND = """(() => { const find = document.querySelector('.mmgt-library input'); find.value = a[0];
  find.dispatchEvent(new Event('input')); })()"""


@pytest.fixture
def clips(host):
    """Clips of a person's own, one with sound."""
    folder = host.folder / "output" / "mmgt_library"
    motion = load_motion(assets.GESTURES / "weigh.safetensors")
    sound = load_waveform(assets.asset(assets.SPEECH)).cut(0.3, 1.4)
    save_clip(folder, "talks/hello", motion, tags="greeting", sound=sound)
    quiet = save_clip(folder, "quiet", motion, tags="calm")
    for number in range(30):  # more than the node has room for
        shutil.copy(quiet.path, folder / f"x{number:02}.safetensors")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(params=[False, True], ids=["classic", "nodes_2"])
def canvas(page, request):
    page.js(f"await {SETTING}.set('{NODES_2}', a[0])", request.param)
    yield page, "nodes_2" if request.param else "classic"
    page.js(f"await {SETTING}.set('{NODES_2}', false)")


def test_clips_are_shown_filtered_chosen_and_played(clips, canvas):
    page, name = canvas
    before = page.faults()
    page.js(ADD)
    page.fit()
    page.until(f"({TILES}).includes('talks/hello')", "the clips are listed", 60)
    page.until(f"({SHOWN}) >= 2", "previews are drawn", 60)
    assert {"quiet", "built in/open"} <= set(page.js(TILES))
    page.screenshot(PICTURES / f"library_{name}.png")
    assert page.js("document.querySelector('.mmgt-library').offsetHeight") < 500  # it scrolls, the node stays
    assert page.js(FLAT) == 0
    for text, left in (("greeting", ["talks/hello"]), ("built in/we", ["built in/weigh"]), ("no such", [])):
        page.js(FIND, text)
        assert page.js(TILES) == left
    page.js(FIND, "greeting")
    page.click(".mmgt-library-clip img")
    assert page.js(VALUE) == page.js(CHOSEN) == "talks/hello"
    page.js("(() => { window.played = []; HTMLMediaElement.prototype.play = function () {"
            " window.played.push(this.src); return Promise.resolve(); }; })()")  # fmt: skip
    page.click(".mmgt-library-clip button")
    (address,) = page.js("window.played")
    with urlopen(address) as answer:
        assert (
            answer.headers["Content-Type"] == "audio/wav"
            and answer.read() == (clips / "talks" / "hello.wav").read_bytes()
        )
    assert list(page.api().values())[0]["inputs"] == {"clip": "talks/hello"}  # the browser is no value
    assert page.faults() == before


def test_refresh_finds_new_clips_and_the_workflow_keeps_its_choice(clips, page):
    page.js(ADD)
    page.until(f"({TILES}).length > 2", "the clips are listed", 60)
    save_clip(clips, "new one", load_motion(assets.GESTURES / "open.safetensors"))
    page.js("document.querySelector('.mmgt-library button').click()")
    page.until(f"({TILES}).includes('new one')", "the new clip is listed", 60)
    page.js(
        "[...document.querySelectorAll('.mmgt-library-clip')].find(t => t.dataset.clip === 'new one').click()"
    )
    graph = page.js("app.graph.serialize()")
    assert graph["nodes"][0]["widgets_values"] == ["new one"]
    page.load(graph, "again")
    page.until(f"({CHOSEN}) === 'new one'", "the choice is marked", 60)
    assert page.js("app.graph._nodes.length") == 1


@pytest.mark.parametrize("name", ["../../input/portrait", "%2e%2e/secret", "nobody"])
def test_a_running_server_gives_no_other_file(host, clips, name):
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{host.url}/mmgt/library/preview?clip={name}")
    assert refused.value.code == 404
