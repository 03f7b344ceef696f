"""The commands, and what `dct-tui` does without one."""

from __future__ import annotations

import typer

from . import chat, demo, doctor, engines, export, features, fit, import_, models, resume, sample, sessions, workbench

app = typer.Typer(
    help="Find hidden behaviours in language models by Deep Causal Transcoding.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True)(workbench.workbench)
app.command()(models.models)
app.command()(fit.fit)
app.command()(resume.resume)
app.command()(sessions.sessions)
app.command()(features.features)
app.command()(sample.sample)
app.command()(chat.chat)
app.command()(export.export)
app.command("import")(import_.import_)
app.command()(demo.demo)
app.command()(engines.engines)
app.command()(doctor.doctor)
