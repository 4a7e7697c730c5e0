"""Web addresses without trackers, tokens and detours, which only follow a reader around; the rest stays."""

from __future__ import annotations

import re
from urllib.parse import unquote

LONGEST_TOKEN = 48  # a commit's hash and the name of a document in a cloud are shorter
LONGEST_WORD = 24

# No letters beyond ASCII: in some languages the sentence goes on right behind an address.
_ADDRESS = re.compile(r"https?://[\w.~:/?#@!$&*+,;=%-]+", re.ASCII)
_SENTENCE_ENDS = ".,;:!?"
_TRACKER = re.compile(
    r"(?:utm|trk|mtm|pk|matomo|hsa|vero|oly)_\w+|elqtrack\w*|(?:[gdyt]|ms|fb|tt|tw)cl(?:id|src)|[gw]braid|igshid"
    r"|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|__hs\w+|hsctatracking|wickedid|_gl|_ga|epik|ck_subscriber_id",
    re.IGNORECASE,
)
# Addresses that only lead to another, which they name whole.
_DETOUR = re.compile(
    r"https?://(?:[\w-]+\.safelinks\.protection\.outlook\.com/|www\.google\.[a-z.]{2,6}/url|l\.facebook\.com/l\.php"
    r"|urldefense\.proofpoint\.com/v1/url)\?(?:[^#]*&)?(?:url|q|u)=(https?%3a%2f%2f[^&#]+|https?://[^&#]+)",
    re.IGNORECASE,
)
_DEFENDED = re.compile(r"https?://urldefense\.(?:proofpoint\.)?com/v3/__(https?:/[^;]+)__;", re.IGNORECASE)
_GAPS = re.compile(r"[-_.~=+, ]")


def shortened(text: str) -> str:
    """The text with its addresses as a person would give them."""
    return _ADDRESS.sub(_shortened, text)


def _shortened(found: re.Match[str]) -> str:
    whole = found.group()
    address = whole.rstrip(_SENTENCE_ENDS)
    return _direct(address) + whole[len(address) :]


def _direct(address: str) -> str:
    if detour := _DETOUR.match(address):
        address = unquote(detour[1])
    elif detour := _DEFENDED.match(address):
        address = detour[1]
    address, hash_sign, fragment = address.partition("#")
    path, _, query = address.partition("?")
    asked = "&".join(one for one in query.replace("&amp;", "&").split("&") if one and not _follows(one))
    if len(path) > LONGEST_TOKEN:
        path = "/".join("…" if _is_token(step) else step for step in path.split("/"))
    where = f"{path}?{asked}" if asked else path
    return where if not fragment or _is_token(fragment) else where + hash_sign + fragment


def _follows(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return bool(_TRACKER.fullmatch(name)) or _is_token(value or name)


def _is_token(step: str) -> bool:
    """Whether it is letters and digits at random, such as no person reads or writes."""
    if len(step) < LONGEST_TOKEN:
        return False
    words = _GAPS.split(unquote(step))
    if len(step) < LONGEST_WORD * len(words) / 2:
        return False
    digits, small, large = (sum(map(kind, step)) for kind in (str.isdigit, str.islower, str.isupper))
    if digits > len(step) / 40 and min(small, large) > len(step) / 5:
        return True
    longest = max(words, key=len)
    return len(longest) > LONGEST_WORD and sum(map(str.isdigit, longest)) > len(longest) / 10
