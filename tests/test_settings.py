"""Settings: precedence, spelling, and errors that name the setting."""

from __future__ import annotations

import pytest

from qwen_lsp.errors import SettingsError
from qwen_lsp.layers import load
from qwen_lsp.settings import Settings
from qwen_lsp.spelling import as_editors_write


def test_defaults_need_nothing() -> None:
    assert load(environ={}) == Settings()


def test_the_environment_lies_over_the_file_and_under_the_editor() -> None:
    file = {"endpoint": {"model": "from-file", "base_url": "http://file/v1", "kind": "vllm"}}
    environ = {"OPENAI_MODEL": "from-environment", "OPENAI_BASE_URL": "http://environment/v1"}
    editor = {"endpoint": {"model": "from-editor"}}

    endpoint = load(file, editor, environ=environ).endpoint

    assert (endpoint.model, endpoint.base_url, endpoint.kind) == (
        "from-editor", "http://environment/v1", "vllm",
    )  # fmt: skip


def test_names_are_read_in_both_spellings() -> None:
    assert load({"completion": {"maxTokens": 9}}, environ={}).completion.max_tokens == 9
    assert load({"completion": {"max_tokens": 9}}, environ={}).completion.max_tokens == 9


def test_what_an_editor_leaves_empty_is_not_set() -> None:
    editor = {"endpoint": {"baseUrl": "", "model": None}}
    environ = {"OPENAI_BASE_URL": "http://environment/v1"}
    assert load({}, editor, environ=environ).endpoint.base_url == "http://environment/v1"


def test_fields_for_the_endpoint_keep_their_spelling() -> None:
    body = {"chatTemplateKwargs": {"enableThinking": False}, "top_k": 20}
    assert load({"endpoint": {"extraBody": body}}, environ={}).endpoint.extra_body == body


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ({"completion": {"maxTokens": "many"}}, "completion.max_tokens"),
        ({"completion": {"budgetTokens": 1}}, "completion.budget_tokens"),
        ({"complexion": {}}, "complexion"),
        ({"endpoint": {"kind": "abacus"}}, "endpoint.kind"),
        ({"endpoint": 3}, "endpoint"),
        ({"endpoint": {"baseUrl": "http://localhost:abc/v1"}}, "endpoint.base_url"),
        ({"endpoint": {"baseUrl": "localhost:99999"}}, "endpoint.base_url"),
        ({"endpoint": {"baseUrl": "http://[::1/v1"}}, "endpoint.base_url"),
        ({"secrets": {"patterns": ["("]}}, "secrets.patterns"),
    ],
)
def test_an_error_names_the_setting(layer: dict[str, object], name: str) -> None:
    with pytest.raises(SettingsError, match=name.replace(".", r"\.")):
        load(layer, environ={})


def test_an_error_says_nothing_of_a_password_in_a_url() -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={"OPENAI_BASE_URL": "http://me:private#word@host/v1"})
    assert str(caught.value) == "setting 'endpoint.base_url': it has no host and port as a URL has them"


def test_the_key_is_not_in_a_printed_setting() -> None:
    settings = load(environ={"OPENAI_API_KEY": "very-private"})
    assert "very-private" not in repr(settings)
    assert settings.endpoint.api_key.get_secret_value() == "very-private"


def test_patterns_and_language_ids_keep_their_spelling() -> None:
    layer = {"completion": {"triggerByGlob": {"**/Gen/**": "off"}, "triggerByLanguage": {"C": "manual"}}}
    completion = load(layer, environ={}).completion
    assert completion.trigger_by_glob == {"**/Gen/**": "off"}
    assert completion.trigger_by_language == {"C": "manual"}
    with pytest.raises(SettingsError, match="trigger_by_glob"):
        load({"completion": {"trigger_by_glob": {"*": "sometimes"}}}, environ={})


def test_sentences_name_settings_as_editors_write_them() -> None:
    said = "`completion.in_comments`, 'endpoint.base_url': completion.trigger_by_glob.\"*.py\" and agent.mode"
    assert as_editors_write(said) == (
        "`completion.inComments`, 'endpoint.baseUrl': completion.triggerByGlob.\"*.py\" and agent.mode"
    )
    others = "my.completion.in_comments my/endpoint.base_url endpoint.base_urls endpoint.base_url/v1 base_url"
    assert as_editors_write(others) == others
