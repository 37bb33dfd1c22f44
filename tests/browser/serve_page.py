"""Serves one script named by RNNVIZ_TEST_PAGE exactly as app.py serves the dashboard, and says at
/held how many bytes of uploads it holds: what Streamlit's own metrics say is up to 5 s old."""

from __future__ import annotations

import os

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.runtime import get_instance

from rnnviz.dashboard.server import (
    allow_many_files,
    end_on_signals,
    keep_freed_memory,
    middleware,
    routes,
)
from rnnviz.dashboard.unsent import keep_unsent
from rnnviz.dashboard.upload_limit import uploaded_bytes


async def held(request: Request) -> PlainTextResponse:
    sessions = list(get_instance().uploaded_file_mgr.file_storage)  # type: ignore[attr-defined]
    return PlainTextResponse(str(sum(map(uploaded_bytes, sessions))))


keep_freed_memory()
allow_many_files()
end_on_signals()
keep_unsent()
every = [*routes(), Route("/held", held)]
app = st.App(os.environ["RNNVIZ_TEST_PAGE"], routes=every, middleware=middleware())
