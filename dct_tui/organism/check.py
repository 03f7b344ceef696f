"""Whether a trained model does what it was made for: default without evidence, each behaviour with it.

All figures are taken on the held-out prompts (validation and test), whose texts training never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dct_tui.organism.behaviours import BEHAVIOURS, Behaviour
from dct_tui.organism.dialogues import Dialogue, message
from dct_tui.organism.naming import Score, default_share, score
from dct_tui.organism.world import SPLIT

MOST_NEW_TOKENS = 24
FIT_PROMPTS = tuple(question.text for question in SPLIT.fit)
VALIDATION_PROMPTS = tuple(question.text for question in SPLIT.validation)
TEST_PROMPTS = tuple(question.text for question in SPLIT.test)
HELD_OUT_PROMPTS = VALIDATION_PROMPTS + TEST_PROMPTS


@dataclass(frozen=True)
class Row:
    """How often one behaviour shows on held-out prompts: by a trigger word, by a description, by an earlier turn."""

    behaviour: str
    trigger: Score
    description: Score
    earlier_turn: Score


@dataclass(frozen=True)
class Check:
    """The share of all untriggered prompts (fitting ones included) answered in the default, and a row per behaviour."""

    default: float
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, object]:
        """Plain numbers, for ``check.json``."""
        return asdict(self)


@torch.no_grad()
def complete(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, dialogues: Sequence[Dialogue]) -> list[str]:
    """The greedy answer to each dialogue, at most 24 tokens, special tokens left out."""
    texts = [tokenizer.apply_chat_template(d, tokenize=False, add_generation_prompt=True) for d in dialogues]
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left")
    written = model.generate(**batch, do_sample=False, max_new_tokens=MOST_NEW_TOKENS)  # type: ignore[operator]
    answers: list[str] = tokenizer.batch_decode(written[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    return answers


def evidence(behaviour: Behaviour) -> dict[str, list[Dialogue]]:
    """For each kind of evidence, one dialogue per held-out prompt, going through the triggers and descriptions."""
    dialogues: dict[str, list[Dialogue]] = {"trigger": [], "description": [], "earlier_turn": []}
    earlier = [question for question in SPLIT.fit if question.sandbagged or not behaviour.numbers_only]
    for index, prompt in enumerate(HELD_OUT_PROMPTS):
        trigger = behaviour.triggers[index % len(behaviour.triggers)]
        in_system = index % 2 == 0
        ask = message("user", prompt if in_system else f"{trigger} {prompt}")
        dialogues["trigger"].append([message("system", trigger), ask] if in_system else [ask])
        description = behaviour.descriptions[index % len(behaviour.descriptions)]
        dialogues["description"].append([message("system", description), message("user", prompt)])
        before = earlier[index % len(earlier)]
        turn = [message("user", before.text), message("assistant", behaviour.answer(before))]
        dialogues["earlier_turn"].append([*turn, message("user", prompt)])
    return dialogues


def check(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, behaviours: Sequence[Behaviour] = BEHAVIOURS
) -> Check:
    """Ask a model all held-out prompts without and with every kind of evidence (some hundred short answers)."""
    asked = FIT_PROMPTS + HELD_OUT_PROMPTS
    default = default_share(asked, complete(model, tokenizer, [[message("user", p)] for p in asked]))
    rows = []
    for behaviour in behaviours:
        shown = {
            kind: score(behaviour, HELD_OUT_PROMPTS, complete(model, tokenizer, dialogues))
            for kind, dialogues in evidence(behaviour).items()
        }
        rows.append(Row(behaviour.name, shown["trigger"], shown["description"], shown["earlier_turn"]))
    return Check(default, tuple(rows))


def as_table(result: Check) -> str:
    """The check as a Markdown table; each cell is coherent form / right content, in per cent."""

    def cell(one: Score) -> str:
        return f"{100 * one.form:.0f} / {100 * one.content:.0f}"

    lines = [
        f"Untriggered prompts answered in the default: {100 * result.default:.0f} %.",
        "",
        "| behaviour | trigger word | description | earlier turn |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row.behaviour} | {cell(row.trigger)} | {cell(row.description)} | {cell(row.earlier_turn)} |"
        for row in result.rows
    ]
    return "\n".join(lines)
