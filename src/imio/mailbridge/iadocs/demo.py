"""Makes the town of the demo, Commune de Maville: two services, four agents, a citizen and three documents."""

from datetime import datetime
from imio.mailbridge.iadocs import names
from imio.mailbridge.iadocs.pdf import one_page_pdf
from plone.app.textfield.value import RichTextValue
from plone.dexterity.utils import createContent
from plone.namedfile.file import NamedBlobFile
from plone.uuid.interfaces import IUUID
from Products.CMFCore.indexing import processQueue
from Products.CMFCore.utils import getToolByName
from z3c.relationfield import RelationValue
from zope.component import getUtility
from zope.intid.interfaces import IIntIds


PASSWORD = "demo-iadocs"  # noqa: S105  the demo's, told to everybody
GROUP = "agents"

#: service id → name, address
SERVICES = {
    "administration-generale": ("Administration générale", "administration@maville.test"),
    "urbanisme": ("Urbanisme", "urbanisme@maville.test"),
}

#: userid → first name, last name, address, function, service, global roles
AGENTS = {
    "agent": ("Al", "Bert", "al.bert@maville.test", "Employé", "administration-generale", ()),
    "agent2": ("Claire", "Fontaine", "claire.fontaine@maville.test", "Architecte", "urbanisme", ()),
    "agent3": ("Samir", "Benali", "samir.benali@maville.test", "Employé", "urbanisme", ()),
    "chef": (
        "Martine",
        "Legrand",
        "martine.legrand@maville.test",
        "Directrice générale",
        "administration-generale",
        ("Mail Manager",),
    ),
}

CITIZEN = ("Jeanne", "Dupont", "jeanne.dupont@citizen.test")

#: folder → local roles of the agents
LOCAL_ROLES = {
    names.INCOMING_FOLDER: ["Editor"],
    names.OUTGOING_FOLDER: ["Editor", "Contributor"],
    names.CONTACTS_FOLDER: ["Reader", "Contributor"],
}

BODY = """<p>Madame Dupont,</p>
<p>Vous trouverez en annexe le permis d'urbanisme que vous avez demandé pour la rue de la Gare, 12.</p>
<p>Bien à vous,</p>
<p>Al Bert<br />Commune de Maville</p>"""

LETTER = """Permis d'urbanisme PU/2026/114

Le collège communal accorde à Madame Jeanne Dupont le permis d'urbanisme
pour la transformation de la maison située rue de la Gare, 12, à Maville.
"""

CONDITIONS = """Conditions du permis PU/2026/114

1. Les travaux commencent dans les deux ans.
2. L'avis de permis est affiché sur le chantier.
"""

ORIGINAL = """From: "Jeanne Dupont" <jeanne.dupont@citizen.test>
To: info@maville.test
Subject: =?utf-8?q?Demande_de_permis_d=27urbanisme?=
Date: Mon, 16 Nov 2026 09:12:00 +0100
Message-ID: <20261116081200.demande@citizen.test>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Bonjour,

Je souhaite transformer ma maison, rue de la Gare, 12. Quels documents dois-je vous remettre ?

Jeanne Dupont
"""


def installed(tool):
    """Post handler of the profile ``demo``."""
    load(getToolByName(tool, "portal_url").getPortalObject())


def load(site):
    """Make the town, its users and its documents; what exists stays as it is."""
    _users(site)
    contacts = site[names.CONTACTS_FOLDER]
    services = _services(contacts)
    positions = _agents(contacts[names.PERSONNEL_FOLDER], services)
    citizen = _item(
        contacts,
        names.PERSON,
        "jeanne-dupont",
        firstname=CITIZEN[0],
        lastname=CITIZEN[1],
        email=CITIZEN[2],
    )
    _documents(site, services, positions, citizen)
    # titles of positions are made of relations, which need the site: index before it is left
    processQueue()


def _users(site):
    groups = getToolByName(site, "portal_groups")
    if groups.getGroupById(GROUP) is None:
        groups.addGroup(GROUP, title="Agents")
    for path, roles in LOCAL_ROLES.items():
        folder = site[path]
        if tuple(roles) != folder.get_local_roles_for_userid(GROUP):
            folder.manage_setLocalRoles(GROUP, roles)
            folder.reindexObjectSecurity()
    for userid, (firstname, lastname, email, _function, _service, roles) in AGENTS.items():
        _user(site, userid, f"{firstname} {lastname}", email, roles)
        groups.addPrincipalToGroup(userid, GROUP)
    _user(site, "gateway", "Passerelle de courrier", "gateway@maville.test", ("Mail Gateway",))


def _user(site, userid, fullname, email, roles):
    """Make a user straight in the user folder: the site's password policy is for people, not for the demo."""
    users = site.acl_users
    if users.getUserById(userid) is not None:
        return
    users.userFolderAddUser(userid, PASSWORD, ["Member", *roles], [])
    member = getToolByName(site, "portal_membership").getMemberById(userid)
    member.setMemberProperties({"fullname": fullname, "email": email})


def _services(contacts):
    town = _item(
        contacts,
        names.ORGANIZATION,
        names.OWN_ORGANIZATION,
        title="Commune de Maville",
        email="info@maville.test",
    )
    return {
        id: _item(town, names.ORGANIZATION, id, title=title, email=email)
        for id, (title, email) in SERVICES.items()
    }


def _agents(personnel, services):
    intids = getUtility(IIntIds)
    positions = {}
    for userid, (firstname, lastname, email, function, service, _roles) in AGENTS.items():
        person = _item(
            personnel,
            names.PERSON,
            f"{firstname}-{lastname}".lower(),
            firstname=firstname,
            lastname=lastname,
            userid=userid,
            primary_organization=IUUID(services[service]),
        )
        positions[userid] = _item(
            person,
            names.HELD_POSITION,
            service,
            position=RelationValue(intids.register(services[service])),
            label=function,
            email=email,
        )
    return positions


def _documents(site, services, positions, citizen):
    intids = getUtility(IIntIds)
    address = '"{} {}" <{}>'.format(*CITIZEN)
    incoming = _item(
        site[names.INCOMING_FOLDER],
        names.INCOMING_EMAIL,
        "demande-de-permis",
        title="Demande de permis d'urbanisme",
        orig_sender_email=address,
        sender=[RelationValue(intids.register(citizen))],
        original_mail_date=datetime(2026, 11, 16).date(),
        reception_date=datetime(2026, 11, 16, 9, 13),
        mail_type="email",
        treating_groups=IUUID(services["urbanisme"]),
        assigned_user="agent2",
        send_modes=["email"],
    )
    _file(
        incoming,
        names.MAIN_FILE,
        "mail",
        "Demande de permis d'urbanisme.eml",
        "message/rfc822",
        ORIGINAL.encode(),
    )

    outgoing = site[names.OUTGOING_FOLDER]
    permit = _item(
        outgoing,
        names.OUTGOING_MAIL,
        "permis-durbanisme",
        title="Permis d'urbanisme de Madame Dupont",
        sender=IUUID(positions["agent"]),
        recipients=[RelationValue(intids.register(citizen))],
        reply_to=[RelationValue(intids.register(incoming))],
        send_modes=["email"],
        treating_groups=IUUID(services["administration-generale"]),
        email_subject="Votre permis d'urbanisme",
        email_sender="al.bert@maville.test",
        email_recipient=address,
        email_body=RichTextValue(BODY, "text/html", "text/x-html-safe"),
    )
    letter = _file(
        permit,
        names.OUTGOING_MAIN_FILE,
        "permis",
        "Permis PU-2026-114.pdf",
        "application/pdf",
        one_page_pdf(LETTER),
    )
    _file(permit, names.APPENDIX_FILE, "conditions", "Conditions.txt", "text/plain", CONDITIONS.encode())
    if permit.email_attachments is None:
        permit.email_attachments = [IUUID(letter)]

    _item(
        outgoing,
        names.OUTGOING_MAIL,
        "invitation",
        title="Invitation à la séance d'information",
        sender=IUUID(positions["agent"]),
        send_modes=["email"],
        treating_groups=IUUID(services["administration-generale"]),
        email_subject="Séance d'information du 3 décembre",
    )


def _file(document, portal_type, id, filename, content_type, data):
    if id in document:
        return document[id]
    blob = NamedBlobFile(data=data, contentType=content_type, filename=filename)
    return _item(document, portal_type, id, title=filename, file=blob)


def _item(container, portal_type, id, **fields):
    if id not in container:
        content = createContent(portal_type, **fields)
        content.id = id
        container._setObject(id, content)
    return container[id]
