"""The bundled workflows as a person opens them: nothing is missing or complains, Run makes the video."""

from __future__ import annotations

import time
from itertools import combinations
from typing import Any

import av
import pytest

from mmgt_core import assets
from mmgt_core.media.sound_file import load_waveform

from .conftest import PICTURES, RELEASED, WORKFLOWS, api_twin, workflow

NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.json"))
UNKNOWN = "app.graph._nodes.filter(n => !LiteGraph.registered_node_types[n.type]).map(n => n.type)"
FAULTY = "app.graph._nodes.filter(n => n.has_errors).map(n => n.title)"
PLACES = """app.graph._nodes.map(node => {
  const shown = document.querySelector(`[data-node-id="${node.id}"]`);
  const [left, below_title] = node.pos, top = below_title - LiteGraph.NODE_TITLE_HEIGHT;
  return [node.type, left, top, left + shown.offsetWidth, top + shown.offsetHeight];
})"""
SHOWN = 'app.graph._nodes.every(node => document.querySelector(`[data-node-id="${node.id}"]`)?.offsetHeight)'
SETTING, NODES_2 = "app.extensionManager.setting", "Comfy.VueNodes.Enabled"
DEMO_FRAMES = load_waveform(assets.asset(assets.SPEECH)).frames
PATIENCE = 1800  # seconds that a busy machine may need for the demo


def test_every_workflow_opens_without_a_fault(page):
    """One after another in one page, as a person does who looks through them."""
    before = page.faults()
    for name in NAMES:
        page.load(workflow(name), name)
        assert page.js(UNKNOWN) == [] and page.js(FAULTY) == [], name
        assert page.api() == api_twin(name), f"{name}: export it again (API) over its twin"
        assert not page.js("app.canvas.low_quality"), f"{name} is too large to be read as a whole"
        page.screenshot(PICTURES / f"{name}.png")
        assert page.faults() == before, name


@pytest.fixture
def no_released_files(host):
    """They are moved away while a page is open."""
    places = [host.folder / "models" / known.folder / known.file for known in RELEASED]
    for path in places:
        path.unlink()
    yield
    for path in places:
        path.touch()


def test_missing_released_files_are_listed_with_their_nodes(no_released_files, page):
    """The page's list of missing models has each file that a loader of the workflow names."""
    page.load(workflow("published_portrait_and_audio"), "published_portrait_and_audio")
    page.press("View details", seconds=60)
    for known in RELEASED:
        page.until(f"document.body.innerText.includes('{known.file}')", f"{known.file} is listed", seconds=60)
    page.screenshot(PICTURES / "missing_models.png")


@pytest.fixture
def nodes_2(page):
    """The host keeps the setting for all its pages."""
    page.js(f"await {SETTING}.set('{NODES_2}', true)")
    yield page
    page.js(f"await {SETTING}.set('{NODES_2}', false)")


def test_no_node_lies_on_another_with_nodes_2(nodes_2):
    """There nodes are taller than on the classic canvas, which test_bundled.py looks after."""
    page = nodes_2
    for name in NAMES:
        page.load(workflow(name), name)
        page.until(SHOWN, f"the nodes of {name} are drawn")
        places = page.js(PLACES)
        page.screenshot(PICTURES / f"{name}_nodes_2.png")
        for (one, x0, y0, x1, y1), (other, u0, v0, u1, v1) in combinations(places, 2):
            assert x1 <= u0 or u1 <= x0 or y1 <= v0 or v1 <= y0, f"{name}: {one} and {other}"


def test_they_stand_among_the_templates_with_pictures(host, page):
    shown = host.get("/api/workflow_templates")
    assert set(NAMES) <= set(shown["mmgt"])
    found = page.js(
        "await Promise.all(a[0].map(async name => [name, "
        "(await fetch(`/api/workflow_templates/mmgt/${name}.jpg`)).headers.get('content-type')]))",
        NAMES,
    )
    assert found == [[name, "image/jpeg"] for name in NAMES]
    page.js("await app.extensionManager.command.execute('Comfy.BrowseTemplates')")
    page.press("mmgt", seconds=60)
    page.until("document.body.innerText.includes('pose_first_then_render')", "our workflows are shown")
    time.sleep(2)  # so are their pictures
    page.screenshot(PICTURES / "templates.png")


TWO_PORTRAITS = """(() => {
  const two = LiteGraph.createNode('ImageBatch'); app.graph.add(two);
  const [demo] = app.graph.findNodesByType('MMGTDemoInputs');
  const [sampler] = app.graph.findNodesByType('MMGTSampler');
  demo.connect(0, two, 0); demo.connect(0, two, 1);
  two.connect(0, sampler, sampler.inputs.findIndex(input => input.name === 'portrait'));
})()"""
NO_WINDOW = """(() => {
  const [sampler] = app.graph.findNodesByType('MMGTSampler');
  sampler.widgets.find(widget => widget.name === 'window').value = 4;
  sampler.widgets.find(widget => widget.name === 'overlap').value = 4;
})()"""
SHORT = """app.graph.findNodesByType('LoadAudioFeatures').forEach(node => {
  node.widgets.find(widget => widget.name === 'duration').value = 0.4;
})"""
WRONG = [
    ("demo", TWO_PORTRAITS, "this is a batch of 2 images"),
    ("demo", NO_WINDOW, "window 4 with overlap 4"),
    ("portrait_and_audio", "0", "the person detector YOLOX-L is missing"),
]


@pytest.mark.parametrize(("name", "change", "text"), WRONG)
def test_a_wrong_input_is_shown_in_the_error_box(page, name, change, text):
    page.load(workflow(name), name)
    page.js(SHORT)
    page.js(change)
    page.click('[data-testid="queue-button"]')
    page.press("View details", seconds=PATIENCE)
    page.until(f"document.body.innerText.includes('{text}')", f"the page shows: {text}", seconds=60)
    page.screenshot(PICTURES / f"error_{text.split()[0]}_{len(text)}.png")


@pytest.mark.parametrize(("language", "said"), [("en", "steps"), ("zh", "步")])
def test_help_of_a_node_is_there_in_two_languages(page, language, said):
    address = {"en": "/extensions/mmgt/docs/MMGTSampler.md", "zh": "/extensions/mmgt/docs/MMGTSampler/zh.md"}[
        language
    ]
    assert said in page.js("await (await fetch(a[0])).text()", address)
    names = page.js("(await (await fetch('/i18n')).json())[a[0]].nodeDefs.MMGTSampler.inputs", language)
    assert said in names["steps"]["tooltip"].lower()


def test_the_demo_runs_at_the_press_of_the_button(host, page):
    before, earlier = page.faults(), set(host.get("/history"))
    page.load(workflow("demo"), "demo")
    page.click('[data-testid="queue-button"]')
    saver = next(key for key, node in page.api().items() if node["class_type"] == "SaveVideo")
    saved = finished(host, earlier)["outputs"][saver]["images"][0]
    assert saved["filename"].endswith(".mp4")
    with av.open(host.folder / "output" / saved["subfolder"] / saved["filename"]) as container:
        frames = sum(1 for _ in container.decode(container.streams.video[0]))
        assert frames == DEMO_FRAMES and container.streams.video[0].average_rate == 25
    with av.open(host.folder / "output" / saved["subfolder"] / saved["filename"]) as container:
        sound = list(container.decode(container.streams.audio[0]))
        seconds = sum(block.samples for block in sound) / sound[0].sample_rate
        loudest = max(abs(block.to_ndarray()).max() for block in sound)
    assert seconds == pytest.approx(DEMO_FRAMES / 25, abs=0.05) and loudest > 0.05
    page.until("document.querySelectorAll('video').length > 0", "the video is shown on the node")
    time.sleep(2)  # the picture loads
    page.fit()
    page.screenshot(PICTURES / "demo_after_run.png")
    assert page.faults() == before


def finished(host: Any, earlier: set[str]) -> dict[str, Any]:
    """What the one run that is not among the earlier ones left in the host's history."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if new := [entry for key, entry in host.get("/history").items() if key not in earlier]:
            (entry,) = new
            assert entry["status"]["status_str"] == "success", entry["status"]
            return entry
        time.sleep(1)
    pytest.fail(f"the demo did not end in {PATIENCE} s: {host.log()[-1000:]}")
