"""The table of endpoint kinds: how each completes, what it accepts, where it lives, how large its models are.

Pure: `probe` asks servers, this only knows about them. A new kind is one row here and its name in
`settings.EndpointKind`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from qwen_lsp.settings import EndpointKind

FimRoute = Literal["completions", "infill", "generate", "partial", "chat"]
"""Raw text; llama.cpp's /infill; Ollama's raw /api/generate; DashScope's partial mode; a question."""

ROUTE_NAMES: Mapping[FimRoute, str] = {
    "completions": "fill-in-the-middle through /completions",
    "infill": "fill-in-the-middle through /infill",
    "generate": "fill-in-the-middle through raw /api/generate",
    "partial": "partial mode",
    "chat": "an ordinary question through chat",
}
"""Each route in words, for the doctor and a receipt."""
SELF_HOSTED: tuple[EndpointKind, ...] = ("vllm", "sglang", "llamacpp", "ollama", "lmstudio")
"""Kinds that somebody runs on a machine of their own."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is particular about one kind of endpoint."""

    kind: EndpointKind
    name: str
    """As its makers write it."""
    fim: FimRoute
    sampling: Mapping[str, float] = field(default_factory=dict[str, float])
    """Fields beyond temperature and top_p that chat requests may carry, with the model's own defaults."""
    hosts: tuple[str, ...] = ()
    """Ends of host names that belong to this kind alone."""
    port: int | None = None
    """Where a local server listens when nobody says otherwise."""
    cache_marks: bool = False
    """Whether messages may carry `cache_control`."""
    advice: str = ""
    """What to do about a window that is smaller than the model's."""


_ROWS = (
    Profile("openai", "OpenAI-compatible", "completions", hosts=("api.openai.com",)),
    Profile(
        "vllm",
        "vLLM",
        "completions",
        {"top_k": 20, "repetition_penalty": 1.05},
        port=8000,
        advice="start vLLM with a larger --max-model-len",
    ),
    Profile(
        "sglang",
        "SGLang",
        "completions",
        {"top_k": 20, "repetition_penalty": 1.05},
        port=30000,
        advice="start SGLang with a larger --context-length",
    ),
    Profile(
        "llamacpp",
        "llama.cpp",
        "infill",
        {"top_k": 20, "repeat_penalty": 1.05},
        port=8080,
        advice="start llama-server with a larger -c (it is divided by --parallel)",
    ),
    Profile(
        "ollama",
        "Ollama",
        "generate",
        port=11434,
        advice="set OLLAMA_CONTEXT_LENGTH for the Ollama server, or num_ctx in the model's Modelfile",
    ),
    Profile(
        "lmstudio",
        "LM Studio",
        "completions",
        {"top_k": 20, "repeat_penalty": 1.05},
        port=1234,
        advice="load the model with a larger context length in LM Studio",
    ),
    Profile(
        "dashscope",
        "DashScope",
        "partial",
        {"top_k": 20},
        hosts=("aliyuncs.com", "alibaba-inc.com", "alicloudapi.com"),
        cache_marks=True,
    ),
    Profile(
        "openrouter",
        "OpenRouter",
        "completions",
        {"top_k": 20, "repetition_penalty": 1.05},
        hosts=("openrouter.ai",),
    ),
)
PROFILES: Mapping[EndpointKind, Profile] = {row.kind: row for row in _ROWS}
LOCAL_SERVERS: Mapping[int, EndpointKind] = {row.port: row.kind for row in _ROWS if row.port}
"""Usual ports on this machine, for the tour and the doctor. A port is a hint: what answers is asked."""

OWNERS: Mapping[str, EndpointKind] = {
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llamacpp",
    "library": "ollama",
    "organization_owner": "lmstudio",
    "organization-owner": "lmstudio",
}
"""`owned_by` in a server's list of models."""

TEMPERATURE = 0.7
TOP_P = 0.8
"""The model's own sampling for chat. Completions are greedy."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Window and longest output of a model, in tokens."""

    window: int
    output: int


_MODELS: tuple[tuple[str, Limits], ...] = (
    (r"qwen3-coder-(plus|flash)", Limits(1_000_000, 65_536)),
    (r"qwen3[-._]?coder", Limits(262_144, 65_536)),
    (r"qwen3\.\d", Limits(262_144, 65_536)),
    (r"qwen3.*2507", Limits(262_144, 32_768)),
    (r"qwen2\.5-coder[-:](0\.5|1\.5|3)b", Limits(32_768, 8_192)),
    (r"qwen2\.5-coder|qwen-coder-turbo", Limits(131_072, 8_192)),
    (r"qwen3", Limits(131_072, 16_384)),
)
_OTHERS = re.compile(
    r"gpt-|^o[1-9]|chatgpt|claude|gemini|gemma|llama|mistral|devstral|deepseek|grok|kimi|glm|phi-",
    re.IGNORECASE,
)


def base(url: str) -> str:
    """The base URL without a slash at its end; a bare host gets the usual `/v1`."""
    url = url.strip().rstrip("/")
    if "://" not in url:
        url = f"http://{url}"
    return url + "/v1" if urlsplit(url).path == "" else url


def root(url: str) -> str:
    """Where a server's own routes live: the base URL without the OpenAI-compatible part."""
    return re.sub(r"(/api|/compatible-mode)?/v\d+$", "", base(url))


def host(url: str) -> str:
    """Host and port, to name an endpoint in a message; never a user name or a key."""
    parts = urlsplit(base(url))
    name = parts.hostname or "?"
    name = f"[{name}]" if ":" in name else name
    return f"{name}:{parts.port}" if parts.port else name


def has_one_address(host: str) -> bool:
    """Whether there is only one way to a host, so that no race between addresses is needed."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def is_local(url: str) -> bool:
    """Whether the endpoint is this machine; then no proxy applies."""
    name = (urlsplit(base(url)).hostname or "").rstrip(".")
    here = ("localhost", "::1", "0.0.0.0")  # noqa: S104
    return name in here or name.endswith(".localhost") or name.startswith("127.")


_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Behind a provider's or an overlay network's own translation of addresses; as private as 10.0.0.0/8."""

_NEARBY = (".local", ".lan", ".internal", ".home.arpa")
"""Ends of names that no public server has."""


def is_private(url: str) -> bool:
    """Whether the host is an address or a name that only a local network knows."""
    name = (urlsplit(base(url)).hostname or "").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return (
            is_local(url) or "." not in name or name.endswith((".local", ".lan", ".internal", ".home.arpa"))
        )
    return address.is_private or (address.version == 4 and address in _SHARED)


def is_metered(kind: EndpointKind, url: str) -> bool:
    """Whether a request may cost money: anything but this machine and a server of one's own nearby."""
    if kind in ("dashscope", "openrouter"):
        return True
    return not (is_local(url) or (kind in SELF_HOSTED and is_private(url)))


def kind_of(url: str) -> EndpointKind | None:
    """The kind a URL alone gives away, None when the server must be asked."""
    name = (urlsplit(base(url)).hostname or "").lower()
    for row in _ROWS:
        if any(name == end or name.endswith("." + end) for end in row.hosts):
            return row.kind
    return None


def guess(url: str) -> EndpointKind:
    """The likeliest kind before the server was asked: by host, then by port."""
    known = kind_of(url)
    if known is None and is_local(url):
        known = LOCAL_SERVERS.get(urlsplit(base(url)).port or 0)
    return known or "openai"


def limits(model: str) -> Limits | None:
    """Window and output of a model by its name, None when the table does not know it."""
    for pattern, found in _MODELS:
        if re.search(pattern, model, re.IGNORECASE):
            return found
    return None


def fim_route(kind: EndpointKind, model: str, url: str) -> FimRoute:
    """How to ask this endpoint for a completion. A model of another family does not know Qwen's markers."""
    if _OTHERS.search(model) or kind_of(url) == "openai":
        return "chat"
    return PROFILES[kind].fim


def next_route(route: FimRoute) -> FimRoute | None:
    """What to try when an endpoint turns out not to have a route."""
    if route in ("infill", "generate"):
        return "completions"
    return None if route == "chat" else "chat"


def sampling(kind: EndpointKind, temperature: float | None) -> dict[str, Any]:
    """The sampling fields of a chat request: the model's own, or greedy when asked for temperature 0."""
    if temperature == 0:
        return {"temperature": 0}
    fields: dict[str, Any] = {
        "temperature": TEMPERATURE if temperature is None else temperature,
        "top_p": TOP_P,
    }
    return fields | dict(PROFILES[kind].sampling)
