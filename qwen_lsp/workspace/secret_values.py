"""Secrets that only their place gives away: `password = "…"`, `https://user:…@host`, `Bearer …`.

The value must look made by a machine, or like a password that somebody chose; names of things,
placeholders, and expressions that fetch a secret from elsewhere are left alone.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import unquote

from qwen_lsp.workspace.secret_formats import Found

_WORDS = (b"passw", b"pwd", b"passphrase", b"secret", b"token", b"key", b"credential")
_KEY_KINDS = (
    "api", "access", "account", "private", "auth", "encryption", "encrypt", "signing", "sign", "master",
    "shared", "service", "storage", "license", "deploy", "client", "app", "admin", "root", "session",
    "cookie", "jwt", "hmac", "aes", "crypto", "secret", "subscription", "function", "host", "webhook",
)  # fmt: skip
# A name that goes on like this holds something about a secret, not the secret.
_ABOUT = re.compile(
    r"[_\-.]?(?:ur[li]|endpoint|name|id|ids|path|file|filename|dir|type|types|kind|expir\w*|ttl|header|prefix|"
    r"suffix|field|label|hint|help|text|title|message|error|regex|pattern|length|len|size|count|limit|policy|"
    r"validators?|hashers?|class|format|style|lifetime|age|reset\w*|change\w*|column|env|var|param\w*|mask|algo\w*|"
    r"input|placeholder|description|hash|digest|checksum|sha\d*|md5|count|version|scheme|provider|store|manager|"
    r"arn|ref|selector|alias|public|word|words|char|chars|case|map|list|index|usage|usages|stream|mode)s?[_\-.\w]*$",
    re.IGNORECASE,
)

# From just behind the word: the rest of the name, then what may stand between a name and its value.
_QUOTED = re.compile(
    r"(?P<rest>[\w.\-]{0,40})(?P<gap>[\"'`]?\]?\)?[ \t]*(?::[ \t]*[A-Za-z_][\w.\[\]| ]{0,40}?(?==))?"
    r"(?:===?|!==?|=>|:=|\?=|=|:|,)[ \t]*(?:\\?[\"'`]?value[\"'`]?[ \t]*[:=][ \t]*)?)"
    r"(?:[rRbBuUfFL@$]{1,2})?(?P<quote>\\?[\"'`])(?P<value>[^\"'`\n\\ \t]{6,400})(?P=quote)"
)
_ATTRIBUTE = re.compile(
    r"(?P<rest>[\w.\-]{0,40})[\"'][ \t]+value[ \t]*=[ \t]*[\"'](?P<value>[^\"'\n]{6,400})[\"']"
    r"|(?P<rest2>[\w.\-]{0,40})>(?P<value2>[^<>\s]{6,400})</"
)
_BARE = re.compile(
    r"(?P<rest>[\w.\-]{0,40})[ \t]*(?:=>|:=|\?=|=|:)[ \t]*"
    r"(?P<value>[^\s\"'`#;,<>(){}\[\]]{6,400})(?=[\s\"'`;,&]|$)"
)
_OPTION = re.compile(
    r"(?P<rest>[\w\-]{0,20})[ \t]+(?P<value>[^\s\"'`;,<>(){}\[\]$\-][^\s\"'`;,<>(){}\[\]$]{5,400})"
)
_CONNECTION = re.compile(
    r"(?P<rest>ord|)[ \t]*=[ \t]*(?P<value>[^;\"'\s<>{}$]{6,200})(?=;|\"|')", re.IGNORECASE
)

_URL = re.compile(r"(?P<user>[^\s/:@\"'`<>\\]{0,100}):(?P<value>[^\s/@\"'`<>\\]{4,200})@[\w\[]")
_SCHEME = re.compile(r"(?:bearer|basic|token|ssws|apikey)[ \t]+", re.IGNORECASE)
_CREDENTIAL = re.compile(r"[A-Za-z0-9._~+/\-]{16,2000}={0,2}")
_SCHEMES = (b"bearer ", b"authorization")

_PLACEHOLDER = re.compile(
    r"example|sample|placeholder|change.?me|your|dummy|test|fake|mock|redacted|insert|todo|none|null|undefined|"
    r"foo|bar|baz|secret|passw|pwd|token|default|12345|qwerty|abc123|hunter|letmein|admin|user|root|guest|"
    r"key|value|string|hidden|empty|invalid|wrong|valid|correct|lorem|xxxx|\.\.\.|\*\*\*|____|hello|world|"
    r"some|any|this|that|demo|temp|unknown|super|random|replace|private|public|login|random",
    re.IGNORECASE,
)
_EXPRESSION = re.compile(
    r"\$\{|\$\(|\{\{|\}\}|<%|%>|%\(|^[%$@<{\[&]|^[A-Za-z]:\\|::|->"
    r"|\(\)|\w\(|^--|\\u|\|\||&&"
)
_FILE = re.compile(r"\.(?:[a-z]{2,4}|yaml|json|properties|keystore)$")
_NAME = re.compile(r"[A-Za-z_]\w*(?:[.\-:/][\w\-]*)*")
_HUMAN_NAMES = ("passw", "pwd", "passphrase")
_CHUNK = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def by_place(text: str, one_byte: bytes, *, bare: bool) -> Iterator[Found]:
    """Values that stand where a secret stands. `bare`: the file's language needs no quotes for a text."""
    folded = one_byte.lower()
    for word in _WORDS:
        at = folded.find(word)
        while at >= 0:
            end = at + len(word)
            if found := _assigned(text, at, end, word.decode(), bare):
                yield found
                end = found.end
            at = folded.find(word, end)
    for scheme in _SCHEMES:
        at = folded.find(scheme)
        while at >= 0:
            kind = _SCHEME.search(text, at, at + 60)
            match = _CREDENTIAL.match(text, kind.end()) if kind else None
            if match and _is_credential(match[0]):
                yield Found(*match.span(), "authorization header")
            at = folded.find(scheme, at + 6)
    at = text.find("://") if "@" in text else -1
    while at >= 0:
        if (match := _URL.match(text, at + 3)) and _is_url_password(match["user"], match["value"]):
            yield Found(match.start("value"), match.end("value"), "password in a URL")
        at = text.find("://", at + 3)


def looks_random(value: str) -> bool:
    """Whether a machine made it: no words in it, many kinds of characters, nothing repeated."""
    if len(value) < 16:
        return False
    if _HEX.fullmatch(value):
        return len(set(value.lower())) >= 8
    chunks = _CHUNK.findall(value)
    letters = sum(map(len, chunks))
    if not chunks or letters < 0.75 * len(value) or letters / len(chunks) > 3.2:
        return False
    mixed = any(c.islower() for c in value) and any(c.isupper() for c in value)
    return (mixed or any(c.isdigit() for c in value)) and entropy(value) >= min(
        3.0, math.log2(len(value)) - 0.7
    )


def looks_chosen(value: str) -> bool:
    """Whether it may be a password that somebody chose: eight characters, of two kinds, no placeholder."""
    if len(value) < 8 or len(set(value)) < 5 or not re.search("[A-Za-z]", value):
        return False
    if re.fullmatch(r"[A-Za-z_][\w]*(?:[.\-:/][\w\-]*)*", value) and not re.search(
        r"[a-zA-Z]\d+[a-zA-Z]", value
    ):
        # A name, a dotted name or a path: it takes digits inside it to be more than that.
        return bool(re.fullmatch(r"[A-Za-z]+\d{3,}", value)) and not _PLACEHOLDER.search(value)
    if not re.search(r"[0-9!@#$%^&*?+=~]", value):
        return False
    return not _PLACEHOLDER.search(value)


def entropy(value: str) -> float:
    """Shannon entropy in bits for each character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


def _assigned(text: str, at: int, end: int, word: str, bare: bool) -> Found | None:
    if word == "key" and not _names_a_key(text, at):
        return None
    for regex in (_QUOTED, _ATTRIBUTE):
        if match := regex.match(text, end):
            group = "value" if match["value"] else "value2"
            rest = match["rest"] if group == "value" else match["rest2"]
            return _judge(match, group, word, rest, quoted=True)
    if bare and (match := _BARE.match(text, end)):
        return _judge(match, "value", word, match["rest"], quoted=True)
    if word in ("passw", "pwd") and (match := _CONNECTION.match(text, end)):
        return _judge(match, "value", word, "", quoted=True)
    if match := _BARE.match(text, end):
        return _judge(match, "value", word, match["rest"], quoted=False)
    line = text.rfind("\n", 0, at) + 1
    if text.find("--", max(line, at - 20), at) >= 0 and (match := _OPTION.match(text, end)):
        return _judge(match, "value", word, match["rest"], quoted=bare)
    return None


def _judge(match: re.Match[str], group: str, word: str, rest: str, *, quoted: bool) -> Found | None:
    value = match[group].rstrip(".,;") if not quoted else match[group]
    name = rest.removeprefix("ord") if word == "passw" else rest
    if _ABOUT.match(name) or _EXPRESSION.search(value) or "://" in value or "__" in name:
        return None
    human = word in _HUMAN_NAMES
    if is_placeholder(value):
        return None
    if looks_random(value):
        # A hash or an id may well be called a key; what is called a secret is one.
        if _UUID.fullmatch(value) and word in ("key", "token") and not quoted:
            return None
    elif not (quoted and human and looks_chosen(value)) or _FILE.search(value) or value[0] in "./":
        return None
    reason = "password" if human else "API key" if word == "key" else "secret" if word != "token" else "token"
    return Found(match.start(group), match.start(group) + len(value), reason)


def is_placeholder(value: str) -> bool:
    """`xxxxxxxx`, `your-api-key-here`, `0123456789abcdef`: stands for a secret without being one."""
    lowered = value.lower()
    if (
        len(set(lowered)) <= 4
        or lowered in "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    ):
        return True
    covered = sum(len(found) for found in _PLACEHOLDER.findall(value))
    return covered * 2.5 >= len(value)


def _names_a_key(text: str, at: int) -> bool:
    before = text[max(at - 14, 0) : at].lower().rstrip("_-. ")
    return before.endswith(_KEY_KINDS)


def _is_credential(value: str) -> bool:
    """What follows `Bearer` or `Basic`: a token, or `user:password` in base64."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return looks_random(value) and not is_placeholder(value)
    _, colon, password = decoded.partition(":")
    if colon and decoded.isprintable():
        return not is_placeholder(password)
    return looks_random(value)


def _is_url_password(user: str, value: str) -> bool:
    value = unquote(value)
    if (
        "pass" in value.lower()
        or _EXPRESSION.search(value)
        or is_placeholder(value)
        or value.lower() == user.lower()
    ):
        return False
    if looks_random(value):
        return True
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]"))
    return len(value) >= 6 and kinds >= 2 and not _PLACEHOLDER.search(value)
