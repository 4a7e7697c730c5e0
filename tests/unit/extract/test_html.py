"""HTML: what a browser shows, and what a page states of itself."""

from __future__ import annotations

import pytest

from pigeonhole.extract import html


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one<p>two", "one\ntwo"),
        ("<b>in</b>side <i>a</i>\nline", "inside a line"),
        ("<h2>Head</h2>text", "## Head\ntext"),
        ("<table><tr><th>A<th>B<tr><td>1<td>2</table>", "A | B\n1 | 2"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<p>see <img src=x alt='a duck'> here", "see a duck here"),
        ("<p>see <img src=x><img alt=''><img alt=x><img alt=> here alt=", "see here alt="),
        (
            "<table><tr><td rowspan=3>2031<td rowspan=2>Q1<td>Jan<td>5"
            "<tr><td>Feb<td>6<tr><td>Q2<td>May<td>7</table>",
            "2031 | Q1 | Jan | 5\n2031 | Q1 | Feb | 6\n2031 | Q2 | May | 7",
        ),
        ("<table><tr><td>a</td><td rowspan=2>b</td></tr><tr><td>c</td></tr></table>", "a | b\nc | b"),
        ("<pre>a\n b</pre>c", "a\nb\nc"),
        ("<style>x</style><script>y</script><template>z</template>seen", "seen"),
        ("<nav>menu</nav><p>" + "long text " * 30, ("long text " * 30).strip()),
        ('<html xmlns="x"><title/><script src="a"/><p>after these', "after these"),
        ("<details><summary>short</summary>long</details>", "short\nlong"),
        ("<nav>all there is</nav>", "all there is"),
        ("&lt;b&gt; &amp;amp; &#220;", "<b> &amp; Ü"),
        ("<script>a</script>" * 3 + "<!-- <script> -->seen<script>b</script><p>too", "seen\ntoo"),
        ("<style>a</style>" * 3 + "seen<script>b<p>c", "seen"),
        ("<p>one  \n two \xa0 <p> \n <p>three", "one two\nthree"),
        ("<div>" * 5_000 + "deep<script>hid</script> down", "deep down"),
        ("<div><i></i><br>" * 5_000 + "deep<script>hid</script> down", "deep down"),
        ("one<br>" * 5_000 + "<P>two<P>three", "\n".join(["one"] * 5_000 + ["two", "three"])),
    ],
)
def test_the_text_of_a_page_is_what_a_browser_shows(markup, text):
    assert html.convert(markup)[1] == text


def test_a_page_states_its_author_and_dates(read):
    meta = "<META content='Ada &amp; Bo' name=Author>"
    meta += '<meta property="article:published_time" content=2026-11-25>'
    text = read(f"<html><head>{meta}<title>T</title></head><body>x</body></html>".encode(), "a.html")
    assert (text.title, text.author, text.created, text.modified) == ("T", "Ada & Bo", "2026-11-25", None)
