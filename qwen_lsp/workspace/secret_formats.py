"""Keys that give themselves away by their form: the table of known formats, and a fast search for them.

Every one holds a run of sixteen or more letters, digits, `_` and `-`. Such runs are found at the speed of
memory, and only where one begins, or what stands before one, is compared with the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A secret: where it stands and what it is."""

    start: int
    end: int
    reason: str


_B62 = "[A-Za-z0-9]"
_URL = r"[A-Za-z0-9_\-]"
_HEX = "[0-9a-f]"

# What the run begins with, the whole of the key, and its name. The longest beginning is tried first.
_TABLE: tuple[tuple[str, str, str], ...] = (
    ("AKIA ASIA ABIA ACCA", r"A[KSBC][IC]A[A-Z0-9]{16}(?![A-Za-z0-9])", "AWS access key"),
    ("ghp_ gho_ ghu_ ghs_ ghr_", rf"gh[pousr]_{_B62}{{30,255}}", "GitHub token"),
    ("github_pat_", r"github_pat_\w{36,255}", "GitHub token"),
    ("glpat- gldt- glrt- glptt- glft- glsoat- glcbt- glimt- glagent- gloas- glffct- glwt-",
     rf"gl[a-z]{{2,5}}-{_URL}{{20,}}(?:\.[\w.]{{2,}})?", "GitLab token"),
    ("xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxc- xoxd-",
     r"xox[a-z]-[A-Za-z0-9\-.%]{10,}", "Slack token"),
    ("xapp-", r"xapp-\d-[A-Za-z0-9\-]{20,}", "Slack token"),
    ("sk_live_ sk_test_ rk_live_ rk_test_", rf"[sr]k_(?:live|test)_{_B62}{{16,}}", "Stripe key"),
    ("whsec_", r"whsec_[A-Za-z0-9+/]{24,}=*", "webhook secret"),
    ("sk-ant-", rf"sk-ant-{_URL}{{20,}}", "Anthropic API key"),
    ("sk-or-", rf"sk-or-v\d-{_HEX}{{32,}}", "OpenRouter API key"),
    ("sk-proj- sk-svcacct- sk-admin- sk-None- sk-lf- sk-live- sk-test-",
     rf"sk-[A-Za-z]+-(?=[A-Za-z\-_]*\d){_URL}{{20,}}", "OpenAI API key"),
    ("sk-", rf"sk-{_HEX}{{32}}(?![A-Za-z0-9])", "DashScope API key"),
    ("sk-", rf"sk-(?=[A-Za-z]*\d)(?=[a-z0-9]*[A-Z]|{_HEX}*(?![A-Za-z0-9])){_B62}{{32,}}", "OpenAI API key"),
    ("sk_", rf"sk_{_HEX}{{48}}(?![A-Za-z0-9])", "ElevenLabs API key"),
    ("AIza", rf"AIza{_URL}{{35}}(?![A-Za-z0-9_\-])", "Google API key"),
    ("GOCSPX-", rf"GOCSPX-{_URL}{{24,}}", "Google client secret"),
    ("SK", rf"SK{_HEX}{{32}}(?![A-Za-z0-9])", "Twilio key"),
    ("key-", r"key-[0-9a-z]{32}(?![A-Za-z0-9])", "Mailgun key"),
    ("xkeysib-", rf"xkeysib-{_HEX}{{64}}-{_B62}{{16}}", "Brevo key"),
    ("npm_", rf"npm_{_B62}{{36}}", "npm token"),
    ("pypi-", rf"pypi-{_URL}{{50,}}", "PyPI token"),
    ("rubygems_", rf"rubygems_{_HEX}{{48}}", "RubyGems key"),
    ("CLOJARS_", r"CLOJARS_[a-z0-9]{60}", "Clojars token"),
    ("hf_ api_org_", rf"(?:hf|api_org)_{_B62}{{30,}}", "Hugging Face token"),
    ("gsk_", rf"gsk_{_B62}{{40,}}", "Groq API key"),
    ("xai-", rf"xai-{_B62}{{60,}}", "xAI API key"),
    ("pplx-", rf"pplx-{_B62}{{40,}}", "Perplexity API key"),
    ("r8_", rf"r8_{_B62}{{37}}", "Replicate token"),
    ("nvapi-", rf"nvapi-{_URL}{{50,}}", "NVIDIA API key"),
    ("tvly-", rf"tvly-{_URL}{{20,}}", "Tavily API key"),
    ("dop_v1_ doo_v1_ dor_v1_", rf"do[opr]_v1_{_HEX}{{64}}", "DigitalOcean token"),
    ("dckr_pat_", rf"dckr_pat_{_URL}{{20,}}", "Docker token"),
    ("shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", "Shopify token"),
    ("eyJ", r"eyJ[\w\-]{10,}\.eyJ[\w\-]{10,}\.[\w\-]{10,}", "JSON Web Token"),
    ("LTAI", rf"LTAI{_B62}{{12,26}}(?![A-Za-z0-9])", "Alibaba Cloud access key"),
    ("AKID", rf"AKID{_B62}{{32}}(?![A-Za-z0-9])", "Tencent Cloud access key"),
    ("AKLT", r"AKLT[\w\-]{40,}", "Volcengine access key"),
    ("dapi", rf"dapi{_HEX}{{32}}(?:-\d)?(?![A-Za-z0-9])", "Databricks token"),
    ("sq0", rf"sq0[a-z]{{3}}-{_URL}{{22,50}}", "Square token"),
    ("EAAA", r"EAAA[\w\-]{60}", "Square token"),
    ("EAACEd", rf"EAACEdEose0cBA{_B62}{{20,}}", "Facebook token"),
    ("HRKU-", r"HRKU-[\w\-]{36,}", "Heroku key"),
    ("lin_api_ lin_oauth_", rf"lin_(?:api|oauth)_{_B62}{{32,}}", "Linear key"),
    ("figd_ figo_ figu_ figr_", rf"fig[dour]_{_URL}{{36,}}", "Figma token"),
    ("secret_", rf"secret_{_B62}{{43}}(?![A-Za-z0-9])", "Notion token"),
    ("ntn_", rf"ntn_{_B62}{{40,}}", "Notion token"),
    ("ATATT3 ATCTT3", r"AT[AC]TT3[\w\-=]{60,}", "Atlassian token"),
    ("ATBB", rf"ATBB{_B62}{{32}}(?![A-Za-z0-9])", "Bitbucket password"),
    ("NRAK- NRAL- NRAA-", r"NRA[KLA]-[A-Z0-9]{27}", "New Relic key"),
    ("glsa_", rf"glsa_{_B62}{{32}}_{_HEX}{{8}}", "Grafana token"),
    ("glc_", r"glc_[A-Za-z0-9+/]{32,}=*", "Grafana token"),
    ("sntrys_ sntryu_", r"sntry[su]_[\w\-+/=]{60,}", "Sentry token"),
    ("PMAK-", rf"PMAK-{_HEX}{{24}}-{_HEX}{{34}}", "Postman key"),
    ("pscale_", r"pscale_(?:tkn|pw|oauth)_[\w=.\-]{32,}", "PlanetScale token"),
    ("pul-", rf"pul-{_HEX}{{40}}", "Pulumi token"),
    ("pat", rf"pat{_B62}{{14}}\.{_HEX}{{64}}", "Airtable token"),
    ("nfp_ nfc_ nfo_ nfu_", rf"nf[pcou]_{_B62}{{36,}}", "Netlify token"),
    ("sbp_ sbs_", rf"sb[ps]_{_HEX}{{40}}", "Supabase token"),
    ("sb_secret_", r"sb_secret_[\w\-]{20,}", "Supabase token"),
    ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[0-9A-Z]{58}", "age key"),
    ("AAAA", r"AAAA[\w\-]{7}:[\w\-]{100,}", "Firebase key"),
    ("tskey-", rf"tskey-(?:api|auth|client)-{_B62}{{8,}}-{_B62}{{20,}}", "Tailscale key"),
    ("vercel_blob_rw_", rf"vercel_blob_rw_{_B62}{{16}}_{_B62}{{24,}}", "Vercel token"),
    ("phc_ phx_", rf"ph[cx]_{_B62}{{40,}}", "PostHog key"),
    ("ops_eyJ", r"ops_eyJ[\w\-+/=]{100,}", "1Password token"),
    ("EZAK EZTK", rf"EZ[AT]K{_B62}{{54}}", "EasyPost key"),
)  # fmt: skip

# Keys whose mark stands before the run: what must be there, the whole, and the name. Where there is a
# group, the group is the secret.
_AFTER_MARK: tuple[tuple[str, str, str], ...] = (
    ("SG.", rf"SG\.{_URL}{{20,24}}\.{_URL}{{39,50}}", "SendGrid key"),
    ("Q~", r"(?:(?<![\w~.\-])|(?<=\\[nrt]))[\w~.\-]{3}\dQ~[\w~.\-]{31,34}", "Azure client secret"),
    ("sig=", r"[?&]sig=([A-Za-z0-9%+/]{43,}(?:%3[Dd]|=))", "Azure signature"),
    ("hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_\-]{20,})",
     "Slack webhook"),
    ("/webhooks/", r"discord(?:app)?\.com/api/webhooks/(\d{16,20}/[\w\-]{60,})", "Discord webhook"),
    ("sk.", r"sk\.eyJ[\w\-]{20,}\.[\w\-]{20,}", "Mapbox token"),
    ("ya29.", r"ya29\.[\w\-.]{20,}", "Google access token"),
    ("sl.", r"sl\.(?:u\.)?[\w\-]{100,}", "Dropbox token"),
    ("hvs.", r"hvs\.[\w\-]{24,}", "Vault token"),
    ("hvb.", r"hvb\.[\w\-]{24,}", "Vault token"),
    ("hvr.", r"hvr\.[\w\-]{24,}", "Vault token"),
    (".atlasv1.", rf"{_B62}{{14}}\.atlasv1\.{_URL}{{60,}}", "Terraform Cloud token"),
    ("dp.", rf"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w\-]{{2,35}}\.)?{_B62}{{40,44}}", "Doppler token"),
    ("v1.", rf"v1\.0-{_HEX}{{24}}-{_HEX}{{140,}}", "Cloudflare key"),
)  # fmt: skip
_TELEGRAM = re.compile(r"(?<!\d)\d{8,10}:AA[\w\-]{32,33}(?![\w\-])")
_DISCORD = re.compile(rf"[MNO]{_B62}{{23,27}}\.{_URL}{{6}}\.{_URL}{{27,38}}(?![\w\-])")
_MAILCHIMP = re.compile(rf"{_HEX}{{32}}-us\d{{1,2}}(?![\w\-])")


def _by_beginning() -> dict[str, list[tuple[str, re.Pattern[str], str]]]:
    table: dict[str, list[tuple[str, re.Pattern[str], str]]] = {}
    for beginnings, whole, name in _TABLE:
        for beginning in beginnings.split():
            table.setdefault(beginning[:2], []).append((beginning, re.compile(whole), name))
    for rows in table.values():
        rows.sort(key=lambda row: -len(row[0]))
    return table


_BEGINNINGS = _by_beginning()
_MARKED = tuple((mark, re.compile(whole), name) for mark, whole, name in _AFTER_MARK)
_DOTTED = frozenset(("SG.", "sk.", "29.", "sl.", "vs.", "vb.", "vr.", "v1."))
_TELLING = frozenset("\\:/~=.")
_RUN = b"\x01" * 16
_RUN_BYTES = bytes(c in b"_-" or bytes((c,)).isalnum() for c in range(256))
_BEFORE, _BEYOND = 100, 400
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_ALIBABA_SECRET = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{30}(?![A-Za-z0-9])")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])")
_NEAR = 400
_PAIRED = {
    "AWS access key": (_AWS_SECRET, "AWS secret key"),
    "Alibaba Cloud access key": (_ALIBABA_SECRET, "Alibaba Cloud secret key"),
}
_ARMOUR = "PRIVATE KEY"
_PEM_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = re.compile(r"(?:[A-Za-z0-9+/=:,\- \t\"'\\>|#*.;\r]{0,200}\n){0,400}")
_BODY_LINE = re.compile(r"[A-Za-z0-9+/]{16}")
_LONGEST_PEM = 20_000


def known_formats(text: str, one_byte: bytes) -> Iterator[Found]:
    """All keys of a known form; `one_byte` is the text with one byte for each character."""
    if _ARMOUR in text:
        yield from _armoured(text)
    flags = one_byte.translate(_RUN_BYTES)
    end = 0
    while (at := flags.find(_RUN, end)) >= 0:
        end = flags.find(b"\0", at)
        end = len(flags) if end < 0 else end
        # Nine of ten runs are ordinary names, and this is all the time they get.
        if text[at : at + 2] not in _BEGINNINGS and text[at - 1 : at] not in _TELLING and end - at < 24:
            continue
        found = _at_run(text, at, end)
        if found is not None and not _is_placeholder(text[found.start : found.end]):
            yield found
            end = max(end, found.end)
            if paired := _PAIRED.get(found.reason):
                yield from _near(text, found, *paired)


def _at_run(text: str, at: int, end: int) -> Found | None:
    before = text[at - 1] if at else ""
    # In a string literal the run may begin with the letter of an escape, as in `\nAKIA…`.
    for start in (at, at + 1) if before == "\\" else (at,):
        for beginning, whole, name in _BEGINNINGS.get(text[start : start + 2], ()):
            if text.startswith(beginning, start) and (match := whole.match(text, start)):
                return Found(start, match.end(), name)
        # One letter is enough for a few, and the rest of the run tells at once.
        if text[start] in "MNO" and 24 <= end - start <= 28 and (match := _DISCORD.match(text, start)):
            return Found(start, match.end(), "Discord token")
        if text.startswith("-us", start + 32) and (match := _MAILCHIMP.match(text, start)):
            return Found(start, match.end(), "Mailchimp key")
    if before == ":" and text.startswith("AA", at) and (match := _TELEGRAM.search(text, at - 11, end)):
        return Found(match.start(), match.end(), "Telegram bot token")
    if before and (before in "/~=" or (before == "." and (text[at - 3 : at] in _DOTTED or end - at >= 40))):
        return _after_mark(text, at, end)
    return None


def _after_mark(text: str, at: int, end: int) -> Found | None:
    low = max(at - _BEFORE, 0)
    for mark, whole, name in _MARKED:
        if text.find(mark, low, at) >= 0:
            for match in whole.finditer(text, low, end + _BEYOND):
                if match.start() <= at < match.end():
                    group = 1 if whole.groups else 0
                    return Found(match.start(group), match.end(group), name)
    return None


def _near(text: str, key: Found, secret: re.Pattern[str], reason: str) -> Iterator[Found]:
    """The second half of a pair of keys, which alone has no mark."""
    for match in secret.finditer(text, max(key.start - _NEAR, 0), min(key.end + _NEAR, len(text))):
        if _MIXED.match(match[0]):
            yield Found(match.start(), match.end(), reason)


def _armoured(text: str) -> Iterator[Found]:
    """PEM and PGP private keys, also where a cut has taken their first or their last line."""
    at = 0
    for begin in _PEM_BEGIN.finditer(text):
        if begin.start() < at:
            continue
        end = _PEM_END.search(text, begin.end(), begin.end() + _LONGEST_PEM)
        if end is not None:
            at = end.end()
        else:
            body = _PEM_BODY.match(text, begin.end())
            at = body.end() if body is not None and body.end() > begin.end() + 1 else begin.end()
        # Its mark alone, as in a program that reads keys, is no key.
        if _BODY_LINE.search(text, begin.end(), at):
            yield Found(begin.start(), at, "private key")
    if at == 0 and (end := _PEM_END.search(text)) is not None:
        start = end.start()
        while start > 0:
            line = text.rfind("\n", 0, start - 1) + 1
            if not re.fullmatch(r"[\s\"'#*>|]*[A-Za-z0-9+/=]{16,}[\s\"'\\n+,]*", text[line:start]):
                break
            start = line
        if end.start() - start > 60:
            yield Found(start, end.end(), "private key")


def _is_placeholder(value: str) -> bool:
    """`ghp_xxxxxxxxxxxx…`: next to nothing but one character, or a row of them."""
    tail = value[-20:].lower()
    return len(set(tail)) <= 3 or "xxxxxx" in tail or "1234567890abcdef1234567890" in value.lower()
