"""Stage II: portrait, pose, motion masks and audio become video latents (docs/method.md 2)."""
