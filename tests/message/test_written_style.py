"""What the editor offers arrives: colour, alignment, indents, borders; and nothing that fetches, covers or moves."""

from imio.mailbridge.message.rendition.sanitise import clean_html
from tests.message.cpu_time import cpu_time
import pytest


@pytest.mark.parametrize(
    "style",
    [
        "color: #e03e2d",
        "background-color: rgb(186, 55, 42)",
        "color: red; text-decoration: underline",
        "text-align: center",
        "padding-left: 40px",
        "float: right; margin: 0 0 10px 10px",
        "display: block; margin-left: auto; margin-right: auto",
        "border-collapse: collapse; width: 100%; border-width: 1px; border-style: solid; border-color: #2dc26b",
        "border: 1px solid #ccc",
        "border-bottom: 2px dashed rgba(0, 0, 0, 0.5)",
        "list-style-type: lower-alpha",
        "font-family: 'Times New Roman', serif; font-size: 14pt",
        "direction: rtl; text-align: start",
        "background: yellow",
        "color: hsl(0, 75%, 60%)",
    ],
)
def test_arrives(style):
    html = clean_html(f'<p style="{style}">x</p>')
    assert f'style="{style}"' in html


@pytest.mark.parametrize(
    "style",
    [
        "background: url(https://x.test/a.png)",
        "background-image: url(https://x.test/a.png)",
        "color: url(https://x.test)",
        "width: expression(alert(1))",
        "position: fixed",
        "color: r\\65 d",
        "margin-left: -999px",
        "display: none",
        "content: 'x'",
        "color: var(--x)",
        "font-family: url(x)",
        "color:red/**/",
        "color: rgb(url(1))",
        "@import 'x'",
        "",
        ":;:",
    ],
)
def test_does_not(style):
    assert "style" not in clean_html(f'<p style="{style}">x</p>')


@pytest.mark.parametrize(
    "html",
    [
        '<table align="center" bgcolor="#eeeeee"><tbody><tr bgcolor="red" valign="top"><td width="30" height="9" bgcolor="red"'
        ' valign="top" align="right">x</td></tr></tbody></table>',
        '<p align="center"><font color="red" size="4" face="Arial">x</font></p>',
        '<div align="right">x</div><center>x</center><h1 align="center">x</h1>',
    ],
)
def test_what_is_pasted_from_an_old_letter_arrives(html):
    assert clean_html(html) == html


def test_importance_is_left_out():
    assert clean_html('<p style="color: red !important">x</p>') == '<p style="color: red">x</p>'


def test_the_rest_stays():
    html = clean_html('<p style="COLOR : Red ; position: fixed; text-align:right">x</p>')
    assert html == '<p style="color: Red; text-align: right">x</p>'


def test_borders_of_tables():
    table = '<table border="1" cellpadding="4" style="border-collapse: collapse"><tbody><tr><td>x</td></tr></tbody></table>'
    assert clean_html(table) == table


@pytest.mark.parametrize("value", ["1px " * 49, "a" * 199, "rgb(" + "1" * 190, "1px solid " * 19])
def test_any_value_takes_little_time(value):
    html = f'<p style="{"border:" + value + ";"}">x</p>' * 50
    assert cpu_time(clean_html, html) < 0.5
