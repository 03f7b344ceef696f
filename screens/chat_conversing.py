"""One chat on the screen: what of it is shown, messages that are sent, replies that are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dct_tui.errors import ContextFull, DctError
from dct_tui.inert import columns, one_line
from dct_tui.sessions import Session
from dct_tui.sessions.folder import check_still_there

from .base import BaseScreen
from .chat_elsewhere import is_written_elsewhere, reply_under_way
from .chat_rack import ChatRack
from .chat_talk import Talk
from .chat_words import blocks_of, next_words, waiting_words
from .clipboard import copy
from .keymap import with_keys
from .widgets.changing_lines import ChangingLines
from .widgets.message_box import MessageBox
from .widgets.transcript import Transcript


class ConversingScreen(BaseScreen[None]):
    """A chat that is shown and gone on with, whichever it is.

    Attributes:
        session: whose chat it is.
        talk: the chat.
        editing: the message whose text is in the box, to be sent anew in its place.
        busy: whether there is something to stop.
    """

    session: Session
    talk: Talk
    editing: int | None = None
    busy = False
    _away = False

    # What is shown

    @property
    def unsent(self) -> bool:
        """A message in the box stays there."""
        return bool(self.query_one(MessageBox).text)

    def pulse(self) -> None:
        """Takes in what others have written, and what was put on the rack elsewhere."""
        talk = self.talk
        self.query_one(ChatRack).follow()
        self._take_up()
        # Looked at before the journal is: a reply is written before its writer goes.
        away = self._is_away()
        if (talk.live is None and talk.log.poll()) or away != self._away:
            self._show()
        self._say_next()

    def _take_up(self) -> None:
        """Follows the reply that an engine makes to the last message, where it was not asked from here."""
        talk = self.talk
        if talk.unanswered and talk.problem is None:
            under_way = reply_under_way(self.workbench.link, self.session, talk.name)
            if under_way is not None:
                self.attempt(talk.follow(*under_way), "replies")

    def _is_away(self) -> bool:
        """Whether the last message may be answered by somebody who cannot be followed."""
        return self.talk.unanswered and is_written_elsewhere(self.workbench.link, self.session)

    def _changed(self, talk: Talk) -> None:
        if talk is self.talk and self.is_running:
            self._show()
            self._give_back()

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
            words = " editing: {message.send} sends it in place of what was said from there on; {chat.leave} leaves"
            lines.show([[(with_keys(words), "warn")]])
            return
        waits = waiting_words(self.talk, self.workbench.link.state, answers=self.workbench.link.answers)
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
            self._put_back(text)
            raise

    def _put_back(self, text: str) -> None:
        box = self.query_one(MessageBox)
        box.put("\n".join(part for part in (text, box.text) if part))

    def _give_back(self) -> None:
        """A message for which the model has no room goes back into the box."""
        problem = self.talk.problem
        if isinstance(problem, ContextFull) and self.talk.unanswered:
            self._put_back(self.talk.take_back())
            self._show()
            self.workbench.show_error(problem)

    async def _send(self, text: str) -> None:
        check_still_there(self.session.path)
        self._refuse_while_writing()
        if (place := self.editing) is not None:
            talk = self.talk
            await self.workbench.link.engine(self.session.record.model.spec)  # without one, what was said stays
            if self.talk is not talk or self.editing != place:
                raise DctError("nothing was sent: its editing was left meanwhile", "it is back in the box")
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
        if self.talk is not talk:
            return  # It is not in view any more, and what is there was not meant.
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
        model, rack = self.session.record.model.spec, self.query_one(ChatRack).in_force
        self.attempt(self.talk.answer(lambda: self.workbench.link.engine(model), rack, first), "replies")

    def action_stop(self) -> None:
        """Stops the reply, or the editing of a message."""
        if self.editing is not None:
            self.editing = None
            self.query_one(MessageBox).put("")
            self._say_next()
        self.attempt(self.talk.stop())

    def action_leave(self) -> None:
        """Stops what goes on; else goes to the transcript. Once more does no more: 1 to 5 then go to the places."""
        if self.busy and not self.talk.stopping:
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
