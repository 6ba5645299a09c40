// The browser on MMGT Load From Library: animated previews, sound, and a filter by name and tag.

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";

const NODE = "MMGTLoadFromLibrary";
const ROUTE = "/mmgt/library";
const WORDS = {
  en: { find: "Filter by name or tag", refresh: "Refresh", none: "No clip matches.", play: "Play the audio" },
  zh: { find: "按名称或标签筛选", refresh: "刷新", none: "没有符合的片段。", play: "播放音频" },
};
const STYLE = `
.mmgt-library { display: flex; flex-direction: column; gap: 4px; width: 100%; height: 100%; box-sizing: border-box;
  font: 12px sans-serif; color: var(--input-text, #ddd); overflow: hidden; }
.mmgt-library-bar { display: flex; gap: 4px; flex: none; }
.mmgt-library-bar input { flex: 1; min-width: 0; }
.mmgt-library input, .mmgt-library button { background: var(--comfy-input-bg, #222); color: inherit; border: 1px solid
  var(--border-color, #444); border-radius: 4px; padding: 2px 6px; font: inherit; }
.mmgt-library-grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: 4px; flex: 1;
  grid-auto-rows: max-content;
  min-height: 180px; contain: size; overflow-y: auto; align-content: start; }
.mmgt-library-clip { position: relative; border: 2px solid transparent; border-radius: 4px; cursor: pointer;
  background: #000; overflow: hidden; }
.mmgt-library-clip[aria-selected="true"] { border-color: var(--p-primary-color, #4a9eff); }
.mmgt-library-clip > :first-child { width: 100%; aspect-ratio: 1; object-fit: contain; display: block; }
.mmgt-library-clip span { display: block; padding: 1px 4px; overflow: hidden; white-space: nowrap; text-overflow:
  ellipsis; background: var(--comfy-menu-bg, #333); }
.mmgt-library-clip button { position: absolute; top: 2px; right: 2px; padding: 0 4px; }`;

let playing = null;
const browsers = new Set();

function words() {
  const language = app.extensionManager?.setting?.get?.("Comfy.Locale") ?? "en";
  return WORDS[String(language).startsWith("zh") ? "zh" : "en"];
}

function element(tag, className, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  if (className) made.className = className;
  return made;
}

function address(kind, name) {
  return api.apiURL(`${ROUTE}/${kind}?clip=${encodeURIComponent(name)}`);
}

function matches(clip, text) {
  const parts = text.toLowerCase().split(",").map((part) => part.trim()).filter(Boolean);
  return parts.every((part) => clip.name.toLowerCase().includes(part) || clip.tags.some((tag) => tag.includes(part)));
}

function play(name) {
  playing?.pause();
  playing = new Audio(address("sound", name));
  playing.play();
}

class Browser {
  constructor(node) {
    this.node = node;
    this.clips = [];
    this.root = element("div", "mmgt-library");
    this.find = element("input", "", { type: "search", placeholder: words().find });
    this.grid = element("div", "mmgt-library-grid");
    const refresh = element("button", "", { textContent: words().refresh, type: "button" });
    const bar = element("div", "mmgt-library-bar");
    bar.append(this.find, refresh);
    this.root.append(bar, this.grid);
    refresh.addEventListener("click", () => this.refresh());
    this.find.addEventListener("input", () => this.show());
    for (const kind of ["pointerdown", "wheel", "keydown"]) {
      this.root.addEventListener(kind, (event) => event.stopPropagation()); // else the canvas takes them
    }
  }

  get widget() {
    return this.node.widgets?.find((widget) => widget.name === "clip");
  }

  async refresh() {
    const answer = await api.fetchApi(ROUTE);
    if (!answer.ok) return;
    this.clips = await answer.json();
    if (this.widget?.options) this.widget.options.values = this.clips.map((clip) => clip.name);
    this.show();
  }

  choose(name) {
    const widget = this.widget;
    if (!widget) return;
    widget.value = name;
    widget.callback?.(name, app.canvas, this.node);
    this.node.setDirtyCanvas?.(true, true);
    this.mark();
  }

  mark() {
    for (const tile of this.grid.querySelectorAll(".mmgt-library-clip")) {
      tile.setAttribute("aria-selected", String(tile.dataset.clip === this.widget?.value));
    }
  }

  show() {
    const shown = this.clips.filter((clip) => matches(clip, this.find.value));
    this.grid.replaceChildren(...shown.map((clip) => this.tile(clip)));
    if (!shown.length) this.grid.append(element("div", "", { textContent: words().none }));
    this.mark();
  }

  tile(clip) {
    const tile = element("div", "mmgt-library-clip", { tabIndex: 0 });
    tile.setAttribute("role", "option");
    tile.dataset.clip = clip.name;
    tile.title = [clip.name, `${clip.seconds} s`, clip.tags.join(", "), clip.license].filter(Boolean).join("\n");
    const picture = clip.preview
      ? element("img", "", { loading: "lazy", alt: clip.name, draggable: false, src: address("preview", clip.name) })
      : element("div");
    tile.append(picture, element("span", "", { textContent: clip.name.split("/").pop() }));
    tile.addEventListener("click", () => this.choose(clip.name));
    tile.addEventListener("keydown", (event) => event.key === "Enter" && this.choose(clip.name));
    if (clip.sound) {
      const button = element("button", "", { textContent: "♪", title: words().play, type: "button" });
      button.addEventListener("click", (event) => {
        event.stopPropagation();
        play(clip.name);
      });
      tile.append(button);
    }
    return tile;
  }
}

app.registerExtension({
  name: "MMGT.Library",

  setup() {
    document.head.append(element("style", "", { textContent: STYLE }));
    api.addEventListener("execution_success", () => browsers.forEach((browser) => browser.refresh()));
  },

  nodeCreated(node) {
    if (node.comfyClass !== NODE || !node.addDOMWidget) return;
    const browser = new Browser(node);
    const shown = node.addDOMWidget("library", "mmgt_library", browser.root, {
      serialize: false,
      hideOnZoom: false,
      getMinHeight: () => 220,
      getValue: () => "",
      setValue: () => {},
    });
    shown.serialize = false; // it is no value of the workflow
    browsers.add(browser);
    const removed = node.onRemoved;
    node.onRemoved = function (...args) {
      browsers.delete(browser);
      playing?.pause();
      return removed?.apply(this, args);
    };
    const clip = browser.widget;
    const changed = clip?.callback;
    if (clip) {
      clip.callback = function (...args) {
        const answer = changed?.apply(this, args);
        browser.mark();
        return answer;
      };
    }
    browser.refresh();
  },
});
