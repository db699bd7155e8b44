"""Names that the code of iA.docs fixes: types, folders, states and transitions."""

INCOMING_FOLDER = "incoming-mail"
OUTGOING_FOLDER = "outgoing-mail"
CONTACTS_FOLDER = "contacts"
PERSONNEL_FOLDER = "personnel-folder"
#: the town, in the contacts; its services are organizations below it
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
#: state of an incoming mail that nobody has to treat any more
CLOSED = "closed"
#: state of a contact that is no longer in use; a contact without a state is in use
DEACTIVATED = "deactivated"

#: the title of a mail without a subject
EMPTY_SUBJECT = "(VIDE)"
#: id of the first file in a document that came from whoever passed its message on; the others begin with it
ADDED = "added"
#: page of a folder that holds mail
MAIL_LIST = "mailbridge-mail-list"
#: folder of a period of incoming mail, for ``strftime``: one a week
PERIOD = "%Y%W"
