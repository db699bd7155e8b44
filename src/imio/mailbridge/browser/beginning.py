"""Gives the form of an e-mail its beginning: from the document, from a message that is sent again, or from a draft.

The first two return field → value as ``ISendingContext.defaults`` does, the last one field → value of its widget.
"""

from imio.mailbridge.browser import resubmit
from imio.mailbridge.iadocs.quote import QUOTE
from imio.mailbridge.message.secret_address import masked_data
from imio.mailbridge.outbox import draft_files
from imio.mailbridge.outbox import prefill
from imio.mailbridge.outbox.saved_drafts import FIELDS
from imio.mailbridge.ports.sending import ISendingContext
from plone import api
from plone.app.textfield.value import RichTextValue
from plone.uuid.interfaces import IUUID


PREFIX = "form.widgets."


def of_document(context, own, values):
    """Return how a new e-mail from ``context`` begins, with the signature and blind copies of its sender among ``own``."""
    beginning = ISendingContext(context).defaults()
    sender = own_identity(own, beginning.get("sender"))
    if sender is not None:
        if signature := signature_block(sender, values):
            text, quote, quoted = (beginning.get("body") or "").partition(QUOTE)
            beginning["body"] = f"{text or '<p>&nbsp;</p>'}\n{signature}{quote}{quoted}"
        beginning["bcc"] = list(dict.fromkeys([*beginning.get("bcc", []), *prefill.bcc(sender, values)]))
    return beginning


def own_identity(own, uid):
    """Return the identity with this uid among ``own``, or the first, or None."""
    return next((each for each in own if each.uid == uid), own[0] if own else None)


def of_message(record, context):
    """Return (beginning, whether all attachments are still there) of a message that is edited and sent again."""
    beginning = resubmit.form_values(record)
    kept, complete = present_files(context, beginning.get("attachments") or ())
    return {**beginning, "attachments": kept}, complete


def of_draft(draft, context):
    """Return (field → value of its widget, whether all attachments are still there) of a draft."""
    fields = masked_data(dict(draft.fields))
    kept, complete = present_files(context, fields.get("attachments") or ())
    body = RichTextValue(fields.get("body") or "", "text/html", "text/html")
    return {**fields, "body": body, "attachments": kept}, complete


def posted_fields(form):
    """Return the fields of an e-mail in a request's form, to keep them as a draft."""
    values = {name: form.get(f"{PREFIX}{name}", ()) for name in FIELDS}
    return {name: value if isinstance(value, str | list) else "" for name, value in values.items()}


def present_files(context, uids):
    """Return (the uids of files that are in the document, whether these are all)."""
    present = {file.uid for file in attachable(context, uids)} if uids else ()
    kept = [uid for uid in uids if uid in present]
    return kept, len(kept) == len(uids)


def attachable(context, also=()):
    """Return the files that can be attached: of the document, and the user's own; of those sent the ones named ``also``."""
    own = draft_files.files_of(api.user.get_current().getId(), IUUID(context), also)
    return [*ISendingContext(context).files(), *(file.reference for file in own)]


def signature_block(identity, values):
    """Return the HTML of a signature, in an element that the script finds when the sender changes; or an empty string."""
    html = prefill.signature(identity, values)
    return f'<div class="mailbridge-signature">{html}</div>' if html else ""
