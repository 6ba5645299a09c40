"""Running workflows on ComfyUI servers from the outside: one job or a file of them, without a browser.

`workflow` fills an API-format workflow, `jobs` reads what people wrote, `client` (the only file that opens a
connection) speaks with one server, `replies` reads its answers, `runner` shares jobs among servers, and
`journal` lets a run that was stopped go on.
"""
