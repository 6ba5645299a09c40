"""`mmgt eval-demo`: the demo model's figures, beside their floors."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...cli.arguments import seed
from ...cli.console import Console

NAME = "eval-demo"
HELP = "measure the demo model on speech and people that training never saw; exit 1 where a floor is missed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="decides voices, sentences, identities and noise"
    )
    parser.add_argument(
        "--only", choices=("stage1", "stage2", "end-to-end"), help="measure one part (default: all)"
    )
    parser.add_argument(
        "--motion-model", type=Path, metavar="FILE", help="SMGA model (default: the shipped demo model)"
    )
    parser.add_argument(
        "--model",
        "--video-model",
        type=Path,
        metavar="FILE",
        help="video model (default: the shipped demo model)",
    )
    parser.add_argument(
        "--inputs",
        type=Path,
        metavar="FILE",
        help="inputs that --save-inputs wrote; espeak-ng is not needed then",
    )
    parser.add_argument("--save-inputs", type=Path, metavar="FILE", help="keep the inputs of this seed")
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="finished clips; an interrupted run goes on where it stopped",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument("--device", help="cpu, cuda, ... (default: a GPU if there is one)")
    parser.add_argument("--quick", action="store_true", help="few clips: a smoke test, not a measurement")


def run(args: argparse.Namespace, console: Console) -> int:
    from ..evaluation.demo import evaluate_demo

    table = evaluate_demo(
        args.seed,
        only=args.only,
        motion_model=args.motion_model,
        video_model=args.model,
        inputs=args.inputs,
        save_inputs=args.save_inputs,
        journal=args.journal,
        device=args.device,
        quick=args.quick,
        progress=console.stage("evaluation"),
    )
    console.close()
    print(table.to_text())
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(table.to_json(), encoding="utf-8")
    return table.exit_code
