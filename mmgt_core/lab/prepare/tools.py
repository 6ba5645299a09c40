"""What is loaded once and used for many sources: the speech encoders and the pose detector."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .features import FeatureExtractor
from .settings import ClipSettings

if TYPE_CHECKING:
    from ...pose.detector import PoseDetector


class Tools:
    """Loads encoders and detector when they are first needed, and keeps them."""

    def __init__(self, settings: ClipSettings):
        self._settings = settings
        self._detector: PoseDetector | None = None

    @cached_property
    def features(self) -> FeatureExtractor:
        """Makes the audio rows of clips."""
        return FeatureExtractor(self._settings)

    def detector(self) -> PoseDetector:
        """The detector of `detector_dir`, which must be given.

        Raises DependencyError or CheckpointError where it cannot be used.
        """
        if self._detector is None:
            from ...pose.detector import PoseDetector

            assert self._settings.detector_dir is not None, "the caller has looked"
            self._detector = PoseDetector.from_folder(
                self._settings.detector_dir, device=self._settings.device
            )
        return self._detector
