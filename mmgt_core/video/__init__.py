"""Stage II: portrait, pose, motion masks and audio become video latents (stage2.md)."""
