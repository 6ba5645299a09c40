"""ComfyUI's web page in a headless Chromium, driven as a person would, with what its console said."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
)  # fmt: skip
PATIENCE = 600  # seconds that a busy machine may need to show the page
PRESS = """(() => {
  const says = part => part.children.length === 0 && (part.innerText ?? '').trim().toLowerCase() === TEXT;
  const found = [...document.querySelectorAll('button, a, span, div, h3')].filter(says).pop();
  found?.click(); return !!found;
})()"""
NOISE = (
    "user.css",
    "userdata",
    "api.comfy.org",
    "favicon",
    "ERR_NAME_NOT_RESOLVED",
    "ERR_INTERNET_DISCONNECTED",
    "huggingface.co/Comfy-Org",  # models of the workflow that a new profile begins with
)
"""What the frontend itself says in the console of every new profile without internet."""


class Page:
    """One tab. Close it at the end."""

    def __init__(
        self, url: str, profile: Path, *, size: tuple[int, int] = (1900, 1080), language: str = "en"
    ):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={size[0]},{size[1]}",
            f"--lang={language}",
        ):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        self.driver.set_script_timeout(PATIENCE)
        self._said: list[str] = []
        self.driver.get(url)
        self.until(
            "!!(window.LiteGraph?.registered_node_types?.MMGTSampler && window.app?.graph)",
            "it knows our nodes",
        )

    def js(self, script: str, *arguments: Any) -> Any:
        """The value of a JavaScript expression; promises are awaited; `a` holds the arguments."""
        code = (
            "const done = arguments[arguments.length - 1], a = Array.from(arguments).slice(0, -1);"
            f"(async () => ({script}))().then(v => done({{v}}), e => done({{e: String(e?.stack ?? e)}}))"
        )
        answer = self.driver.execute_async_script(code, *arguments)
        if "e" in answer:
            raise AssertionError(answer["e"])
        return answer.get("v")

    def until(self, script: str, what: str, seconds: float = PATIENCE) -> Any:
        """Wait until an expression is true -> its value; AssertionError naming `what` after `seconds`."""
        end = time.monotonic() + seconds
        while not (value := self.js(script)):
            assert time.monotonic() < end, f"after {seconds} s still not: {what}; console: {self.faults()}"
            time.sleep(0.2)
        return value

    def faults(self) -> list[str]:
        """Every error in the console since the start that is not known to be the frontend's own."""
        for entry in self.driver.get_log("browser"):
            if entry["level"] == "SEVERE" and not any(part in entry["message"] for part in NOISE):
                self._said.append(entry["message"])
        return list(self._said)

    def load(self, workflow: dict[str, Any], name: str) -> None:
        """Open a workflow, as dropping its file onto the page does, and show all of it."""
        self.js("await app.loadGraphData(a[0], true, true, a[1])", workflow, name)
        self.until("app.graph._nodes.length > 0", f"{name} is loaded")
        self.fit()

    def fit(self) -> None:
        """Zoom so that every node is seen."""
        self.js("await app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        time.sleep(1)  # it glides there

    def api(self) -> dict[str, Any]:
        """The graph as it would be queued."""
        return json.loads(self.js("JSON.stringify((await app.graphToPrompt()).output)"))

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def click(self, selector: str) -> None:
        """Press what a CSS selector finds."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def press(self, text: str, seconds: float = PATIENCE) -> None:
        """Press what says exactly this, as soon as it is there."""
        self.until(PRESS.replace("TEXT", json.dumps(text.lower())), f"there is {text!r} to press", seconds)

    def close(self) -> None:
        self.driver.quit()
