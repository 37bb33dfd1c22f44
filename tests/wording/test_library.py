"""What the library says in English is said in the language of the page."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from rnnviz.core import RNN
from rnnviz.experiment import FIELDS, Experiment, make_task
from rnnviz.experiment.links import from_query
from rnnviz.experiment.npz import UPLOAD
from rnnviz.models.files import from_bytes
from rnnviz.models.sequences import read_data
from rnnviz.tasks import LOSS_AT, TASKS
from rnnviz.wording.library import note_words, translated
from rnnviz.wording.tasks import task_words
from rnnviz.wording.texts import ENGLISH, FOLDER, LIBRARY, speak_in
from tests.wording.test_languages import KEPT, OTHERS, WORD, numbers, own


@pytest.mark.parametrize("loss_at", LOSS_AT)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", OTHERS)
def test_what_a_task_asks_is_said_in_the_language(name: str, task: str, loss_at: str) -> None:
    text = "some text to learn from" if task == "text" else ""
    asked = Experiment(task=task, loss_at=loss_at, text=text, seq_len=17)
    english = speak_in(ENGLISH, lambda: task_words(asked))
    said = speak_in(name, lambda: task_words(asked))
    assert frozenset(numbers(said)) == frozenset(numbers(english))
    note = speak_in(name, lambda: translated(make_task(asked).batch(0, 17, 2, loss_at).note))
    assert {word for word in WORD.findall(said + note) if word not in KEPT} == set()


LIBRARY_SOURCE = [p for p in FOLDER.parent.rglob("*.py") if "wording" not in p.parts]


def sayings() -> str:
    """Every string in the code of the library, its values left out."""
    found = []
    for path in LIBRARY_SOURCE:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            said = (p.value for p in parts if isinstance(p, ast.Constant))
            found += [part for part in said if isinstance(part, str)]
    return "\n".join(found)


def is_said(piece: str, said: str) -> bool:
    """Whether it stands in one string, or in two after each other: who, and what is wrong."""
    words = piece.split(" ")
    pairs = ((" ".join(words[:k]), " ".join(words[k:])) for k in range(len(words)))
    return any(first in said and then in said for first, then in pairs)


def test_the_library_still_says_what_is_translated() -> None:
    said = sayings().lower()
    stale = {
        (key, piece)
        for key, text in own(ENGLISH, LIBRARY).items()
        for piece in re.split(r"\[\[\w+\]\]|[;:,.()]", text)
        if len(piece.strip()) > 5 and not is_said(piece.strip().lower(), said)
    }
    assert stale == set()
    assert not is_said("of the optimiser is", said)


@pytest.mark.parametrize(
    ("data", "suffix", "said"),
    [
        (b"", ".npz", "文件须含有数组，它却是空的"),
        (b"PK\x03\x04 no", ".npz", "文件须为完整的 .npz 文件，它已损坏（"),
        (b"what is that", ".bin", "文件须为 .npz、.safetensors、.keras、.h5 或 .onnx 文件，现为 "),
    ],
)
def test_why_a_file_was_not_opened_is_said_in_the_language(
    data: bytes, suffix: str, said: str
) -> None:
    with pytest.raises(ValueError, match="file") as error:
        from_bytes(data, UPLOAD, suffix)
    assert speak_in("zh", lambda: translated(str(error.value))).startswith(said)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"a,b\n1,2\n3\n", "第 3 行须有 2 格，现有 1 格"),
        (b"a,b\n1,two\n", "第 2 行 'b' 列须为有限数，现为 'two'"),
        (b"a,b\n", "文件须含有由数字组成的行，它却只有列名"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_in_the_language(table: bytes, said: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        read_data(table)
    assert speak_in("zh", lambda: translated(str(error.value))) == said


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("b_y of the readout reaches 10^154.8", "读出层的 b_y 达到 10^154.8"),
        ("the target reaches 10^200.3 at time step 20", "目标在时间步 20 达到 10^200.3"),
        ("the mask reaches 10^300.0 at time step 5", "mask 在时间步 5 达到 10^300.0"),
        (
            "the input of layer 1 reaches 10^190.0 at time step 3",
            "第 1 层的输入在时间步 3 达到 10^190.0",
        ),
        (
            "the parameter 0.forward.W_xh reaches 10^170.0",
            "参数 0.forward.W_xh 达到 10^170.0",
        ),
        (
            "the state h of layer 2 reaches 10^271.2 at time step 900, before there is a gradient "
            "that could be clipped",
            "第 2 层的状态 h 在时间步 900 达到 10^271.2，此时还没有可供裁剪的梯度",
        ),
    ],
)
def test_why_a_loss_is_no_number_is_said_in_the_language(why: str, said: str) -> None:
    event = f"the loss is inf ({why}) at training step 161"
    assert speak_in("zh", lambda: translated(event)) == f"在训练步 161，损失为 inf（{said}）"


def test_what_a_link_did_not_get_is_said_in_the_language() -> None:
    query = {"gain": ["9", "many"], "seq_len": "1", "init": "best", "models": "rnn,cnn,lstm:x=1",
             "no": "1", "v": "9", "text": "a" * 30_000}  # fmt: skip
    _, messages = from_query(query)
    said = speak_in("zh", lambda: [translated(message) for message in messages])
    kept = "gain seq len init many best rnn lstm gru cnn text " + " ".join(FIELDS["init"].choices)
    assert len(messages) > 5
    assert {word for one in said for word in WORD.findall(one)} <= set(WORD.findall(kept))
    assert translated(messages[0]) == messages[0]


def test_a_range_without_its_lower_end_is_said_in_the_language() -> None:
    with pytest.raises(ValueError, match="leak") as error:
        RNN(1, 1, leak=-1)
    said = speak_in("zh", lambda: translated(str(error.value)))
    assert said == "leak 须为大于 0 且不大于 1 的有限数，现为 -1"


@pytest.mark.parametrize("seed", [2**31, 1.5])
def test_a_whole_number_within_bounds_is_said_in_the_language(seed: Any) -> None:
    with pytest.raises(ValueError, match="whole number") as error:
        Experiment(seed=seed)
    said = speak_in("zh", lambda: translated(str(error.value)))
    assert said == f"seed 须为 0 到 2147483647 的整数，现为 {seed}"


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("encoder.rnn: outputs differ from PyTorch's, in float32, by at most 6.0e-08",
         "encoder.rnn：输出与 PyTorch 的（float32）至多相差 6.0e-08"),
        ("model: outputs are not all finite: how near they are to PyTorch's is not said",
         "model：输出并非全部有限：与 PyTorch 的相差多少，不作说明"),
        ("model: 2 calls needed no gradient: none of its outputs has one (no_grad, or frozen "
         "parameters and inputs)",
         "model：有 2 次调用不需要梯度：它的输出都没有梯度（no_grad，或参数与输入已冻结）"),
        ("rnn: the module must compute what PyTorch's own does, its output at step 1 differs by "
         "0.3: does it have a forward of its own?",
         "rnn：模块的计算须与 PyTorch 自带的模块相同，第 1 步的输出却相差 0.3："
         "它是否有自己的 forward？"),
        ("clipping at 1 is not judged: gradients are taken while the backward pass goes on",
         "以 1 为界的裁剪不作判断：梯度在反向传播进行中就被取走"),
        ("3 backward passes reached weights through no call that was watched",
         "有 3 次反向传播到达了权重，却没有经过被观察的调用"),
        ("mine: nobody knows", "mine: nobody knows"),
    ],
)  # fmt: skip
def test_the_notes_of_a_watched_network_are_said_in_the_language(note: str, said: str) -> None:
    assert speak_in("zh", lambda: note_words(note)) == said
    assert note_words(note) == note
