"""Chat with features of the open session switched on, beside the unsteered model where that is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dct_tui.inert import one_line
from dct_tui.sessions.chats import list_chats, new_chat_name

from .chat_conversing import ConversingScreen
from .chat_dialogs import change_setting, choose_chat
from .chat_rack import ChatRack
from .chat_talk import Talk
from .keymap import with_keys
from .widgets.changing_lines import ChangingLines
from .widgets.message_box import MessageBox
from .widgets.transcript import Transcript

PLACEHOLDER = "a message: {message.send} sends it; {chat.leave} leaves: then 1 to 5, and {chat.write} comes back"


class ChatScreen(ConversingScreen):
    """Talk with the model while features act on it. What is switched on in the rack holds from the next reply on, and
    above each reply stands what it was made under. The unsteered model can reply to the same beside it.
    """

    PLACE: ClassVar[str] = "chat"
    CSS_PATH = "chat.tcss"
    AUTO_FOCUS = "MessageBox"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+x", "stop", "Stop", id="chat.stop", priority=True, tooltip="Stop the reply; what is there stays"),
        Binding("escape", "leave", "Leave", id="chat.leave", show=False, tooltip="Stop the reply; else leave the box"),
        Binding("enter", "write", "Write", id="chat.write", show=False, tooltip="To the message"),
        Binding("ctrl+l", "rack", "Rack", id="chat.rack", tooltip="To the rack, and back to the message"),
        Binding("ctrl+r", "again(0)", "Again", id="chat.again", tooltip="Answer the last message anew, same seed"),
        Binding("ctrl+g", "again(1)", "Other draw", id="chat.draw", show=False, tooltip="Anew, with another seed"),
        Binding(
            "ctrl+t", "compare", "Beside", id="chat.compare", tooltip="Have the unsteered model answer too, or not"
        ),
        Binding("ctrl+n", "new", "New", id="chat.new", tooltip="Begin a new chat"),
        Binding("ctrl+o", "chats", "Chats", id="chat.list", tooltip="Open another chat of this session"),
        Binding("f2", "settings", "Settings", id="chat.settings", tooltip="System prompt, temperature, length, seed"),
    ]

    def body(self) -> ComposeResult:
        """Transcript, what comes next, the box; and the rack."""
        with Horizontal(id="talk"):
            with Vertical(id="lines"):
                yield Transcript()
                yield ChangingLines(id="next")
                yield MessageBox(placeholder=with_keys(PLACEHOLDER))
            yield ChatRack(self.workbench.opened())

    def on_mount(self) -> None:
        """Opens the chat that was written to last."""
        super().on_mount()
        self.talks: dict[str, Talk] = {}
        self.session = self.workbench.opened().session
        chats = list_chats(self.session)
        self.open_talk(next((chat.name for chat in chats if not chat.problem), new_chat_name(self.session)))
        for chat in chats:
            if chat.problem:
                self.notify(one_line(chat.problem, 400), severity="warning", markup=False)

    # Chats

    def open_talk(self, name: str) -> None:
        """Shows a chat of the session; a reply that is being written in the one before goes on."""
        talk = self.talks.get(name)
        if talk is None:
            talk = self.talks[name] = Talk(self.session, name)
            talk.on_change, talk.on_piece = self._changed, self._grew
        self.talk = talk
        self.editing = None
        self._take_up()
        self._show(another=True)
        self._give_back()

    def action_new(self) -> None:
        """Begins a chat with the settings of this one."""
        before = self.talk
        if before.messages:
            self.open_talk(new_chat_name(self.session))
            if before.settings != self.talk.settings:
                self.talk.log.choose(before.settings)
        self._say_next()
        self.query_one(MessageBox).focus()

    def action_chats(self) -> None:
        """Lets one of the chats be chosen."""
        self.attempt(self._choose_chat())

    async def _choose_chat(self) -> None:
        chosen = await choose_chat(self.app, self.session, self.talk.name)
        if chosen is not None:
            self.open_talk(chosen)

    # The rack, the settings

    def on_rack_list_changed(self) -> None:
        """Says what the next reply will be under."""
        self._say_next()

    def action_rack(self) -> None:
        """To the rack, which is a drawer where there is no room for it beside; or back to the message."""
        rack = self.query_one(ChatRack)
        if rack.has_focus:
            self.remove_class("-drawer")
            self.query_one(MessageBox).focus()
        else:
            self.add_class("-drawer")
            rack.focus()

    def action_compare(self) -> None:
        """From the next reply on, with the unsteered model beside, or without."""
        settings = self.talk.settings
        self.talk.log.choose(replace(settings, compare=not settings.compare))
        self._say_next()

    def action_settings(self) -> None:
        """Lets the settings of this chat be changed, one after the other."""
        self.attempt(self._change_settings())

    async def _change_settings(self) -> None:
        talk, at = self.talk, 0
        while (
            changed := await change_setting(self.app, talk.settings, self.session.record.prompts.system, at)
        ) is not None:
            at, settings = changed
            if settings != talk.settings:
                talk.log.choose(settings)
                self._say_next()
