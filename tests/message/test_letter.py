"""The text part of a message reads like a letter, whatever the editor made."""

from imio.mailbridge.message.composition.letter import html_to_text
import pytest


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h2>Titre</h2><p>a_b*c #1</p>", "Titre\n\na_b*c #1"),
        ("<p>Un <strong>mot</strong> <em>et</em> <del>un</del> <code>autre</code></p>", "Un mot et un autre"),
        ("<p>Voir <a href='https://x.be/p'>le plan</a>.</p>", "Voir le plan (https://x.be/p)."),
        ("<p><a href='https://x.be/p'><b>ici</b> </a>et là</p>", "ici (https://x.be/p) et là"),
        ("<p><a href='https://x.be/'>https://x.be</a></p>", "https://x.be"),
        ("<p><a href='mailto:info@x.be'>info@x.be</a></p>", "info@x.be"),
        ("<p><a href='mailto:info@x.be'>Accueil</a>, <a href='tel:+3281'>081</a></p>", "Accueil (info@x.be), 081 (+3281)"),
        ("<p><a href='#bas'>plus bas</a></p>", "plus bas"),
        ("<p><a href='https://x.be/p'><img src='cid:a' alt='Le plan'></a></p>", "Le plan (https://x.be/p)"),
        ("<p><a href='https://x.be/p'><img src='cid:a'></a></p>", "https://x.be/p"),
        ("<p><img src='cid:a' alt='Plan du quartier'></p>", "Plan du quartier"),
        ("<p><img src='cid:a'></p>", ""),
        ("<h1><img src='cid:a' alt='Commune'></h1>", "Commune"),
        (
            "<table border='1'><tbody><tr><th>Jour</th><th>Heure</th></tr><tr><td><p>lundi</p></td><td>9 h<br>10 h</td></tr>"
            "</tbody></table>",
            "Jour | Heure\nlundi | 9 h 10 h",
        ),
        ("<table><thead><tr><td>a</td></tr></thead><tbody><tr><td>b</td></tr></tbody></table>", "a\nb"),
        ("<ul><li>un</li><li>deux<ul><li>trois</li></ul></li></ul>", "- un\n- deux\n  - trois"),
        ("<ol><li>un</li><li>deux</li></ol>", "1. un\n2. deux"),
        ("<blockquote><p>cité</p></blockquote>", "> cité"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<p>a<br>b</p><p>&nbsp;</p><p>c</p>", "a\nb\n\nc"),
        ("<p>&nbsp;</p>", ""),
        ("<p><a href='mailto:info@x.be?subject=Permis'>Accueil</a></p>", "Accueil (info@x.be)"),
        ("<p><a href='mailto:info@x.be?subject=x'>info@x.be</a></p>", "info@x.be"),
        ("<p><a href=' https://x.be/p '>ici</a></p>", "ici (https://x.be/p)"),
        ("<p><img src='cid:a' alt='Plan'><img src='cid:b' alt='Coupe'></p>", "Plan Coupe"),
        ("<p>Logo<img src='cid:a' alt='Commune'>!</p>", "Logo Commune !"),
        ("<dl><dt>Lundi</dt><dd>9 h</dd><dt>Mardi</dt><dd>10 h</dd></dl>", "Lundi\n9 h\n\nMardi\n10 h"),
        ("<details><summary>Plus</summary>Texte</details><p>b</p>", "Plus\n\nTexte\n\nb"),
        ("<p>a\u200bb</p><p>\u200b</p><p>\ufeff</p>", "a\u200bb"),
    ],
)  # fmt: skip
def test_reads_like_a_letter(html, text):
    assert html_to_text(html) == f"{text}\n"
