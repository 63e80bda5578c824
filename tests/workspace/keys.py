"""Made-up keys of every known form, put together at run time so that none stands in the repository."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable

B62 = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
URL = B62 + "_-"
B64 = B62 + "+/"

Make = Callable[[random.Random], str]


def _of(alphabet: str, count: int, start: str = "", end: str = "") -> Make:
    def make(rng: random.Random) -> str:
        while True:
            body = "".join(rng.choice(alphabet) for _ in range(count))
            # A key of few kinds of characters, or ending in a sign of a word's edge, is not what is tested.
            if len(set(body)) > min(6, count // 2) and any(map(str.isdigit, body)) and body[-1].isalnum():
                return start + body + end

    return make


def _joined(*parts: Make | str) -> Make:
    return lambda rng: "".join(part if isinstance(part, str) else part(rng) for part in parts)


def _jwt(rng: random.Random) -> str:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    header = '{"alg":"HS256","typ":"JWT"}'
    claims = f'{{"sub":"{rng.randrange(10**9)}","iat":{rng.randrange(10**9)}}}'
    return f"{part(header)}.{part(claims)}.{_of(URL, 43)(rng)}"


def pem(rng: random.Random, kind: str = "RSA ", lines: int = 12) -> str:
    """A private key in armour, on several lines."""
    word = "PRIVATE" + " KEY"
    body = "\n".join(_of(B64, 64)(rng) for _ in range(lines))
    return f"-----BEGIN {kind}{word}-----\n{body}\n-----END {kind}{word}-----"


FORMATS: dict[str, Make] = {
    "AWS access key": _of(UPPER, 16, "AK" + "IA"),
    "AWS session key": _of(UPPER, 16, "AS" + "IA"),
    "GitHub classic": _of(B62, 36, "gh" + "p_"),
    "GitHub OAuth": _of(B62, 36, "gh" + "o_"),
    "GitHub app": _of(B62, 36, "gh" + "s_"),
    "GitHub fine-grained": _joined("github" + "_pat_", _of(B62, 22), "_", _of(B62, 59)),
    "GitLab": _of(URL, 20, "gl" + "pat-"),
    "Slack bot": _joined("xox" + "b-", _of("0123456789", 12), "-", _of("0123456789", 12), "-", _of(B62, 24)),
    "Slack app": _joined("xa" + "pp-1-A", _of(UPPER, 10), "-", _of("0123456789", 12), "-", _of(HEX, 64)),
    "Stripe live": _of(B62, 24, "sk" + "_live_"),
    "Stripe restricted": _of(B62, 24, "rk" + "_live_"),
    "Anthropic": _joined("sk" + "-ant-api03-", _of(URL, 93), "AA"),
    "OpenAI project": _joined("sk" + "-proj-", _of(URL, 74)),
    "OpenAI classic": _of(B62, 48, "sk" + "-"),
    "DashScope": _of(HEX, 32, "sk" + "-"),
    "OpenRouter": _of(HEX, 64, "sk" + "-or-v1-"),
    "Google API": _of(URL, 35, "AI" + "za"),
    "Google client": _of(URL, 28, "GOC" + "SPX-"),
    "Google access": _of(URL, 80, "ya" + "29."),
    "Azure client": _joined("aB3", "8Q" + "~", _of(B62, 34)),
    "Twilio": _of(HEX, 32, "S" + "K"),
    "SendGrid": _joined("S" + "G.", _of(URL, 22), ".", _of(URL, 43)),
    "Mailgun": _of(LOWER, 32, "key" + "-"),
    "Mailchimp": _joined(_of(HEX, 32), "-us" + "12"),
    "npm": _of(B62, 36, "np" + "m_"),
    "PyPI": _of(URL, 120, "py" + "pi-AgEIcHlwaS5vcmc"),
    "Hugging Face": _of(B62, 34, "h" + "f_"),
    "DigitalOcean": _of(HEX, 64, "do" + "p_v1_"),
    "Docker": _of(URL, 27, "dck" + "r_pat_"),
    "Shopify": _of(HEX, 32, "shp" + "at_"),
    "Telegram": _joined(_of("0123456789", 10), ":A" + "A", _of(URL, 33)),
    "Discord": _joined("M", _of(B62, 25), ".", _of(URL, 6), ".", _of(URL, 38)),
    "JWT": _jwt,
    "Alibaba": _of(B62, 20, "LT" + "AI"),
    "Tencent": _of(B62, 32, "AK" + "ID"),
    "Databricks": _of(HEX, 32, "da" + "pi"),
    "Square": _of(URL, 22, "sq" + "0atp-"),
    "Heroku": _joined("HR" + "KU-", _of(URL, 58)),
    "Linear": _of(B62, 40, "lin" + "_api_"),
    "Figma": _of(URL, 40, "fig" + "d_"),
    "Notion": _of(B62, 46, "nt" + "n_"),
    "Atlassian": _of(URL, 180, "ATA" + "TT3"),
    "New Relic": _of(UPPER, 27, "NR" + "AK-"),
    "Grafana": _joined("gl" + "sa_", _of(B62, 32), "_", _of(HEX, 8)),
    "Postman": _joined("PM" + "AK-", _of(HEX, 24), "-", _of(HEX, 34)),
    "Vault": _of(URL, 90, "hv" + "s."),
    "Groq": _of(B62, 52, "gs" + "k_"),
    "Replicate": _of(B62, 37, "r8" + "_"),
    "Doppler": _of(B62, 43, "dp" + ".pt."),
    "Pulumi": _of(HEX, 40, "pu" + "l-"),
    "RubyGems": _of(HEX, 48, "ruby" + "gems_"),
    "Airtable": _joined("pa" + "t", _of(B62, 14), ".", _of(HEX, 64)),
    "Supabase": _of(HEX, 40, "sb" + "p_"),
    "age": _of(UPPER, 58, "AGE-" + "SECRET-KEY-1"),
    "Terraform Cloud": _joined(_of(B62, 14), ".atlas" + "v1.", _of(URL, 67)),
}
"""Keys that are known by their form, wherever they stand."""

RANDOM: dict[str, Make] = {
    "hexadecimal": _of(HEX, 40),
    "base62": _of(B62, 32),
    "base64": _of(B64, 44),
    "password": _joined(_of(B62, 10), "!", _of(B62, 4)),
}
"""Secrets that only their place gives away."""
