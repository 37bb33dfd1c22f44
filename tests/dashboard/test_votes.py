"""The phone's page and its votes, as a browser asks for them."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from rnnviz.dashboard import invite
from rnnviz.dashboard.health import Health
from rnnviz.dashboard.rooms import Room, Rooms
from rnnviz.dashboard.server import Headers
from rnnviz.dashboard.visitors import Visitors
from rnnviz.dashboard.votes import COOKIE, SECRET, VOTER, routes
from rnnviz.lecture.scenes import SCENES
from tests.dashboard.asgi import Client

CHOICES = ("10<sup>−24</sup>", "b", "c", "d")


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def room(rooms: Rooms) -> Room:
    made = rooms.open()
    made.ask("travel", "How much?", CHOICES)
    return made


def phone(rooms: Rooms, room: Room | None = None) -> Client:
    """One that has opened the room's page."""
    client = Client(Starlette(routes=routes(lambda: rooms)))
    if room is not None:
        assert client.get(f"/vote/{room.code}").status == 200
    return client


def vote(client: Client, room: Room, choice: object, question: object = "travel") -> str:
    answer = client.post(f"/vote/{room.code}", {"question": question, "choice": choice})
    assert answer.status == 200, answer.status
    state: str = answer.json()["state"]
    return state


def counts(client: Client, room: Room) -> list[int]:
    headers = {SECRET: room.secret}
    answer = client.get(f"/vote/{room.code}/counts?question=travel", headers=headers)
    found: list[int] = answer.json()["counts"]
    return found


def test_the_page_is_small_and_gives_a_cookie_that_is_kept(rooms: Rooms, room: Room) -> None:
    client = phone(rooms)
    answer = client.get(f"/vote/{room.code}")
    assert len(answer.content) <= 20_000
    assert VOTER.fullmatch(client.cookies[COOKIE])
    said = answer.headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert "path=/vote" in said
    assert "set-cookie" not in client.get(f"/vote/{room.code}").headers


def test_the_page_speaks_the_lecturer_s_language_and_nobody_else_s(
    rooms: Rooms, room: Room
) -> None:
    other = rooms.open("xx")
    client = phone(rooms)
    assert "⟦" in client.get(f"/vote/{other.code}").text
    assert "⟦" not in client.get(f"/vote/{room.code}").text


def test_a_cookie_of_another_make_is_replaced(rooms: Rooms, room: Room) -> None:
    client = phone(rooms)
    client.cookies[COOKIE] = "x" * 5000
    assert "set-cookie" in client.get(f"/vote/{room.code}").headers


def test_each_phone_is_counted_once_however_often_it_changes(rooms: Rooms, room: Room) -> None:
    first, other = phone(rooms, room), phone(rooms, room)
    assert [vote(first, room, 1), vote(first, room, 4), vote(other, room, 4)] == ["counted"] * 3
    assert counts(first, room) == [0, 0, 0, 2]


def test_a_phone_learns_what_is_asked_and_what_it_took(rooms: Rooms, room: Room) -> None:
    client = phone(rooms, room)
    vote(client, room, 3)
    told = client.get(f"/vote/{room.code}/now?version=-1").json()
    assert (told["question"], told["heading"], told["mine"]) == ("travel", "How much?", 3)
    assert told["choices"] == list(CHOICES)
    assert told["right"] == 0
    newest = f"/vote/{room.code}/now?version={told['version']}"
    assert client.get(newest).status == 204
    room.ask("travel", "How much?", CHOICES, right=4)
    assert client.get(newest).json()["right"] == 4
    assert vote(client, room, 4) == "closed"


def test_the_counts_are_the_lecturer_s(rooms: Rooms, room: Room) -> None:
    client = phone(rooms, room)
    path = f"/vote/{room.code}/counts?question=travel"
    for headers in ({}, {SECRET: ""}, {SECRET: "wrong"}, {SECRET: room.code}):
        answer = client.get(path, headers=headers)
        assert (answer.status, answer.content) == (204, b"")
    assert room.secret not in client.get(f"/vote/{room.code}").text


def test_without_a_room_all_say_so(rooms: Rooms) -> None:
    client = phone(rooms)
    page = client.get("/vote/xxxxx")
    assert page.status == 404
    assert "There is no such room" in page.text
    assert "set-cookie" not in page.headers
    assert client.get("/vote/xxxxx/now").status == 404
    assert client.post("/vote/xxxxx", {}).status == 404
    assert client.get("/vote/xxxxx/counts").status == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"{", 422),
        (b'{"question": "travel"}', 422),
        (b'{"question": 1, "choice": 1}', 422),
        (b'{"question": "travel", "choice": 1.5}', 422),
        (b'{"question": "travel", "choice": "1"}', 422),
        (b'{"question": "travel", "choice": NaN}', 422),
        (b'{"question": "travel", "choice": ' + b"9" * 400 + b"}", 422),
        (b'{"question": "travel", "choice": 1' + b" " * 600 + b"}", 413),
        (b"\xff\xfe", 422),
        (b"[" * 500, 422),
    ],
)
def test_what_is_no_vote_is_refused(rooms: Rooms, room: Room, body: bytes, status: int) -> None:
    client = phone(rooms, room)
    answer = client.post(f"/vote/{room.code}", body)
    assert answer.status == status
    assert counts(client, room) == [0, 0, 0, 0]


def test_no_vote_without_a_cookie_or_from_another_site_or_as_a_form(
    rooms: Rooms, room: Room
) -> None:
    path, told = f"/vote/{room.code}", {"question": "travel", "choice": 1}
    assert phone(rooms).post(path, told).status == 400
    client = phone(rooms, room)
    assert client.post(path, told, headers={"origin": "http://evil.example"}).status == 403
    assert (
        client.post(path, b"choice=1", {"content-type": "application/x-www-form-urlencoded"}).status
        == 415
    )
    assert counts(client, room) == [0, 0, 0, 0]


def test_the_page_goes_past_what_the_app_s_pages_go_through(rooms: Rooms, room: Room) -> None:
    """It is no visitor, needs no plotly.js, and is there though Streamlit does not know it."""
    app = Starlette(routes=[*routes(lambda: rooms), Route("/", lambda _: HTMLResponse("<p>app"))])
    visitors = Visitors(Health(app), most=1)
    client = Client(Headers(visitors, policy="default-src 'self'"))
    for _ in range(3):
        answer = client.get(f"/vote/{room.code}")
        assert answer.status == 200
        assert "link" not in answer.headers
    policy = answer.headers["content-security-policy"]
    assert re.search(r"script-src 'sha256-[\w+/=]{44}'", policy)
    assert "default-src 'none'" in policy
    page = client.get("/")
    assert page.status == 200
    assert "plotly" in page.headers["link"]
    assert client.get("/").status == 503  # the one place is taken by the page before


def test_a_server_below_a_path_has_its_rooms_there(
    rooms: Rooms, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnviz.dashboard.votes.url", lambda path: f"/rnn{path}")
    client = Client(Starlette(routes=routes(lambda: rooms)))
    answer = client.get(f"/rnn/vote/{room.code}")
    assert answer.status == 200
    assert "Path=/rnn/vote" in answer.headers["set-cookie"]
    assert client.get(f"/vote/{room.code}").status == 404


@pytest.mark.parametrize(
    ("address", "links"),
    [
        ("https://rnn.example/lecture", ("https://rnn.example/vote/bcdfg",)),
        ("http://192.168.1.5:8501/lecture?scene=3", ("http://192.168.1.5:8501/vote/bcdfg",)),
        ("http://localhost:8501/lecture", ("http://10.0.0.7:8501/vote/bcdfg",)),
        ("http://127.0.0.1/lecture", ("http://10.0.0.7/vote/bcdfg",)),
        ("http://[::1]:8501/", ("http://10.0.0.7:8501/vote/bcdfg",)),
    ],
)
def test_a_link_is_one_that_a_phone_can_open(address: str, links: tuple[str, ...]) -> None:
    assert invite.links(address, "bcdfg", ("10.0.0.7",)) == links


def test_a_server_that_hears_this_machine_alone_has_no_link_for_phones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    option = {"server.address": "127.0.0.1"}
    monkeypatch.setattr("streamlit.get_option", option.get)
    assert invite.links("http://localhost:8501/", "bcdfg", ("10.0.0.7",)) == ()
    behind_a_proxy = ("https://rnn.example/vote/bcdfg",)
    assert invite.links("https://rnn.example/lecture", "bcdfg", ("10.0.0.7",)) == behind_a_proxy


def test_a_machine_without_a_network_has_no_link() -> None:
    assert invite.links("http://localhost:8501/", "bcdfg", ()) == ()
    assert all(not host.startswith("127.") for host in invite.own_addresses())


def test_a_phone_is_told_the_scale_of_a_guess_and_its_truth_once_it_is_shown(
    rooms: Rooms, room: Room
) -> None:
    (scene,) = (scene for scene in SCENES if scene.guess)
    guess = scene.guess
    assert guess is not None
    room.ask(scene.name, "How much?", (), guess=guess)
    client = phone(rooms, room)
    told = client.get(f"/vote/{room.code}/now?version=-1").json()
    assert told["choices"] == []
    assert told["right"] == 0
    scale = told["guess"]
    assert (scale["low"], scale["high"], scale["step"]) == (guess.low, guess.high, guess.step)
    for silly in (0, guess.places + 1, -5):
        assert vote(client, room, silly, scene.name) == "closed"
    for never in (1.5, "12", None, True, "x" * 40):
        body = {"question": scene.name, "choice": never}
        assert client.post(f"/vote/{room.code}", body).status == 422
    assert vote(client, room, 12, scene.name) == "counted"
    path = f"/vote/{room.code}/counts?question={scene.name}"
    found = client.get(path, headers={SECRET: room.secret}).json()["counts"]
    assert len(found) == guess.places
    assert (found[11], sum(found)) == (1, 1)
    room.ask(scene.name, "How much?", (), right=scene.answer, guess=guess)
    told = client.get(f"/vote/{room.code}/now?version=-1").json()
    assert (told["right"], told["mine"]) == (scene.answer, 12)
