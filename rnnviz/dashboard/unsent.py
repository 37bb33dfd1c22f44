"""What a page has drawn and the server has not sent yet: nothing of it is lost where a part of the
page runs again.

Streamlit then drops what that part has drawn, but keeps what the parts within it have. A browser
that gets an element without the one around it says "Bad delta path" and goes blank, for good.
"""

from __future__ import annotations

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue


def keep_unsent() -> None:
    """At the start of the server: all of it is sent, as it would have been a moment earlier."""
    clear = ForwardMsgQueue.clear

    def keeping(
        self: ForwardMsgQueue,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        clear(self, retain_lifecycle_msgs, None if fragment_ids_this_run is None else [])

    ForwardMsgQueue.clear = keeping  # type: ignore[method-assign]
