"""What is it called in iA.docs? Names that its code base fixes; nothing here is ours to choose."""

INCOMING_FOLDER = "incoming-mail"
OUTGOING_FOLDER = "outgoing-mail"
CONTACTS_FOLDER = "contacts"
PERSONNEL_FOLDER = "personnel-folder"
#: the town itself, in the contacts; its services are organizations below it
OWN_ORGANIZATION = "plonegroup-organization"

INCOMING_EMAIL = "dmsincoming_email"
OUTGOING_MAIL = "dmsoutgoingmail"
MAIN_FILE = "dmsmainfile"
OUTGOING_MAIN_FILE = "dmsommainfile"
APPENDIX_FILE = "dmsappendixfile"
PERSON = "person"
HELD_POSITION = "held_position"
ORGANIZATION = "organization"
DIRECTORY = "directory"
CONTACT_TYPES = (ORGANIZATION, PERSON, HELD_POSITION)

MARK_AS_SENT = "mark_as_sent"
#: a contact in this state is not in use any more; one without a state is
DEACTIVATED = "deactivated"

#: the title of a mail without a subject
EMPTY_SUBJECT = "(VIDE)"
#: a period of the incoming mail, for ``strftime``: one folder a week
PERIOD = "%Y%W"
