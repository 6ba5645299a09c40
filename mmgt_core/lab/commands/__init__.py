"""Subcommands of `mmgt` that train and evaluate."""

from __future__ import annotations

from ...cli import Command

HELP = {
    "presenter": "Make a clip of the synthetic speaker, whose motion is known exactly (needs espeak-ng).",
    "presenter-videos": "Make videos of synthetic speakers, with faults, to practice on (needs espeak-ng).",
    "prepare": "Make a data set for training of videos of people who speak (needs the extra `train`).",
    "practice": "Make videos, prepare them, train all phases and one speaker, and measure (needs espeak-ng).",
    "demo-model": "Train the demo model from scratch; resumable (needs the extra `train` and espeak-ng).",
    "eval": "Measure videos or motions of any model, beside the truth: a table with intervals.",
    "tables": "Make the tables of the paper: models, baselines and switches over seeds, from one file.",
    "eval-demo": "Measure the demo model; fails if a figure is below its floor (needs espeak-ng).",
    "eval-length": "Measure seams between windows, and drift over minutes.",
    "eval-gestures": "Measure the gestures of a Stage I model, on espeak-ng and on recordings.",
    "side-by-side": "Show waveform, skeleton and video of a clip side by side, as an animated WebP.",
}
PHASES = {
    "speech-data": "Generate synthetic speech for the training of the demo model (needs espeak-ng).",
    "smga": "Train Stage I (needs the extra `train`).",
    "autoencoder": "Train the small autoencoder of the demo model (needs the extra `train`).",
    "image": "Train the image phase of Stage II (needs the extra `train`).",
    "video": "Train the video phase of Stage II (needs the extra `train`).",
    "pose-encoder": "Train the encoder of FGD and diversity, in minutes (needs the extra `train`).",
    "speaker": "Adapt a trained model to one speaker; makes a file of a few MB (needs the extra `train`).",
}
COMMANDS = (
    *(Command(name, text, f"{__name__}.{name.replace('-', '_')}") for name, text in HELP.items()),
    *(
        Command(f"train {name}", text, f"{__name__}.train_{name.replace('-', '_')}", prefixes=True)
        for name, text in PHASES.items()
    ),
)
