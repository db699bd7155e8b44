"""What the editor puts into a text by an address of the site arrives outside: links absolute, images with the message."""

from email import message_from_bytes
from email.policy import default
from imio.mailbridge.outbox import site_addresses
from imio.mailbridge.settings.read import stored_settings
from plone import api
from plone.app.testing import login
from plone.app.testing import SITE_OWNER_NAME
from plone.namedfile.file import NamedBlobImage
from tests.site.compose import COMPOSE
from tests.site.compose import HTML
from tests.site.compose import press
from tests.site.compose import shown
import io
import PIL.Image
import pytest
import re
import transaction


DOCUMENT = "/outgoing-mail/permis-durbanisme"


def png(width=20):
    target = io.BytesIO()
    PIL.Image.new("RGB", (width, width), "red").save(target, "PNG")
    return target.getvalue()


@pytest.fixture
def picture(site):
    """An image in the site that every agent may view."""
    with api.env.adopt_roles(["Manager"]):
        found = api.content.create(
            site.portal, "Image", "plan", image=NamedBlobImage(png(), "image/png", "plan é.png")
        )
    transaction.commit()
    return found


@pytest.fixture
def left(caught, send):
    """Send a text; return the message as it came."""

    def left(body):
        send(body=body)
        return message_from_bytes(caught.messages[-1].content, policy=default)

    return left


def images(message):
    return [part for part in message.walk() if part.get_content_maintype() == "image"]


def content(message, subtype):
    return message.get_body((subtype,)).get_content()


FORMS = (
    "resolveuid/{uid}",
    "../resolveuid/{uid}/@@images/image/preview",
    "../../plan",
    "{url}/@@images/image",
    "{url}/@@images/{scale}.png",
    "{path}/@@download/image/plan.png",
    "resolveuid/{uid}/@@display-file/image?x=1&amp;y=2",
)


@pytest.mark.parametrize("form", FORMS)
def test_an_image_of_the_site_goes_along(site, picture, left, form):
    scale = picture.restrictedTraverse("@@images").scale("image", scale="mini").uid
    transaction.commit()
    url = picture.absolute_url()
    path = url.removeprefix(site.portal.getPhysicalRoot().absolute_url())
    address = form.format(uid=api.content.get_uuid(picture), url=url, path=path, scale=scale)
    message = left(f'<p>Voici</p><p><img alt="Le plan" src="{address}"></p>')
    (image,) = images(message)
    assert image.get_content().startswith(b"\x89PNG")
    assert image["Content-Disposition"].content_disposition == "inline"
    assert f'src="cid:{image["Content-ID"].strip("<>")}"' in content(message, "html")
    assert content(message, "plain").splitlines() == ["Voici", "", "Le plan"]


def test_links_are_absolute_in_both_parts(site, picture, left):
    uid = api.content.get_uuid(picture)
    message = left(
        f'<p><a href="resolveuid/{uid}/view#bas">plan</a> <a href="../../contacts">gens</a> <a href="#bas">bas</a>'
        ' <a href="https://x.be/p">x</a> <a href="mailto:a@b.be">a</a></p>'
    )
    url = site.portal.absolute_url()
    assert re.findall('href="([^"]*)"', content(message, "html")) == [
        f"{url}/plan/view#bas", f"{url}/contacts", "#bas", "https://x.be/p", "mailto:a@b.be",
    ]  # fmt: skip
    assert f"plan ({url}/plan/view#bas) gens ({url}/contacts) bas x (https://x.be/p) a (a@b.be)" in content(
        message, "plain"
    )


def warned(site, body):
    answer = site.post(
        f"{DOCUMENT}/@send-email", "agent",
        json={"to": ["jeanne.dupont@citizen.test"], "subject": "Votre permis", "body": body, "dry_run": True},
        headers={"Accept-Language": "en"},
    )  # fmt: skip
    return [(each["name"], each["message"]) for each in answer.json()["warnings"]]


def test_nothing_is_said_of_an_image_that_goes_along(site, picture):
    assert warned(site, '<p>Voici</p><img src="../../plan"><img src="https://x.be/logo.png">') == []


@pytest.mark.parametrize("reason", ["private", "large", "gone", "no image"])
def test_an_image_that_cannot_go_along_is_named_before(site, picture, left, monkeypatch, reason):
    address = {"gone": "../../autre/@@images/image", "no image": "../../contacts"}.get(
        reason, "../../plan/@@images/image"
    )
    if reason == "private":
        login(site.portal.aq_parent, SITE_OWNER_NAME)
        picture.manage_permission("View", ["Manager"])
        transaction.commit()
    elif reason == "large":
        monkeypatch.setattr(site_addresses, "MAX_IMAGES", len(png()) - 1)
    body = f'<p>Voici</p><img src="{address}">'
    ((name, message),) = warned(site, body)
    assert name == "image-left-out"
    assert {"gone": "autre", "no image": "contacts"}.get(reason, "plan") in message
    page = shown(press(site, body=body).text)
    assert "An image in the text stays in iA.docs" in page
    sent = left(body)
    assert images(sent) == []
    assert f'src="{site.portal.absolute_url()}/' in content(sent, "html")


@pytest.mark.parametrize(
    ("body", "is_empty"),
    [
        ("", True),
        ("<p>&nbsp;</p>", True),
        ("<p>\u200b</p><p>\xad\ufeff</p>", True),
        ("<blockquote><p></p></blockquote><hr><ul><li></li></ul>", True),
        ("<p>\U0001f44d\U0001f3fd</p>", False),
        ('<p><img src="https://x.be/logo.png"></p>', True),
        ('<p><img src="https://x.be/logo.png" alt="Le plan"></p>', False),
        ("<p>Bonjour</p>", False),
    ],
)
def test_an_empty_message_is_warned_of(site, body, is_empty):
    assert ("no-text" in [name for name, _message in warned(site, body)]) is is_empty


def test_a_signature_alone_is_no_text(site):
    stored_settings().signature = "<p>${sender/name}<br>Urbanisme</p>"
    transaction.commit()
    page = site.get(COMPOSE, "agent", headers=HTML).text
    assert "Urbanisme" in page
    assert warned(site, "<p>&nbsp;</p><div><p>Al Bert<br>Urbanisme</p></div>") == [
        ("no-text", "Your message has no text.")
    ]
    assert warned(site, "<p>Bonjour</p><div><p>Al Bert<br>Urbanisme</p></div>") == []
