"""ComfyUI-MMGT: one portrait and one speech recording become a video of that person speaking and gesturing.

ComfyUI imports this file; nothing heavy is loaded before it asks for the nodes. The engine is `mmgt_core`,
which also works without ComfyUI (command `mmgt`).
"""

WEB_DIRECTORY = "./web"  # help pages of the nodes, and the browser of the motion library


async def comfy_entrypoint():
    """Called by ComfyUI once: the extension that lists our nodes."""
    from .nodes import MMGTExtension

    return MMGTExtension()
