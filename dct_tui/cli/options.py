"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

LARGEST_SEED = 2**63 - 1
LARGEST_COUNT = 2**31 - 1

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, one value a line.")]
ModelName: TypeAlias = Annotated[
    str, typer.Argument(metavar="MODEL", help="A folder, the id of a cached hub model, or `builtin`.")
]
SessionName: TypeAlias = Annotated[
    str, typer.Argument(metavar="SESSION", help="A session's folder, or its name in `dct-tui sessions`.")
]
Dtype: TypeAlias = Annotated[str, typer.Option(help="auto, bf16, fp16 or fp32.")]
Device: TypeAlias = Annotated[str | None, typer.Option(help="Such as cuda:1 or cpu; by default the first GPU.")]
DeviceMap: TypeAlias = Annotated[
    str | None, typer.Option(help="Such as auto: spread a large model over devices (needs accelerate).")
]
Revision: TypeAlias = Annotated[str | None, typer.Option(help="Of a cached hub model.")]
TrustRemoteCode: TypeAlias = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run the Python code that comes with the model.")
]
AllowPickle: TypeAlias = Annotated[
    bool, typer.Option("--allow-pickle", help="Read .bin weights, which can run any code when they are opened.")
]
PromptsFile: TypeAlias = Annotated[Path | None, typer.Option("--prompts", help="A .txt, .jsonl or .csv file.")]
PromptTexts: TypeAlias = Annotated[
    list[str] | None, typer.Option("--prompt", help="A prompt; may be given many times.")
]
SamplePrompts: TypeAlias = Annotated[
    Path | None,
    typer.Option("--prompts", help="A .txt, .jsonl or .csv file; by default the session's validation prompts."),
]
Temperature: TypeAlias = Annotated[float, typer.Option(help="0 is greedy.", min=0.0, max=100.0)]
TopP: TypeAlias = Annotated[float, typer.Option(help="Share of probability kept.", min=0.0, max=1.0)]
Seed: TypeAlias = Annotated[int, typer.Option(help="Of everything drawn at random.", min=0, max=LARGEST_SEED)]
MaxNewTokens: TypeAlias = Annotated[int, typer.Option(help="Where a reply is cut off.", min=1, max=LARGEST_COUNT)]
