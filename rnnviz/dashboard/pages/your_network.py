"""What is wrong with your network's gradients?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from rnnviz.core.cost import Estimate
from rnnviz.dashboard import address, brought, compute, jobs, layout, show, state, words_html
from rnnviz.dashboard.brought import Share, Visit, visit
from rnnviz.dashboard.state import Setting
from rnnviz.experiment import Experiment
from rnnviz.experiment.npz import UPLOAD
from rnnviz.experiment.plan import MAX_BYTES, MAX_SECONDS
from rnnviz.models import training
from rnnviz.models.brought import Brought, FromWeights, beside, estimate, own_run
from rnnviz.models.examples import EXAMPLES, LAG
from rnnviz.models.files import Source
from rnnviz.models.unsaid import Unsaid
from rnnviz.plots import theme
from rnnviz.views.your_network import (
    FIGURES,
    OF_ONE,
    Choices,
    View,
    fresh_words,
    offered,
    pictures,
    understood,
    view,
)
from rnnviz.wording.diagnosis import FindingWords
from rnnviz.wording.library import translated
from rnnviz.wording.lists import apart, said_of, sentence, sentences
from rnnviz.wording.names import display_name
from rnnviz.wording.texts import fill, language, say, texts

LAG_KEY, SAY = "your_network.lag", "your_network.say"
OF_WEIGHTS, OF_DATA = ("layout", "prefix", "reset", "cell", "module"), ("axes",)
"""What a file may leave open, and the visitor says."""
MOST_LAG = 1_000_000
MEGABYTES = UPLOAD.bytes >> 20
MODEL, FIGURES_KEY, LOSS = "view_model", "view_figures", "view_loss"
MODEL_WIDTH, LOSS_WIDTH = 160, 290
ROOM = 60
"""Characters of the row of buttons that choose figures."""
PAIRS = [("singular-values", "eigenvalues"), ("memory-gate", "half-life"),
         ("gate-strips", "carry")]  # fmt: skip
SHARES = {"memory-gate": (2, 1), "gate-strips": (4, 5)}
"""Pictures that stand side by side, and how the width is divided, as on their own pages."""


def page(setting: Setting) -> None:
    """Files, what was understood of them, the diagnosis, figures. The sidebar's experiment is not
    in it."""
    _heading()
    address.say_what_is_drawn(Experiment())
    opened = visit()
    opened.open_waiting()
    beside_the_doors = _doors(opened)
    if opened.problem:
        name, problem = opened.problem
        layout.warn(say("your_network", "stays", name=name, problem=translated(problem)))
    if opened.source is None:
        _small(texts("your_network")["begin"])
        return
    try:
        if (found := _network(opened)) is not None:
            with beside_the_doors:
                network, said = _with_loss(*found)
            _answer(opened, network, said)
    except ValueError as error:  # of a file, of data that do not fit it, of a server that is full
        layout.warn(fill(texts("layout")["refused"], reason=translated(str(error))))


def _heading() -> None:
    """The question; beside it networks to try."""
    text = texts("your_network")
    left, right = st.columns([4, 7], vertical_alignment="center")
    with left:
        layout.question(text["question"])
    with right, show.choices_row():
        st.html(f'<p class="rnnviz-how">{words_html.marked(text["try"])}</p>', width="content")
        for name in EXAMPLES:
            st.button(text[f"example_{name}"], key=f"example-{name}", on_click=_example,
                      args=(name,))  # fmt: skip


def _doors(opened: Visit) -> DeltaGenerator:
    """Where files come in, and the lag; below it is room for the loss."""
    text = texts("your_network")
    left, middle, right = st.columns([9, 9, 6], gap="medium")
    with left:
        _uploader("weights", text["weights"], text["weights_help"])
    with middle:
        if opened.source is None or isinstance(opened.source, Source):
            _uploader("data", text["data"], text["data_help"])
            if opened.data is not None:
                name = theme.plain(opened.data.name)
                st.button(say("your_network", "without", name=name), key="without",
                          on_click=_remove_data)  # fmt: skip
        else:
            _small(text["own_data"])
    with right:
        st.session_state.setdefault(LAG_KEY, None)
        st.number_input(text["lag"], 1, MOST_LAG, step=1, placeholder=text["lag_none"],
                        help=text["lag_help"], **state.widget(LAG_KEY))  # fmt: skip
    return right


def _uploader(kind: str, label: str, explained: str) -> None:
    key = f"your_network.{kind}.{visit().taken}"
    file = st.file_uploader(
        label,
        key=key,
        help=explained,
        on_change=_take,
        args=(kind, key),
        max_upload_size=MEGABYTES,
    )
    if file is not None:  # its callback was lost on the way, or came before the file
        _take(kind, key)
        st.rerun()


def _take(kind: str, key: str) -> None:
    """Before the script's body: a file has come. Its door is then another one, for the next."""
    state.speak_here()
    file, opened = st.session_state.get(key), visit()
    if not isinstance(file, UploadedFile):  # one that Streamlit holds no more
        return
    taken = brought.file_of(file.name, file.getvalue())
    opened.taken += 1
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        # Read once, it need not stay there.
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    if kind == "data":
        _forget(OF_DATA)
        opened.take_data(taken)
    else:
        _forget(OF_WEIGHTS)
        opened.waiting = taken


def _remove_data() -> None:
    _forget(OF_DATA)
    visit().take_data(None)


def _example(name: str) -> None:
    state.speak_here()
    _forget((*OF_WEIGHTS, *OF_DATA))
    brought.example(name, texts("your_network")[f"example_{name}"])
    st.session_state[LAG_KEY] = LAG


def _forget(answers: tuple[str, ...]) -> None:
    """What was said of the file before."""
    st.session_state.pop(state.view_key(LOSS), None)
    for what in answers:
        st.session_state[f"{SAY}.{what}"] = None


def _network(opened: Visit) -> tuple[Brought, dict[str, str]] | None:
    """The network and what was said of it, once all is said that no file says; until then the
    questions."""
    said: dict[str, str] = {}
    names = () if isinstance(opened.source, Source) else tuple(opened.source or ())
    if len(names) > 1 and not _ask(said, "module", names):
        return None
    while True:
        try:
            return brought.network(opened, said), said
        except Unsaid as missing:
            if not _ask(said, missing.field, missing.allowed):
                layout.note(translated(str(missing)))
                return None


def _ask(said: dict[str, str], what: str, allowed: tuple[str, ...]) -> bool:
    """One of a few; tells whether it is chosen, and adds it to what is `said`."""
    name = f"{SAY}.{what}"
    if st.session_state.setdefault(name, None) not in allowed:
        st.session_state[name] = None
    st.selectbox(
        texts("your_network")[f"say_{what}"],
        allowed,
        format_func=lambda option: theme.plain(option, 60) or "–",
        placeholder=texts("your_network")["choose"],
        width=640,
        **state.widget(name, options=allowed),
    )
    if (answer := st.session_state[name]) is None:
        return False
    said[what] = answer
    return True


def _answer(opened: Visit, network: Brought, said: Mapping[str, str]) -> None:
    """What was understood, the diagnosis, the figures."""
    data_name = opened.data.name if opened.data is not None else ""
    _small(understood(network, opened.name, data_name))
    choices = Choices(
        layout.kept(FIGURES_KEY, offered(network), FIGURES[0]),
        layout.chosen(MODEL),
        *show.chosen_layer(),
    )
    too_long = _refusal(_estimate(network, choices))
    if too_long:  # without the figures that were chosen; the choice stays, to choose others
        choices = replace(choices, figures=FIGURES[0])
        if refusal := _refusal(_estimate(network, choices)):
            layout.warn(refusal)
            return
    lag: int | None = st.session_state[LAG_KEY]
    asked = opened.version, tuple(said.items()), lag, choices, language()
    shown = opened.result(asked, lambda: _worked(network, lag, choices))
    _diagnosis(shown)
    _figures(shown, offered(network), too_long)


def _with_loss(network: Brought, said: Mapping[str, str]) -> tuple[Brought, Mapping[str, str]]:
    """With the loss that is chosen where the data have targets; at first the one that they are
    of."""
    if not isinstance(network, FromWeights) or len(network.losses) < 2:
        return network, said
    text, losses = texts("your_network"), network.losses
    loss = layout.choice(text["loss"], losses, LOSS, losses[0],
                         lambda name: text[f"loss_{name}"], LOSS_WIDTH)  # fmt: skip
    return replace(network, loss=loss), {**said, "loss": loss}


def _refusal(work: Estimate) -> str:
    """Why it is not done, by what it would take; nothing is allocated for it."""
    taken = work.on(compute.speed())
    most = min(MAX_BYTES, compute.memory().ceiling)
    if taken.bytes <= most and taken.seconds <= MAX_SECONDS:
        return ""
    sizes = {"size": f"{taken.bytes / 2**20:,.0f}", "most": f"{most / 2**20:,.0f}"}
    times = {"seconds": f"{math.ceil(taken.seconds):,}", "limit": f"{MAX_SECONDS:g}"}
    return say("your_network", "too_large", **sizes, **times)


def _estimate(network: Brought, choices: Choices) -> Estimate:
    """What the runs and the diagnosis take, and the training where that is asked for."""
    whole = estimate(network)
    if choices.figures == "train" and isinstance(network, FromWeights):
        return whole + training.estimate(network)
    return whole


def _worked(network: Brought, lag: int | None, choices: Choices) -> View:
    """Both runs, in slices and with a bar where that takes long, and what is to be said of them.
    The runs themselves are not kept."""
    taken, place = _estimate(network, choices).on(compute.speed()), st.empty()
    words = say("your_network", "working", seconds=f"{math.ceil(taken.seconds):,}")

    def told(share: float) -> None:
        if taken.seconds > layout.SOON:
            place.progress(share, text=words)

    told(0.0)
    share = Share(taken.seconds, told)
    try:
        with compute.memory().room(taken.bytes, jobs.courteous()):
            with share.at_work():
                own = own_run(network, share.tell)
                run = beside(own, network, share.tell)
            jobs.give_way()
            findings = network.findings(own, lag)
            jobs.give_way()
            with share.at_work():
                return view(run, network, findings, lag, choices, share.tell)
    finally:
        place.empty()


def _diagnosis(shown: View) -> None:
    """In large what is wrong; what to change; behind a click every finding with its numbers."""
    layout.verdict(shown.verdict, shown.styles)
    said = apart(map(translated, shown.notes))
    assumed = say("your_network", "notes", notes=said) if said else ""
    if assumed or shown.padding:
        _small(sentences([assumed, shown.padding]))
    serious, other = shown.serious, len(shown.findings) - shown.serious
    if not shown.findings:
        return
    label = say("your_network", "findings", serious=serious, other=other)
    with layout.lazy(label, "findings") as opened:
        for finding in shown.findings if opened else ():
            _finding(finding)


def _finding(finding: FindingWords) -> None:
    mark, words, facts, definition, change = finding
    _small(said_of(f"**{mark}**", words))
    layout.note(sentences([sentence(facts), definition]))
    if change:
        _small(texts("your_network")["change"])
        st.code(change, language=None)  # whose colours are too faint


def _figures(shown: View, figures: tuple[str, ...], too_long: str) -> None:
    """The figures of another page, of both networks or of one of them; too_long: why those that
    were chosen are not made, "" if they are."""
    text = texts("your_network")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        layout.choice(text["figures"], figures, FIGURES_KEY, FIGURES[0],
                      lambda name: text[f"figures_{name}"], room=ROOM)  # fmt: skip
        if too_long:
            layout.warn(too_long)
            return
        if shown.choices.figures in OF_ONE:
            layout.choice(texts("layout")["choose_model"], shown.models, MODEL, shown.models[0],
                          display_name, MODEL_WIDTH)  # fmt: skip
        show.layer_choice(shown.layers, small=True)
        _small(fresh_words(shown))
    items = [item for item in pictures(shown) if item.key != "verdict"]  # which stands above
    show.show(items, shown.styles, PAIRS, SHARES)


def _small(text: str) -> None:
    st.html(f'<p class="rnnviz-how">{words_html.marked(text)}</p>')
