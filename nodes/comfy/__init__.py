"""How the nodes run inside ComfyUI: patches, sampling, decoding, and the services of the host."""
