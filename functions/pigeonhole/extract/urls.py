"""URLs without tracking parameters, tokens and redirects, which follow a reader around; the rest stays."""

from __future__ import annotations

import re
from urllib.parse import unquote

SHORTEST_TOKEN = 48  # a commit's hash and the id of a document in a cloud are shorter
LONGEST_WORD = 24

# No letters beyond ASCII: in some languages the sentence goes on right behind a URL.
_URL = re.compile(r"https?://[\w.~:/?#@!$&*+,;=%-]+", re.ASCII)
_SENTENCE_ENDS = ".,;:!?"
_TRACKER = re.compile(
    r"(?:utm|trk|mtm|pk|matomo|hsa|vero|oly)_\w+|elqtrack\w*|(?:[gdyt]|ms|fb|tt|tw)cl(?:id|src)|[gw]braid|igshid"
    r"|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|__hs\w+|hsctatracking|wickedid|_gl|_ga|epik|ck_subscriber_id",
    re.IGNORECASE,
)
# URLs that only redirect to another, which is whole in a parameter.
_REDIRECT = re.compile(
    r"https?://(?:[\w-]+\.safelinks\.protection\.outlook\.com/|www\.google\.[a-z.]{2,6}/url|l\.facebook\.com/l\.php"
    r"|urldefense\.proofpoint\.com/v1/url)\?(?:[^#]*&)?(?:url|q|u)=(https?%3a%2f%2f[^&#]+|https?://[^&#]+)",
    re.IGNORECASE,
)
_URL_DEFENSE = re.compile(r"https?://urldefense\.(?:proofpoint\.)?com/v3/__(https?:/[^;]+)__;", re.IGNORECASE)
_GAPS = re.compile(r"[-_.~=+, ]")


def shorten_urls(text: str) -> str:
    """The text with its URLs as a person would give them."""
    return _URL.sub(_shortened, text)


def _shortened(found: re.Match[str]) -> str:
    whole = found.group()
    url = whole.rstrip(_SENTENCE_ENDS)
    return _direct(url) + whole[len(url) :]


def _direct(url: str) -> str:
    if redirect := _REDIRECT.match(url):
        url = unquote(redirect[1])
    elif redirect := _URL_DEFENSE.match(url):
        url = redirect[1]
    url, hash_sign, fragment = url.partition("#")
    path, _, query = url.partition("?")
    parameters = query.replace("&amp;", "&").split("&")
    kept = "&".join(parameter for parameter in parameters if parameter and not _is_tracker(parameter))
    if len(path) > SHORTEST_TOKEN:
        path = "/".join("…" if _is_token(step) else step for step in path.split("/"))
    url = f"{path}?{kept}" if kept else path
    return url if not fragment or _is_token(fragment) else url + hash_sign + fragment


def _is_tracker(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return bool(_TRACKER.fullmatch(name)) or _is_token(value or name)


def _is_token(step: str) -> bool:
    """Whether a step of a path, or a value, is letters and digits at random, such as no person reads."""
    if len(step) < SHORTEST_TOKEN:
        return False
    words = _GAPS.split(unquote(step))
    if len(step) < LONGEST_WORD * len(words) / 2:
        return False
    digits, small, large = (sum(map(is_of, step)) for is_of in (str.isdigit, str.islower, str.isupper))
    if digits > len(step) / 40 and min(small, large) > len(step) / 5:
        return True
    longest = max(words, key=len)
    return len(longest) > LONGEST_WORD and sum(map(str.isdigit, longest)) > len(longest) / 10
