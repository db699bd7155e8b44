"""Stops an account that cannot work as it is set, and holds its mail until ``release`` finds that it works again."""

from datetime import timedelta
from imio.mailbridge.delivery import account_alarm
from imio.mailbridge.delivery.answer_table import KEPT
from imio.mailbridge.delivery.answers import answer_to
from imio.mailbridge.delivery.due import due_recipients
from imio.mailbridge.outbox.record import outbox
from imio.mailbridge.store.store import now


#: Minutes between the tries of a stopped account; the last one repeats.
PAUSES = (0, 5, 15, 30, 60)
#: The same where it is the login that was refused: servers lock accounts, and each try may show the password twice.
LOGIN_PAUSES = (15, 30, 60, 120)


def stop(name, reply):
    """Stop an account because of an ``SmtpReply``, and raise the alarm if it is not stopped already."""
    box, answer = outbox(), answer_to(reply)
    is_new = name not in box.holds
    box.hold(name, reply.code or None, reply.text, answer.explanation, answer.remedy, reply.stage)
    if is_new:
        put_off(name)
        account_alarm.stopped(name, box.holds[name])


def put_off(name):
    """Let a stopped account wait before it is tried the next time, longer each time."""
    box = outbox()
    if name in box.holds:
        hold = box.holds[name]
        pauses = LOGIN_PAUSES if hold["stage"] in ("auth", "oauth") else PAUSES
        pause = timedelta(minutes=pauses[min(hold["tries"], len(pauses) - 1)])
        box.holds[name] = {**hold, "tries": hold["tries"] + 1, "next_try": now() + pause}


def stopped_accounts():
    """Return the names of the stopped accounts that may be tried now."""
    return [
        name for name, hold in outbox().holds.items() if hold["next_try"] is None or hold["next_try"] <= now()
    ]


def hold_due(name):
    """Let the messages that have become due while an account is stopped wait for it too.

    Their timelines get no words that the server said of another message.
    """
    box = outbox()
    hold = box.holds[name]
    text = "" if hold["stage"] in ("mail", "rcpt", "data") else hold["text"]
    for record in map(box.get, list(box.due_ids(name, now()))):
        if addresses := due_recipients(record):
            for address in addresses:
                record.note(address, "held", hold["code"], text, hold["explanation"], follows=KEPT)
            box.update(record, dict.fromkeys(addresses, "held"))


def release_held(name, explanation):
    """Queue what is held for an account, which is no longer stopped; nothing where another worker was first."""
    box = outbox()
    if box.holds.pop(name, None) is None:
        return
    for record in list(box.waiting_in("held", account=name)):
        addresses = record.in_state("held")
        record.note(None, "queued", explanation=explanation)
        record.start_trying()  # the time on hold is not the message's
        box.update(record, dict.fromkeys(addresses, "queued"))
