"""What the help says of the things on the screens, for the person who judges features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.dom import DOMNode

from dct_tui.triage.filters import FLAGS, NUMBERS, TEXTS
from dct_tui.triage.orders import ORDERS

__all__ = ["WIDGETS", "Topic", "topic_of", "topics_of"]


@dataclass(frozen=True)
class Topic:
    """A part of the help: a title, plain sentences, and then signs, words or keys, each with what it means."""

    title: str
    text: str = ""
    terms: tuple[tuple[str, str], ...] = ()


def topic_of(owner: type[DOMNode]) -> Topic | None:
    """What a widget is, or what it is a kind of; None: nothing is said of it."""
    return next((WIDGETS[key] for key in map(_key_of, owner.__mro__) if key in WIDGETS), None)


def topics_of(owner: type[DOMNode]) -> tuple[Topic, ...]:
    """What more there is to know on a screen."""
    return TOPICS.get(_key_of(owner), ())


def _key_of(owner: type) -> str:
    return f"{owner.__module__.rpartition('.')[2]}.{owner.__name__}"


_FEATURES = (
    Topic(
        "What the columns say",
        "A feature is shown at one strength: of those sampled the nearest to 1 at which most texts change and most are "
        "still whole.",
        (
            ("▪", "selected, with space or v: keys that mark then mark all that are selected"),
            ("★ ✗", "starred, rejected; nothing there: not judged yet"),
            ("rank", "1 is the feature that changes most, next the one that changes most and is unlike it, and so on"),
            ("no.", "its number, by which chat and export know it; it never changes"),
            ("words", "the words it makes likelier, as its output direction says: a hint, and no proof"),
            (
                "effect",
                "how much it changes which word comes next, at strength 1: KL divergence in nats a token. 0 is "
                "nothing. In the order by contrast it is contr.: how much more it pushes towards the first of the two "
                "words",
            ),
            ("changed", "in how many of its samples the text is another than without it"),
            (
                "100%!",
                "all texts change, and ! says that half of them or more are broken: they repeat themselves, or run on "
                "where the text without it ends. Read it at a lower strength (h)",
            ),
            ("·", "not known yet: it was not measured, or not sampled"),
            ("tags", "those you gave it with t; on narrow terminals they stand before the sample, as #rude"),
            ("sample", "the beginning of a text that it changes; = unsteered: it changes none"),
        ),
    ),
    Topic(
        "Filters",
        "/ begins one, enter keeps it, escape puts back what was shown before; in the list escape shows all. It is "
        "made of terms with spaces between, which must all hold. Capitals count where you write any.",
        (
            ("changed>50% unjudged", "for example: what changes most texts and is not judged yet"),
            (
                'matey !"my dear"',
                "for example: matey stands in a changed text, a promoted word, a tag or the note, and my dear in none",
            ),
            (
                "prompt:swan /\\b[A-Z]{4,}/",
                "for example: it changes the text on a prompt with swan, and writes a word in capitals (a regex)",
            ),
            ("!", "before a term turns it round: !rejected"),
            (">  <  >=  <=  =  !=", f"compare {', '.join(NUMBERS)} (kl is the effect); index:12-40 is from … to"),
            (":", f"looks in one place: {', '.join(f'{name}:' for name in TEXTS)}"),
            ("words of their own", ", ".join(FLAGS)),
        ),
    ),
    Topic(
        "Orders",
        "o chooses one and O turns it round. Marks and samples that come move nothing in the list: r sorts and filters "
        "it anew.",
        tuple((name, words.removeprefix(f"{name}: ")) for name, words in ORDERS.items()),
    ),
)

TOPICS: Mapping[str, tuple[Topic, ...]] = {"features.FeaturesScreen": _FEATURES}
"""By module and class."""

WIDGETS: Mapping[str, Topic] = {
    "line_list.LineList": Topic("Lists", "The cursor is the line with ›. Long lists are paged half a view at a time."),
    "feature_list.FeatureList": Topic(
        "The list of features",
        "One line a feature. The keys that judge act on the one under the cursor, or on all that are selected. On a "
        "wide terminal its samples stand beside; on a narrow one enter shows them.",
    ),
    "reading_pane.ReadingPane": Topic(
        "The samples of a feature",
        "What the model says under the feature, prompt by prompt (▸), at the strength in brackets; │ stands before "
        "what it says without the feature. h and l show other strengths. The keys that judge work here too.",
    ),
    "scrolled_lines.ScrolledLines": Topic(
        "Text to read", "It is longer than the view where the end is not in sight. These keys scroll it."
    ),
    "features_alike.AlikeList": Topic(
        "Features that are alike",
        "Likest first. cosine says how near they point in the model, 1 being the same way; texts says how many of the "
        "words that only they bring in both have. ▪ marks what will be rejected.",
    ),
    "session_list.SessionList": Topic(
        "The list of sessions",
        "One line a session: a fit of one model, with its features, your marks and your chats. Those used last come "
        "first. Enter opens the one under the cursor.",
    ),
    "model_list.ModelList": Topic(
        "The list of models",
        "The models on this machine. What opening the one under the cursor would take is said beside or below; nothing "
        "is loaded for that. Enter goes on with it.",
    ),
    "settings_form.SettingsForm": Topic(
        "The settings of the fit",
        "Each has a default that is good to begin with. What the one under the cursor is for is said below. Enter "
        "changes it, and most can be stepped through to the left and right.",
    ),
    "prompt_list.PromptList": Topic(
        "The prompts",
        "One line a prompt, and before it whether features are fitted or judged on it. Enter edits the one under the "
        "cursor.",
    ),
    "fit_log.FitLog": Topic(
        "What happened in the fit",
        "The newest line is the last, and the list follows it while the cursor stands there. Move up to read what was "
        "before; G follows again.",
    ),
    "rack_list.RackList": Topic(
        "The rack",
        "The features that act on the next reply, each with its strength. 1 is the strength that features were found "
        "at; above about 2 text falls apart. Steering adds a feature, ablating takes its direction out of the model.",
    ),
    "transcript.Transcript": Topic(
        "The conversation",
        "Above each reply stands what was on the rack for it: · as before, ◆ changed. Scrolled up it stays where it is "
        "while a reply is written; G follows it again.",
    ),
    "message_box.MessageBox": Topic(
        "The box for messages",
        "Enter sends, and what is pasted stays one message. Escape leaves the box, so that 1 to 5 and ? are keys "
        "again; enter comes back to it.",
    ),
    "input_line.InputLine": Topic(
        "A line to type in",
        "Enter takes what is written, escape leaves it. All other keys write: f1 is the help there.",
    ),
    "filter_line.FilterLine": Topic(
        "The line for a filter",
        "The list follows what is typed. Enter keeps the filter, escape puts back what was shown before; in the list / "
        "changes it and escape shows all. For help while typing press f1.",
    ),
    "choice_list.ChoiceList": Topic(
        "A form",
        "Each line is one choice, and the sign before it says whether it holds. Space changes the one under the "
        "cursor.",
    ),
    "export._Choices": Topic(
        "What is exported",
        "Which features, in which formats, and into which folder: space chooses a line, or lets you type its value. "
        "What will be written is said beside or below, and enter on the form writes it.",
    ),
    "dialogs._Choices": Topic(
        "Choices", "Enter takes the one under the cursor. q or escape leaves things as they are."
    ),
    "palette._Commands": Topic(
        "All that can be done",
        "Some letters of a name leave those that have them. Each line says what it does and which key does the same; "
        "enter does it.",
    ),
    "log._Lines": Topic(
        "The lines of a log",
        "The newest is the last, and the list follows it while the cursor stands there. h and l move long lines to the "
        "side.",
    ),
}
"""What focusable widgets are, by module and class; it holds for the kinds of it too."""
