"""Colours that can be seen by everyone on both backgrounds, and text that stays text."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from plotly.colors import get_colorscale

from rnnviz.plots import theme
from rnnviz.wording.texts import speak_in

BACKGROUNDS = ("#ffffff", "#0e1117", "#0f1317")
# Machado, Oliveira, Fernandes 2009: severity 1.0, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG 2 contrast ratio."""
    dark, light = sorted(linear(c) @ [0.2126, 0.7152, 0.0722] for c in (a, b))
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Ottosson 2020."""
    cones = np.cbrt(np.array([[0.4122214708, 0.5363325363, 0.0514459929],
                              [0.2119034982, 0.6806995451, 0.1073969566],
                              [0.0883024619, 0.2817188376, 0.6299787005]]) @ rgb)  # fmt: skip
    return np.array([[0.2104542553, 0.7936177850, -0.0040720468],
                     [1.9779984951, -2.4285922050, 0.4505937099],
                     [0.0259040371, 0.7827717662, -0.8086757660]]) @ cones  # fmt: skip


def distance(a: str, b: str, sight: str = "usual") -> float:
    """OKLab distance of two colours as this sight has them, times 100."""
    seen = [np.clip(np.array(SIGHT[sight]) @ linear(c), 0, 1) for c in (a, b)]
    return 100 * float(np.linalg.norm(oklab(seen[0]) - oklab(seen[1])))


ALL = [c for shades in theme.KIND_COLOURS.values() for c in shades]


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("colour", [*ALL, *theme.OTHER_COLOURS, theme.GREY])
def test_lines_have_contrast_on_light_and_dark(colour, background):
    assert contrast(colour, background) >= 3


@pytest.mark.parametrize("colour", [*ALL, *theme.OTHER_COLOURS])
def test_small_text_in_a_model_s_colour_can_be_read_in_light_and_dark(colour):
    assert contrast(colour, "#ffffff") >= 4.5
    assert contrast(theme.DARK[colour], "#0f1317") >= 4.5


@pytest.mark.parametrize("shade", [str, theme.DARK.__getitem__], ids=["light", "dark"])
@pytest.mark.parametrize("sight", SIGHT)
def test_the_three_cells_stay_apart_for_every_sight(sight, shade):
    first = [shade(shades[0]) for shades in theme.KIND_COLOURS.values()]
    assert min(distance(a, b, sight) for a, b in itertools.combinations(first, 2)) > 8


@pytest.mark.parametrize("shade", [str, theme.DARK.__getitem__], ids=["light", "dark"])
def test_shades_of_one_cell_differ(shade):
    for shades in theme.KIND_COLOURS.values():
        pairs = itertools.combinations(map(shade, shades), 2)
        assert min(distance(a, b) for a, b in pairs) > 5


@pytest.mark.parametrize(
    ("shade", "background"),
    [(str, "#ffffff"), (theme.DARK.__getitem__, "#0f1317")],
    ids=["light", "dark"],
)
def test_what_is_no_model_looks_like_none_and_is_told_apart(shade, background):
    models = [shade(shades[0]) for shades in theme.KIND_COLOURS.values()]
    own = [shade(colour) for colour in theme.NO_MODEL]
    assert all(contrast(colour, background) >= 4.5 for colour in own)
    assert min(distance(a, b) for a in own for b in models) > 8
    for sight in SIGHT:
        assert min(distance(a, b, sight) for a, b in itertools.combinations(own, 2)) > 6, sight


def test_signed_scales_and_numbers_beyond_all_end_in_no_model_s_colour():
    models = [
        c for shades in theme.KIND_COLOURS.values() for c in (shades[0], theme.DARK[shades[0]])
    ]
    ends = [theme.DIVERGING[0][1], theme.DIVERGING[1][1], *(c for _, c in theme.DIVERGING[3:])]
    assert min(distance(a, b) for a in (*ends, theme.INFINITE) for b in models) > 8
    for sight in SIGHT:
        assert distance(ends[0], ends[-1], sight) > 8
        assert distance(ends[1], ends[2], sight) > 8


def test_yellow_is_for_gates_alone():
    gates = {colour for part, colour in theme.PARTS.items() if len(part) == 1}
    others = {colour for part, colour in theme.PARTS.items() if len(part) > 1}
    assert min(distance(a, b) for a in gates for b in others) > 8


def test_what_is_no_number_has_a_colour_off_the_scale():
    scale = [colour for _, colour in get_colorscale(theme.SEQUENTIAL)]
    for off in (theme.EXACT_ZERO, theme.ROUNDED_ZERO, theme.INFINITE, theme.NOT_A_NUMBER):
        assert min(distance(off, on) for on in scale) > 8, off


def test_diverging_scale_is_centred():
    places = [place for place, _ in theme.DIVERGING]
    assert places == [1 - place for place in reversed(places)]
    middle = linear(theme.DIVERGING[2][1])
    assert np.ptp(middle) < 0.1


def test_models_of_one_cell_differ_in_colour_and_dash():
    labels = ["lstm", "rnn", "lstm:forget_bias=0", "lstm:gain=2", "gru"]
    styles = theme.model_styles(labels)
    looks = {(style.colour, style.dash) for style in styles.values()}
    assert len(looks) == len(labels)
    assert styles["lstm"].colour == theme.model_colour("lstm") == theme.KIND_COLOURS["lstm"][0]
    assert styles["lstm"].dash == styles["rnn"].dash == styles["gru"].dash == "solid"
    assert styles["lstm:forget_bias=0"].title == "LSTM, forget bias 0"


def test_layers_of_a_model_share_its_look_and_say_where_they_are():
    labels = ["lstm · layer 1 →", "lstm · layer 2 ←", "lstm:gain=2 · layer 1 →", "rnn"]
    first, last, other, plain = theme.model_styles(labels).values()
    assert (first.colour, first.dash) == (last.colour, last.dash)
    assert first.colour == theme.model_colour("lstm")
    assert other.colour == theme.model_colour("lstm", 1)
    assert [s.title for s in (last, other, plain)] == [
        "LSTM · layer 2 ←", "LSTM, gain 2 · layer 1 →", "RNN"]  # fmt: skip
    assert plain.colour == theme.model_colour("rnn")


def test_a_models_style_does_not_depend_on_other_kinds():
    few, many = theme.model_styles(["gru"]), theme.model_styles(["rnn", "lstm", "gru"])
    assert few["gru"] == many["gru"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_name_is_the_cell_alone_and_its_settings_are_the_detail_in_every_language(language):
    labels = ["gru:hidden_size=3", "gru:hidden_size=5,layers=2"]
    three, five = speak_in(language, lambda: theme.model_styles(labels)).values()
    assert (three.name, five.name) == ("GRU", "GRU")
    assert three.detail.endswith(" 3")
    assert three.small != five.small


def test_long_names_that_differ_at_their_ends_stay_apart():
    labels = [f"network_of_my_thesis_{n}" for n in (1, 2)]
    one, two = theme.model_styles(labels).values()
    assert len({one.name, two.name}) == 2
    details = [f"rnn:{'recurrent_' * 5}gain={n}" for n in (1, 2)]
    assert len({style.detail for style in theme.model_styles(details).values()}) == 2


def test_page_styles_win_and_unknown_labels_are_added():
    page = theme.model_styles(["lstm", "lstm:gain=2"])
    known = theme.styles_for(["lstm:gain=2", "gru"], page)
    assert known["lstm:gain=2"] is page["lstm:gain=2"]
    assert known["gru"] == theme.model_styles(["gru"])["gru"]


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "$x$", "%{y}", "a\nb", "\\href", "x" * 500, "", "\x00"]
)
def test_plain_text_has_no_markup(text):
    clean = theme.plain(text)
    assert not set(clean) & set("<>${}\\\n\x00")
    assert len(clean) <= 40


def test_template_is_small_and_our_own():
    layout = theme.template()["layout"]
    assert set(theme.template()) == {"layout"}
    assert layout["font"]["size"] == 16
    assert layout["xaxis"]["tickfont"]["size"] == 16
