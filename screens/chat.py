"""Chat with features of the open session switched on, beside the unsteered model where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dct_tui.engine.messages import Reply, SamplingChoice
from dct_tui.errors import DctError
from dct_tui.inert import columns, one_line
from dct_tui.sessions.chats import list_chats, new_chat_name
from dct_tui.sessions.folder import check_still_there
from dct_tui.sessions.rack import in_words

from .base import BaseScreen
from .chat_dialogs import change_setting, choose_chat
from .chat_rack import ChatRack
from .chat_talk import Talk
from .chat_words import blocks_of, next_words, waiting_words
from .clipboard import copy
from .widgets.changing_lines import ChangingLines
from .widgets.message_box import MessageBox
from .widgets.transcript import Transcript

PLACEHOLDER = "a message: enter sends it; escape leaves: then 1 to 5, and enter comes back"


class ChatScreen(BaseScreen[None]):
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

    talk: Talk
    editing: int | None = None
    """The message whose text is in the box, to be sent anew in its place."""
    busy = False
    """Whether there is something to stop."""

    def body(self) -> ComposeResult:
        """Transcript, what comes next, the box; and the rack."""
        with Horizontal(id="talk"):
            with Vertical(id="lines"):
                yield Transcript()
                yield ChangingLines(id="next")
                yield MessageBox(placeholder=PLACEHOLDER)
            yield ChatRack(self.workbench.opened())

    def on_mount(self) -> None:
        """Opens the chat that was written to last."""
        super().on_mount()
        self.talks: dict[str, Talk] = {}
        self._away = False
        self.session = self.workbench.opened().session
        chats = list_chats(self.session)
        self.open_talk(chats[0].name if chats else new_chat_name(self.session))

    # What is shown

    def open_talk(self, name: str) -> None:
        """Shows a chat of the session; a reply that is being written in the one before goes on."""
        talk = self.talks.get(name)
        if talk is None:
            talk = self.talks[name] = Talk(self.session, name)
            talk.on_change, talk.on_piece = self._changed, self._grew
        self.talk = talk
        self.editing = None
        self._show(another=True)

    @property
    def unsent(self) -> bool:
        """A message in the box stays there."""
        return bool(self.query_one(MessageBox).text)

    def pulse(self) -> None:
        """Takes in what others have written, and what was put on the rack elsewhere."""
        talk = self.talk
        self.query_one(ChatRack).follow()
        # Looked at before the journal is: a reply is written before its writer goes.
        away = self._is_away()
        if (talk.live is None and talk.log.poll()) or away != self._away:
            self._show()
        self._say_next()

    def _is_away(self) -> bool:
        """Whether somebody answers the last message whom nobody here has asked: before the line dropped, perhaps."""
        if not self.talk.unanswered:
            return False
        path = str(self.session.path)
        states = [engine.state for engine in self.workbench.link.held if engine.state is not None]
        asked = any(job.do == "reply" and job.session == path for state in states for job in state.jobs)
        return asked or self.session.writer("chats") is not None

    def _changed(self, talk: Talk) -> None:
        if talk is self.talk and self.is_running:
            self._show()

    def _grew(self, talk: Talk, side: str, text: str) -> None:
        if talk is self.talk:
            self.query_one(Transcript).grow(side, text)
            self._say_next()

    def _show(self, *, another: bool = False) -> None:
        self._away = self._is_away()
        self.query_one(Transcript).show(blocks_of(self.talk, self._away), another=another)
        self._say_next()

    def _say_next(self) -> None:
        busy = self.talk.live is not None or self.editing is not None
        if busy != self.busy:
            self.busy = busy
            self.refresh_bindings()
        rack, lines = self.query_one(ChatRack), self.query_one("#next", ChangingLines)
        if self.editing is not None:
            lines.show([[(" editing: enter sends it in place of what was said from there on; escape leaves", "warn")]])
            return
        waits = waiting_words(self.talk, self.workbench.link.state)
        room = max(0, lines.size.width - columns(waits) - 3)
        words = one_line(f"next: {next_words(rack.in_force, rack.bypassed, self.talk.settings)}", room)
        gap = " " * (room - columns(words) + 1)
        lines.show([[(f" {words}", ""), (gap, ""), (waits, "accent")]])

    def on_resize(self) -> None:
        """Fits the line above the box."""
        self.call_after_refresh(self._say_next)

    # Messages and replies

    def on_message_box_sent(self, event: MessageBox.Sent) -> None:
        """Writes the message to the journal, then asks for a reply."""
        self.attempt(self._send_or_give_back(event.text))

    async def _send_or_give_back(self, text: str) -> None:
        try:
            await self._send(text)
        except BaseException:
            box = self.query_one(MessageBox)
            box.put("\n".join(part for part in (text, box.text) if part))
            raise

    async def _send(self, text: str) -> None:
        check_still_there(self.session.path)
        self._refuse_while_writing()
        if (place := self.editing) is not None:
            await self.workbench.link.engine(self.session.record.model.spec)  # without one, what was said stays
            self._refuse_while_writing()
            self.talk.log.cut(place)
            self.editing = None
        self.talk.log.say(text)
        self._ask()

    def on_message_box_recalled(self) -> None:
        """Puts the last message into the box, to be edited."""
        place = self.talk.last_of("user")
        if place is not None and self.talk.live is None:
            self.editing = place
            self.query_one(MessageBox).put(self.talk.messages[place].content)
            self._say_next()

    def action_again(self, seeds: int) -> None:
        """Answers the last message anew, with the seed it had or one further on."""
        self.attempt(self._answer_again(seeds))

    async def _answer_again(self, seeds: int) -> None:
        talk = self.talk
        await talk.stop()
        self._refuse_while_writing()
        last, reply = talk.last_of("user"), talk.last_of("assistant")
        if last is None:
            raise DctError("there is no message to answer", "write one")
        if reply is not None and reply > last:
            if seeds and not talk.settings.temperature:
                raise DctError("at temperature 0 every seed draws the same", "f2 sets the temperature")
            seed = talk.messages[reply].settings.seed + seeds
            if seed != talk.settings.seed:
                talk.log.choose(replace(talk.settings, seed=seed))
            self._ask(lambda: talk.log.cut(last + 1))  # without an engine, the reply there is stays
            return
        self._ask()

    def _refuse_while_writing(self) -> None:
        self.talk.log.poll()
        if self.talk.live is not None or self._is_away():
            raise DctError("a reply is being written", "wait for it, or stop it with ctrl+x")

    def _ask(self, first: Callable[[], None] = lambda: None) -> None:
        talk, settings, rack = self.talk, self.talk.settings, self.query_one(ChatRack).in_force
        request = Reply(
            session=str(self.session.path),
            chat=talk.name,
            text=None,
            rack=rack,
            system=settings.system,
            sampling=SamplingChoice(
                max_new_tokens=settings.max_new_tokens,
                temperature=settings.temperature,
                top_p=settings.top_p,
                seed=settings.seed,
            ),
            compare=settings.compare and bool(rack),
        )
        model = self.session.record.model.spec
        self.attempt(talk.answer(lambda: self.workbench.link.engine(model), request, in_words(rack), first), "replies")

    def action_stop(self) -> None:
        """Stops the reply, or the editing of a message."""
        if self.editing is not None:
            self.editing = None
            self.query_one(MessageBox).put("")
            self._say_next()
        self.attempt(self.talk.stop())

    def action_leave(self) -> None:
        """Stops what goes on; else goes to the transcript. Once more does no more: 1 to 5 then go to the places."""
        if self.busy:
            self.action_stop()
        else:
            self.remove_class("-drawer")
            self.query_one(Transcript).focus()

    def action_write(self) -> None:
        """Back to the box."""
        self.query_one(MessageBox).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to stop only while something goes on."""
        return action != "stop" or self.busy

    def on_message_box_paged(self, event: MessageBox.Paged) -> None:
        """Scrolls the transcript."""
        self.query_one(Transcript).action_pages(event.pages)

    async def on_transcript_copied(self) -> None:
        """Copies the last reply."""
        place = self.talk.last_of("assistant")
        if place is not None:
            self.notify(await copy(self.app, self.talk.messages[place].content), timeout=4, markup=False)

    # The rack, the settings, other chats

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
