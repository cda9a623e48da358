import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hardpairs.errors import InputError
from hardpairs.foreign import csv_text, escape_markdown, one_line, reason_of, without_apostrophe
from hardpairs.npz import read_npy
from hardpairs.report.markdown import markdown_environment

HOSTILE = (
    "ankle_boot",
    "a_b_c *d* **e** `f` ~~g~~ $x^2$",
    "<script>alert(1)</script>",
    "[link](javascript:alert(1))",
    "![image](x)",
    "# Heading",
    "a | b",
    "https://example.org www.example.org a@example.org",
    "&lt;b&gt; &amp; &#95;",
    "line\n\n# break\r\n- item",
)


def shown(markdown: str) -> str:
    """What a reader sees, and that it is nothing but text."""
    tokens = MarkdownIt("gfm-like", {"linkify": False, "html": True}).parse(f"name {markdown} end")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {child.type for child in tokens[1].children} <= {"text", "text_special"}
    return "".join(child.content for child in tokens[1].children)


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_shows_a_name_as_it_is(name):
    assert shown(escape_markdown(name)) == f"name {' '.join(name.split())} end"


@given(st.text())
def test_markdown_shows_any_text_as_it_is(name):
    line = one_line(name).strip()
    if line:
        assert shown(escape_markdown(name)).strip() == f"name {one_line(name)} end"


@given(st.text(alphabet=st.characters()))
def test_a_line_has_nothing_that_acts_on_a_terminal(text):
    line = one_line(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", line)
    line.encode("utf-8")


def test_what_a_template_puts_in_is_escaped_unless_it_is_ours():
    template = markdown_environment().from_string("*a* {{ x }} {{ x|safe }} {{ y|percent }}")
    assert template.render(x="*b*", y=0.5) == "*a* &#42;b&#42; *b* 50.0%"


FORMULAS = (
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    " =1+1",
    "\uff1d1+1",
)


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_a_formula_and_each_can_be_read_back(cell):
    ((written,),) = csv.reader(io.StringIO(csv_text([[cell]]), newline=""))
    assert written == f"'{cell}"
    assert without_apostrophe(written) == cell


@pytest.mark.parametrize("cell", ["-1", "+1.5", "1e-5", "T-shirt", "'quoted'", "a=b"])
def test_numbers_and_ordinary_texts_stay_as_they_are(cell):
    ((written,),) = csv.reader(io.StringIO(csv_text([[cell]]), newline=""))
    assert written == cell == without_apostrophe(written)


@example(["'@", "''=1", "' =1", "'+1"])
@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_texts_can_be_read_back(cells):
    (row,) = csv.reader(io.StringIO(csv_text([[*cells, "end"]]), newline=""))
    written = [cell.replace("\r\n", "\n").replace("\r", "\n") for cell in cells]
    assert [without_apostrophe(cell) for cell in row] == [*written, "end"]


def test_a_foreign_exception_is_quoted_in_one_line_without_addresses(tmp_path):
    said = "Couldn't deserialize thrift: <obj at 0x7f00>: it ends.\nsecond"
    assert reason_of(ValueError(said)) == "Couldn't deserialize thrift: it ends"
    assert reason_of(KeyError()) == "KeyError"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': bad}   ")
    with pytest.raises(InputError, match="damaged") as refused:
        read_npy(tmp_path / "a.npy")
    assert "0x" not in str(refused.value)
