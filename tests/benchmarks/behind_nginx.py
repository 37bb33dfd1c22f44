"""`python -m tests.benchmarks.behind_nginx`: HOSTING.md's configuration of nginx, tried as written.

Two processes behind it, with and without a base path: 20 visitors, all of one address, who open the
page, connect, upload a file, lose the connection and come back. Each must stay with one process,
both must have some, and the log must hold no query.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from websockets.sync.client import ClientConnection, connect

from tests.benchmarks.served import Served, served
from tests.browser.support import ROOT, free_port

VISITORS = 20
OWN_TEXT = "text=something+private"
MAIN = """
worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; daemon off;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{http}
  server {{ listen 127.0.0.1:{port};
{server}
  }}
}}
"""


def main() -> None:
    """Print a line for each base path; raises AssertionError where something does not hold."""
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    for base in ("", "/rnn"):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            two = [stack.enter_context(served(base, RNNVIZ_METRICS="1")) for _ in range(2)]
            port, config = free_port(), Path(folder) / "nginx.conf"
            config.write_text(configuration(Path(folder), port, base, two), "utf-8")
            process = subprocess.Popen([nginx, "-c", str(config)])
            try:
                print(f"base path {base or 'none'}: {check(port, base, two, Path(folder))}")
            finally:
                process.terminate()
                process.wait(10)


def configuration(folder: Path, port: int, base: str, two: list[Served]) -> str:
    """What HOSTING.md says, with the ports and folders of here."""
    text = (ROOT / ".github" / "HOSTING.md").read_text("utf-8")
    http, server = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    for known, each in zip(("8501", "8502"), two, strict=True):
        http = http.replace(f"127.0.0.1:{known}", urlsplit(each.address).netloc)
    server = server.replace("/var/log/nginx", str(folder))
    if base:
        server = server.replace("location / {", f"location {base} {{")
    return MAIN.format(folder=folder, port=port, http=http, server=server)


def check(port: int, base: str, two: list[Served], folder: Path) -> str:
    address = f"http://127.0.0.1:{port}{base}"
    cookies = [page(address) for _ in range(VISITORS)]
    connections = [Visit(address, cookie) for cookie in cookies]
    shares = [visitors(each) for each in two]
    assert sum(shares) == VISITORS, shares
    assert min(shares) > 0, shares
    for visit in connections:
        assert visit.upload() == 204
    for visit in connections:
        visit.socket.close()
    again = [Visit(address, visit.cookie, visit.session) for visit in connections]
    assert [visit.session for visit in again] == [visit.session for visit in connections]
    for path in ("/metrics", "/_stcore/metrics"):
        assert status(f"{address}{path}") == 403
    assert status(f"{address}/healthz") == 200
    for visit in again:
        visit.socket.close()
    log = (folder / "rnnviz.log").read_text("utf-8")
    assert f'"GET {base}/' in log
    assert "private" not in log
    return f"{VISITORS} visitors, {shares[0]} and {shares[1]}, came back to their own sessions"


def page(address: str) -> str:
    """Open the page; the cookie that it gives."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{address}/?{OWN_TEXT}") as answer:
                return answer.headers["Set-Cookie"].partition(";")[0]
        except OSError:  # nginx has not begun
            time.sleep(0.05)
    raise RuntimeError(f"nothing answers at {address}")


class Visit:
    """A connection to the page, and the name of its session."""

    def __init__(self, address: str, cookie: str, session: str = "") -> None:
        self.address, self.cookie = address, cookie
        self.socket = self._connect(["streamlit", *(["token", session] if session else [])])
        ask = BackMsg()
        ask.rerun_script.query_string = "hidden_size=2&seq_len=3&batch_size=1&models=rnn"
        self.socket.send(ask.SerializeToString())
        while True:
            told = ForwardMsg.FromString(bytes(self.socket.recv(timeout=60)))
            if told.WhichOneof("type") == "new_session":
                self.session = told.new_session.initialize.session_id
                break

    def _connect(self, protocols: list[str]) -> ClientConnection:
        kinds: list = protocols
        return connect(
            f"{self.address.replace('http:', 'ws:')}/_stcore/stream", subprotocols=kinds,
            additional_headers={"Cookie": self.cookie}, max_size=None, max_queue=None,
            origin=self.address.removesuffix(urlsplit(self.address).path), legacy=True,
        )  # fmt: skip

    def upload(self) -> int:
        """A file for this session: the other process does not know it."""
        token = generate_xsrf_token_string()
        body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\na\r\n'
        request = urllib.request.Request(
            f"{self.address}/_stcore/upload_file/{self.session}/{uuid4()}",
            body + b"--x--\r\n", method="PUT",
            headers={"Cookie": f"{self.cookie}; _streamlit_xsrf={token}", "X-Xsrftoken": token},
        )  # fmt: skip
        request.add_header("Content-Type", "multipart/form-data; boundary=x")
        with urllib.request.urlopen(request) as answer:
            return answer.status


def visitors(each: Served) -> int:
    with urllib.request.urlopen(f"{each.address}/metrics") as answer:
        found = re.search(rb"^rnnviz_visitors (\d+)$", answer.read(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


if __name__ == "__main__":
    main()
