"""A loaded network on data with a loss gives what PyTorch computed, and says what it assumed."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rnnviz.core.network import run_network
from rnnviz.models import Loaded, load, make_batch, read_data, replay, run_of
from rnnviz.models.brought import FromWeights, own_run
from rnnviz.wording.library import translated
from rnnviz.wording.texts import speak_in
from tests.models.golden import beginning, columns, expected_gradients, golden, rows

EXACT = {"rtol": 1e-11, "atol": 1e-13}
D, H, OUT = 2, 3, 4


@pytest.fixture
def model() -> Loaded:
    rng = np.random.default_rng(1)
    layer = [rng.standard_normal(shape) / 2 for shape in ((4 * H, D), (4 * H, H), (4 * H,))]
    readout = rng.standard_normal((OUT, H)), rng.standard_normal(OUT)
    return load(layer, "pytorch", readout=readout)


@pytest.fixture
def reader() -> Loaded:
    """Reads tokens through an embedding of seven."""
    rng = np.random.default_rng(2)
    shapes = {"emb.weight": (7, D), "weight_ih_l0": (3 * H, D), "weight_hh_l0": (3 * H, H)}
    return load({name: rng.standard_normal(shape) for name, shape in shapes.items()})


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn_tanh"])
def test_gradients_of_ones_own_enter_as_pytorchs_do(name: str) -> None:
    """Batch first as in PyTorch: ∂L/∂output, and 1 for all of h_n and c_n."""
    arrays = golden(f"torch_{name}")
    loaded = load(beginning(arrays, "state."))
    ones = {f"d_{k}": np.ones_like(arrays[f"{k}_n"]) for k in "hc" if f"{k}_n" in arrays}
    states = {f"{k}0": arrays[f"{k}0"] for k in "hc" if f"{k}0" in arrays}
    data = read_data(arrays["x"], layout="btd", d_output=arrays["direct"], **ones, **states)
    trace = replay(loaded, data)
    assert np.isnan(trace.loss)
    expected = expected_gradients(beginning(arrays, "grad."))
    for parameter in set(expected) - {"W_hy", "b_y"}:
        assert_allclose(trace.grads[parameter], expected[parameter], **EXACT, err_msg=parameter)
    every = [t for layer in trace.layers for t in layer]
    assert_allclose([t.d_h[0].T for t in every], arrays["d_h0"], **EXACT)


def test_a_classifiers_loss_is_pytorchs() -> None:
    arrays = golden("torch_classifier")
    loaded = load(beginning(arrays, "state."))
    data = read_data(arrays["tokens"], layout="btd", target=arrays["target"])
    trace = replay(loaded, data)
    assert trace.loss == pytest.approx(float(arrays["loss"]), rel=1e-12)
    for name, value in expected_gradients(beginning(arrays, "grad.")).items():
        assert_allclose(trace.grads[name], value, **EXACT, err_msg=name)


def test_own_gradients_enter_where_each_sequence_ends(model: Loaded) -> None:
    lengths = np.array([5, 2])
    x = np.random.default_rng(3).standard_normal((5, D, 2))
    x[2:, :, 1] = 0
    d = np.random.default_rng(4).standard_normal((1, H, 2))
    trace = replay(model, read_data(x, layout="tdb", lengths=lengths, d_h=d, d_c=2 * d)).trace
    for b, length in enumerate(lengths):
        own = d[..., b : b + 1]
        alone = read_data(x[:length, :, b : b + 1], layout="tdb", d_h=own, d_c=2 * own)
        one = replay(model, alone).trace
        assert_allclose(trace.d_h[: length + 1, :, b], one.d_h[..., 0], **EXACT)
        assert_allclose(one.d_h[-1, :, 0], d[0, :, b], **EXACT)
        assert_array_equal(trace.d_h[length + 1 :, :, b], 0)


def test_the_loss_in_a_random_direction(model: Loaded) -> None:
    x = np.random.default_rng(3).standard_normal((5, D, 2))
    x[2:, :, 1] = 0
    data = read_data(x, layout="tdb", lengths=[5, 2])
    trace = replay(model, data)
    last = np.stack([trace.y[4, :, 0], trace.y[1, :, 1]], axis=1)
    direction = trace.d_y[4, :, 0] * 2
    assert np.linalg.norm(direction) == pytest.approx(1, rel=1e-14)
    assert_allclose(trace.d_y[1, :, 1] * 2, direction)
    assert trace.loss == pytest.approx((direction @ last).mean(), rel=1e-13)
    assert np.count_nonzero(trace.d_y.any(axis=1)) == 2
    batch = make_batch(model, data)
    assert batch.note == "the loss is the last output in a random direction"
    again = run_network(model.network, model.params, batch)
    for name, value in trace.grads.items():
        assert_array_equal(again.grads[name], value)
    assert_array_equal(replay(model, data).d_y, trace.d_y)
    assert not np.allclose(replay(model, data, seed=1).d_y, trace.d_y)


def test_the_loss_in_a_random_direction_is_of_the_last_output_whatever_the_mask(
    model: Loaded,
) -> None:
    rng = np.random.default_rng(3)
    x, mask, lengths = rng.standard_normal((5, D, 2)), rng.uniform(size=(5, 2)), [5, 2]
    x[2:, :, 1] = 0
    plain = replay(model, read_data(x, layout="tdb", lengths=lengths))
    for weights in (mask, np.zeros((5, 2))):
        data = read_data(x, layout="tdb", lengths=lengths, mask=weights)
        assert_array_equal(replay(model, data).d_y, plain.d_y)
        first, said = make_batch(model, data).note.split("; ")
        assert first == "the loss is the last output in a random direction"
        assert said.startswith("mask is not used: ")
        assert speak_in("zh", lambda text=said: translated(text)).startswith("未使用 mask：")
    rows = [f"{a},{b},{a}" for a, b in x[..., 0]]
    table = read_data("\n".join(["a,b,target", *rows]).encode())
    assert table.mask is not None
    batch = make_batch(model, table, "projection")
    assert batch.note == "the loss is the last output in a random direction"
    assert_array_equal(batch.mask[:, 0], [0, 0, 0, 0, 1])


def test_squared_error_at_every_step_and_at_the_last(model: Loaded) -> None:
    x = np.random.default_rng(3).standard_normal((5, D, 2))
    target = np.random.default_rng(4).standard_normal((5, OUT, 2))
    every = replay(model, read_data(x, layout="tdb", target=target))
    difference = every.y - target
    assert every.loss == pytest.approx(0.5 * (difference**2).sum() / 2, rel=1e-13)
    last = replay(model, read_data(x, layout="tdb", target=target[-1]))
    assert last.loss == pytest.approx(0.5 * (difference[-1] ** 2).sum() / 2, rel=1e-13)
    mask = np.array([[1, 0], [0, 2], [0, 0], [0, 0], [0, 0]], float)
    masked = replay(model, read_data(x, layout="tdb", target=target, mask=mask))
    assert masked.loss == pytest.approx(
        0.25 * ((difference[0, :, 0] ** 2).sum() + 2 * (difference[1, :, 1] ** 2).sum()), rel=1e-13
    )


def test_classes_are_taken_as_numbers_where_the_loss_says_so(model: Loaded) -> None:
    one = load([np.ones((4 * H, D)), np.ones((4 * H, H))], "pytorch",
               readout=(np.ones((1, H)), np.ones(1)))  # fmt: skip
    x, numbers = np.ones((2, 5, D)), np.arange(10).reshape(2, 5)
    trace = replay(one, read_data(x, layout="btd", target=numbers), "squared_error")
    expected = 0.5 * ((rows(trace.y)[..., 0] - numbers) ** 2).sum() / 2
    assert trace.loss == pytest.approx(expected, rel=1e-13)
    assert replay(one, read_data(x, layout="btd", target=[3, 4]), "squared_error").loss > 0


def test_what_is_not_given_is_noise_of_the_datas_size(model: Loaded, reader: Loaded) -> None:
    batch = make_batch(model)
    assert batch.x.shape == (100, D, 16)
    assert batch.note.startswith("x is white noise; ")
    assert abs(batch.x.mean()) < 0.1
    assert abs(batch.x.std() - 1) < 0.1
    sized = make_batch(model, read_data(target=np.ones((6, 4, OUT)), layout="btd"))
    assert sized.x.shape == (4, D, 6)
    padded = make_batch(model, read_data(lengths=[3, 5]))
    assert padded.x.shape == (5, D, 2)
    assert not padded.x[3:, :, 0].any()
    larger = make_batch(model, read_data(lengths=[3, 5, 4]))
    assert_array_equal(larger.x[..., :2], padded.x)
    tokens = make_batch(reader)
    assert tokens.note.startswith("x is random tokens; ")
    assert reader.embedding is not None
    assert {*map(tuple, rows(tokens.x).reshape(-1, D))} == {*map(tuple, reader.embedding)}
    assert_array_equal(make_batch(model, seed=1).x == batch.x, False)


@pytest.mark.parametrize("given", [{"d_output": np.ones((2, 5, OUT))}, {"d_h": np.ones((1, 2, H))}])
def test_beside_gradients_of_ones_own_what_is_not_given_is_said(
    given: dict[str, Any], model: Loaded, reader: Loaded
) -> None:
    x, data = np.ones((2, 5, D)), read_data(layout="btd", **given)
    for batch in (run_of(model, data).batch, own_run(FromWeights(model, data)).batch):
        assert batch.note == "x is white noise"
    last = read_data(d_h=np.ones((1, 2, H)))
    assert run_of(reader, last).batch.note == "x is random tokens"
    assert run_of(model, read_data(x, layout="btd", **given)).batch.note == ""
    more = {"target": np.ones((2, 1)), "mask": np.ones((2, 5))}
    for name, value in more.items():
        beside = read_data(x, layout="btd", **given, **{name: value})
        assert run_of(model, beside).batch.note == (
            f"{name} is not used beside gradients of one's own"
        )
    table = read_data(b"0,1\n0.5,2\n0.25,3\n", d_h=np.ones((1, H, 1)))
    assert run_of(model, table).batch.note.startswith("the first row of the table, 0 to 1, is ")


@pytest.mark.parametrize("name", ["h0", "c0", "d_h", "d_c"])
def test_data_have_as_many_sequences_as_a_state_of_theirs(name: str, model: Loaded) -> None:
    data = read_data({name: np.ones((1, 3, H))})
    assert FromWeights(model, data).size == (100, 3)
    assert replay(model, data).y.shape == (100, OUT, 3)


def test_what_was_assumed_of_a_table_is_said(model: Loaded) -> None:
    batch = make_batch(model, read_data(b"0,1\n0.5,2\n0.25,3\n"))
    assert batch.x.shape == (2, D, 1)
    assert batch.note.startswith("the first row of the table, 0 to 1, is taken for the names of ")


def test_tokens_are_looked_up_or_stand_for_columns(model: Loaded, reader: Loaded) -> None:
    tokens = np.array([[6, 0, 1], [2, 0, 0]])
    batch = make_batch(reader, read_data(tokens, layout="btd", lengths=[3, 1]))
    assert reader.embedding is not None
    assert_array_equal(rows(batch.x)[0], reader.embedding[tokens[0]])
    assert not batch.x[1:, :, 1].any()
    replay(reader, read_data(tokens, layout="btd", lengths=[3, 1]))
    one_hot = make_batch(model, read_data(np.array([[1, 0]]), layout="btd"))
    assert_array_equal(one_hot.x, [[1], [0]])
    assert_array_equal(replay(model, read_data(np.array([[1, 0]]), layout="btd")).trace.x[..., 0],
                       [[0, 1], [1, 0]])  # fmt: skip


@pytest.mark.parametrize(
    ("given", "loss", "message"),
    [
        ({"x": np.ones((2, 5, 3))}, None, "x must have 2 features for this network, got 3"),
        ({"x": np.full((2, 5), 2)}, None, "x must hold tokens from 0 to 1, got 2 at step 0 of seq"),
        ({"x": np.ones((2, 5, D))}, "mse", "loss must be one of squared_error, softmax"),
        (
            {"x": np.ones((2, 5, D))},
            "squared_error",
            "target must be given for the loss squared_err",
        ),
        (
            {"x": np.ones((2, 5, D)), "target": [0, OUT]},
            None,
            "target must be from 0 to 3, the net",
        ),
        (
            {"x": np.ones((2, 5, D)), "target": [0, 1, 2]},
            None,
            r"shape \(2, 5\) at every step, or \(2,\) at the last, got \(3,\)",
        ),
        (
            {"x": np.ones((2, 5, D)), "target": np.ones((2, 3))},
            None,
            r"shape \(2, 5, 4\) at every step, or \(2, 4\) at the last, got \(2, 3\)",
        ),
        (
            {"x": np.ones((2, 5, D)), "target": np.ones((2, OUT))},
            "softmax_cross_entropy",
            "target must be classes, integers",
        ),
        (
            {"x": np.ones((2, 5, D)), "h0": np.ones((2, 2, H))},
            None,
            r"h0 must have shape \(1, 2, 3\), got \(2, 2, 3\)",
        ),
        (
            {"x": np.ones((2, 5, D)), "h0": np.ones((1, 3, H))},
            None,
            r"h0 must have shape \(1, 2, 3\), got \(1, 3, 3\)",
        ),
        (
            {"x": np.ones((2, 5, D)), "d_h": np.ones((1, 3, H))},
            None,
            r"d_h must have shape \(1, 2, 3\), got",
        ),
        (
            {"x": np.ones((2, 5, D)), "d_h": np.ones((1, 2, H))},
            "projection",
            "loss must be None beside gradients of one's own, got 'projection'",
        ),
        (
            {"x": np.ones((2, 5, D)), "lengths": [5, 3]},
            None,
            "must be 0 where lengths says padding",
        ),
    ],
)
def test_what_does_not_fit_the_network_is_named(
    given: dict[str, Any], loss: str | None, message: str, model: Loaded
) -> None:
    with pytest.raises(ValueError, match=message):
        replay(model, read_data(given, layout="btd"), loss)


B, T = 4, 9
TURNS = {"tdb": (0, 1, 2), "btd": (2, 0, 1), "tbd": (0, 2, 1)}
WIDE = {"tdb": "({T}, {O}, {B})", "btd": "({B}, {T}, {O})", "tbd": "({T}, {B}, {O})"}
FLAT = {"tdb": "({T}, {B})", "btd": "({B}, {T})", "tbd": "({T}, {B})"}
LAST = {"tdb": "({O}, {B})", "btd": "({B}, {O})", "tbd": "({B}, {O})"}
STATES = {"tdb": "(1, {H}, {B})", "btd": "(1, {B}, {H})", "tbd": "(1, {B}, {H})"}


@pytest.mark.parametrize("layout", TURNS)
def test_what_does_not_fit_is_said_by_its_name_and_in_its_own_axes(
    layout: str, model: Loaded
) -> None:
    def shape(form: dict[str, str], **sizes: int) -> str:
        return form[layout].format(**{"T": T, "B": B, "O": OUT, "H": H, **sizes})

    def turned(*core: int) -> Any:
        return np.ones(core).transpose(TURNS[layout])

    def refused(loss: str | None = None, like: Loaded = model, **given: Any) -> str:
        with pytest.raises(ValueError, match=" must ") as caught:
            replay(like, read_data(turned(T, D, B), layout=layout, **given), loss)
        return str(caught.value)

    state = np.ones((1, 5, B) if layout == "tdb" else (1, B, 5))
    for name in ("h0", "c0", "d_h", "d_c"):
        said = f"{name} must have shape {shape(STATES)}, got {shape(STATES, H=5)}"
        assert refused(**{name: state}) == said
    assert refused(d_output=turned(T, 5, B)) == (
        f"d_output must have shape {shape(WIDE)}, got {shape(WIDE, O=5)}")  # fmt: skip
    numbers = f"target must have shape {shape(WIDE)} at every step, or {shape(LAST)} at the last"
    assert refused(target=turned(T, 5, B)) == f"{numbers}, got {shape(WIDE, O=5)}"
    last = np.ones((5, B) if layout == "tdb" else (B, 5))
    assert refused(target=last) == f"{numbers}, got {shape(LAST, O=5)}"
    assert refused("softmax_cross_entropy", target=last) == (
        f"target must be classes, integers {shape(FLAT, T='T', B='B')} or (B,), got float64 of "
        f"shape {shape(LAST, O=5)}")  # fmt: skip
    assert refused(target=np.zeros(B + 1, int)) == (
        f"target must have shape {shape(FLAT)} at every step, or ({B},) at the last, got (5,)"
    )
    wide = {
        "tdb": "T, D, B = (9, 5, 4)",
        "btd": "B, T, D = (4, 9, 5)",
        "tbd": "T, B, D = (9, 4, 5)",
    }
    with pytest.raises(ValueError, match="x must have 2 features") as caught:
        replay(model, read_data(turned(T, 5, B), layout=layout))
    assert f"got 5 ({wide[layout]}): is its layout as said?" in str(caught.value)


@pytest.mark.parametrize(
    ("layout", "axes", "states"),
    [("tdb", "t, b", "H, B"), ("btd", "b, t", "B, H"), ("tbd", "t, b", "B, H")],
)
def test_the_axes_that_are_asked_for_are_those_of_the_layout(
    layout: str, axes: str, states: str
) -> None:
    x = np.ones((B, T, D))
    with pytest.raises(ValueError, match=f"mask must have an axis for each of {axes}, got"):
        read_data(x, layout=layout, mask=x)
    with pytest.raises(ValueError, match=rf"h0 must have shape \(layers · directions, {states}\)"):
        read_data(x, layout=layout, h0=np.ones(3))


def test_a_state_that_the_cell_does_not_have_is_refused_by_its_name(reader: Loaded) -> None:
    data = read_data(np.ones((B, T), int), layout="btd", c0=np.ones((1, B, H)))
    with pytest.raises(ValueError, match="c0 must be None for GRU, which has no cell state"):
        replay(reader, data)


@pytest.mark.parametrize("labels", [[0, 1, 1, 0], [0, 0, 0, 0]])
def test_one_output_is_no_choice_among_classes(labels: list[int]) -> None:
    """A softmax over one class would be 1 whatever the network does."""
    one = load([np.ones((4 * H, D)), np.ones((4 * H, H))], "pytorch",
               readout=(np.ones((1, H)), np.ones(1)))  # fmt: skip
    data = read_data(np.ones((B, T, D)), layout="btd", target=labels)
    batch = make_batch(one, data)
    assert batch.loss == "squared_error"
    assert batch.note == "the loss is the squared error: one output is no choice among classes"
    assert make_batch(one, data, "squared_error").note == ""
    assert replay(one, data).trace.d_h.any()
    with pytest.raises(ValueError, match="loss must be squared_error for one output"):
        make_batch(one, data, "softmax_cross_entropy")


def test_a_batch_is_not_made_of_gradients(model: Loaded) -> None:
    data = read_data(d_output=np.ones((2, 5, OUT)), layout="btd")
    with pytest.raises(ValueError, match="data must have a loss, got gradients of one's own"):
        make_batch(model, data)
    assert replay(model, data).y.shape == (5, OUT, 2)


def test_a_model_in_single_precision_runs_in_it() -> None:
    arrays = golden("torch_lstm")
    single = {n: a.astype(np.float32) for n, a in beginning(arrays, "state.").items()}
    trace = replay(load(single), read_data(arrays["x"], layout="btd", d_output=arrays["direct"]))
    double = replay(load(beginning(arrays, "state.")),
                    read_data(arrays["x"], layout="btd", d_output=arrays["direct"]))  # fmt: skip
    assert trace.y.dtype == np.float32
    assert_allclose(trace.y, double.y, rtol=0, atol=1e-6)
    assert_allclose(trace.trace.d_x, double.trace.d_x, rtol=0, atol=1e-5)
    assert columns(arrays["x"]).shape == trace.trace.x.shape


def places() -> list[tuple[dict[str, Any], str]]:
    """Data with something in the padding of sequence 2, which has 3 of 5 steps, and where that is
    in the axes in which they are given."""
    found = []
    for padding, t in (("right", 4), ("left", 1)):
        x = np.zeros((5, D, 4))
        x[t, 1, 2] = 7
        at = {"tdb": [t, 1, 2], "tbd": [t, 2, 1], "btd": [2, t, 1]}
        for layout, turn in (("tdb", (0, 1, 2)), ("tbd", (0, 2, 1)), ("btd", (2, 0, 1))):
            given = {"x": x.transpose(turn), "layout": layout, "padding": padding}
            said = f"in sequence 2 of 3 steps, got 7.0 at {at[layout]}: is padding {padding!r}?"
            found.append((given, f"x must be 0 where lengths says padding, {said}"))
    return found


@pytest.mark.parametrize(("given", "message"), places())
def test_what_is_in_the_padding_is_named_in_the_axes_of_the_data(
    given: dict[str, Any], message: str, model: Loaded
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        replay(model, read_data(**given, lengths=[5, 4, 3, 2]))


def test_tokens_and_single_sequences_in_padding_are_named_in_their_own_axes(model: Loaded) -> None:
    tokens = np.array([[1, 0, 1], [0, 0, 0], [0, 0, 0]])
    for padding, at in (("right", [0, 2]), ("left", [0, 0])):
        said = re.escape(f"got {tokens[tuple(at)]} at {at}: is padding {padding!r}?")
        with pytest.raises(ValueError, match=f"x must be one token where lengths .*{said}"):
            replay(model, read_data(tokens, layout="btd", lengths=[1, 3, 1], padding=padding))
    with pytest.raises(ValueError, match=r"in sequence 0 of 2 steps, got 1.0 at \[2, 0\]: is pad"):
        replay(model, read_data(np.ones((4, D)), lengths=[2]))
