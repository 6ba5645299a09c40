"""The routes by which ComfyUI's page shows the motion library."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from .library_folder import KINDS, clip_file, clips

ROUTE = "/mmgt/library"
TYPES = {"preview": "image/webp", "sound": "audio/wav"}


def add_routes() -> None:
    """Let the host's server answer `ROUTE` (JSON) and `ROUTE`/preview and /sound?clip=NAME (files); once.

    No other file can be requested: a name is compared with the list, never made into a path.
    """
    server = getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)
    if server is None or any(getattr(route, "path", None) == ROUTE for route in server.routes):
        return
    from aiohttp import web

    @server.routes.get(ROUTE)
    async def listed(request: Any) -> Any:
        found = await asyncio.to_thread(clips)
        return web.json_response([clip.to_json() for clip in found])

    @server.routes.get(f"{ROUTE}/{{kind:{'|'.join(KINDS)}}}")
    async def part(request: Any) -> Any:
        kind = request.match_info["kind"]
        path = await asyncio.to_thread(clip_file, request.query.get("clip", ""), kind)
        if path is None:
            return web.Response(status=404, text="the library has no such file")
        return web.FileResponse(path, headers={"Content-Type": TYPES[kind], "Cache-Control": "no-cache"})
