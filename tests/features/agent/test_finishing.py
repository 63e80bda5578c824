"""Replies without a call: which are the end, and which only look like it."""

from __future__ import annotations

import pytest

from qwen_lsp.features.agent.finishing import Fault, unfinished

TOOLS = ("read_file", "edit", "run_checks")
CALL = "<tool_call>\n<function=edit>\n<parameter=file_path>\na.py\n</parameter>\n</function>\n</tool_call>"

FINAL: dict[str, str] = {
    "a sentence": "Renamed greet to welcome in two files.",
    "a list": "Changed:\n\n- a.py: the new name\n- b.py: its caller\n\nPlease run the tests.",
    "a list alone": "What I changed:\n- a.py\n- b.py",
    "markup as code": "The parser now accepts `<tool_call>` and `<function=NAME>` as well.",
    "markup in a block that explains": f"It now reads this:\n\n```xml\n{CALL}\n```\n\nThe tests cover it.",
    "markup of another tool in a block": "It reads:\n\n```xml\n<function=foo>\n</function>\n```",
    "JSON that is no call": 'The settings are now:\n\n```json\n{"name": "demo", "arguments": {}}\n```',
    "what would come next for the user": "The rename is done. Let me know if the docs should follow.",
    "advice": "The cache is fixed. I will leave the retry logic to you, as you asked, since it is in use "
    "elsewhere and the tests there are slow. " + "More about that stands in the comment above it. " * 9,
    "done": "I'll summarise: all tests pass.",
    "a question": "Should I also rename the file? I did not, since others may import it.",
    "code": "Use it like this:\n\n```python\nwelcome('Ada')\n```",
}
NOT_FINAL: dict[str, tuple[str, Fault]] = {
    "nothing": ("", "empty"),
    "white space": (" \n\n", "empty"),
    "an opening alone": ("I will edit it.\n<tool_call>", "unparsed"),
    "a function in the middle": ("Editing <function=foo now", "unparsed"),
    "a known function, broken": ("Then <function=edit\nfile_path: a.py", "unparsed"),
    "a parameter alone": ("<parameter=file_path>a.py</parameter>", "unparsed"),
    "a closing alone": ("Reading the file.\n</function>\n</tool_call>", "unparsed"),
    "a call in a block": (f"Here it is:\n\n```xml\n{CALL}\n```", "unparsed"),
    "a JSON call in a block": (
        'I read it.\n\n```json\n{"name": "read_file", "arguments": {"file_path": "a.py"}}\n```', "unparsed",
    ),
    "a JSON call alone": ('{"name": "edit", "arguments": {"file_path": "a.py"}}', "unparsed"),
    "a JSON call behind a sentence": (
        'I read it.\n\n{"name": "read_file", "parameters": {"file_path": "a.py"}}', "unparsed",
    ),
    "two JSON calls": (
        '[{"name": "read_file", "arguments": {}}, {"name": "edit", "arguments": {}}]', "unparsed",
    ),
    "a JSON call as OpenAI writes it": (
        '{"type": "function", "function": {"name": "edit", "arguments": "{}"}}', "unparsed",
    ),
    "a broken JSON call": ('{"name": "edit", "arguments": {"file_path": "a.py"', "unparsed"),
    "a call as an element": ("<read_file>\n<path>a.py</path>\n</read_file>", "unparsed"),
    "a call in another model's markup": ('<invoke name="edit">', "unparsed"),
    "a colon": ("Now I will edit the caller:", "announced"),
    "a bold colon": ("**Now the tests:**", "announced"),
    "a colon in Chinese": ("现在我来修改文件：", "announced"),
    "only a plan": ("Let me look at the parser first.", "announced"),
    "only a plan, after a word": ("Good. Now I'll fix the caller", "announced"),
}  # fmt: skip
WITH_STEPS_OPEN: dict[str, bool] = {
    "a.py is ready. Next I'll change b.py.": True,
    "a.py and b.py are ready, c.py was not needed.": False,
    "Both are done. Let me know what you think.": False,
}


@pytest.mark.parametrize("name", FINAL)
def test_a_final_answer_ends_the_run(name: str) -> None:
    assert unfinished(FINAL[name], "stop", TOOLS, steps_open=False) is None


@pytest.mark.parametrize("name", NOT_FINAL)
def test_a_lost_call_is_no_success(name: str) -> None:
    text, fault = NOT_FINAL[name]
    found = unfinished(text, "stop", TOOLS, steps_open=False)
    assert found is not None
    assert found.fault == fault


@pytest.mark.parametrize("text", WITH_STEPS_OPEN)
def test_open_steps_make_an_announcement_of_what_comes_next(text: str) -> None:
    found = unfinished(text, "stop", TOOLS, steps_open=True)
    assert (found is not None) == WITH_STEPS_OPEN[text]


def test_a_reply_that_was_cut_is_never_the_end() -> None:
    found = unfinished("Renamed greet to welcome.", "length", TOOLS, steps_open=False)
    assert found is not None
    assert found.fault == "cut"
