"""The inputs that say what a video file carries about its origin."""

from __future__ import annotations

from comfy_api.latest import io

from ..mmgt_core.pipeline.marking import NUMBERS, MarkSettings

NO_WATERMARK = -1
WITHOUT_MARKS = "The video carries no marks that say it is generated (marks is off)."


def mark_inputs() -> list[io.Input]:
    """Last and optional, so that older workflows stay valid."""
    return [
        io.Boolean.Input(
            "marks",
            default=True,
            optional=True,
            tooltip=(
                "Writes into the file that it is generated (IPTC digital source type, AIGC label, "
                "generator). Many laws require it."
            ),
        ),
        io.String.Input(
            "consent",
            default="",
            optional=True,
            tooltip=(
                "Optional reference to the consent of the person shown, such as a contract number. It is "
                "written into the marks."
            ),
        ),
        io.Int.Input(
            "watermark",
            default=NO_WATERMARK,
            min=NO_WATERMARK,
            max=NUMBERS - 1,
            optional=True,
            tooltip=(
                "Number to hide in the frames, from 0 to 65535; it survives re-encoding, scaling and "
                "cropping. -1 = no watermark."
            ),
        ),
        io.Boolean.Input(
            "visible_label",
            default=False,
            optional=True,
            tooltip='Shows "AI-generated" in the lower right corner.',
        ),
        io.Boolean.Input(
            "mark_details",
            default=False,
            optional=True,
            tooltip=(
                "Also writes the numbers and switches of this workflow and the SHA-256 of its input files "
                "into the marks; never names or paths."
            ),
        ),
    ]


def mark_settings(
    marks: bool = True,
    consent: str = "",
    watermark: int = NO_WATERMARK,
    visible_label: bool = False,
    mark_details: bool = False,
) -> MarkSettings:
    """The values of the inputs as settings."""
    return MarkSettings(
        marks=marks,
        consent=consent.strip() or None,
        watermark=None if watermark == NO_WATERMARK else watermark,
        visible_label=visible_label,
        mark_details=mark_details,
    )
