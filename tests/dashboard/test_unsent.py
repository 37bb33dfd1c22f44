"""What is drawn and not sent yet, where a part of the page runs again."""

from __future__ import annotations

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from rnnviz.dashboard.unsent import keep_unsent


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)  # and back again
    keep_unsent()


def drawn(path: list[int], fragment: str) -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path[:] = path
    message.delta.new_element.text.body = "drawn"
    message.delta.fragment_id = fragment
    return message


def queued(*messages: ForwardMsg) -> ForwardMsgQueue:
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    return queue


PAGE = [drawn([0, 6], "page"), drawn([0, 6, 0], "a part of it"), drawn([0, 7], "page")]


def test_an_element_is_not_lost_from_around_another() -> None:
    queue = queued(*PAGE)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["page"])
    assert queue.flush() == PAGE


def test_what_the_part_draws_now_comes_after_what_it_drew_before() -> None:
    """Put into its place, it would be taken for a part of the old run."""
    queue, anew = queued(*PAGE), drawn([0, 6], "page")
    anew.delta.new_element.text.body = "drawn anew"
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["page"])
    queue.enqueue(anew)
    assert queue.flush() == [*PAGE, anew]


def test_a_whole_run_draws_all_of_it_again() -> None:
    queue = queued(*PAGE)
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.flush() == []
