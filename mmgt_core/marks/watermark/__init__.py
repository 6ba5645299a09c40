"""An invisible watermark in the brightness of video frames: pattern, code, embedding and detection."""
