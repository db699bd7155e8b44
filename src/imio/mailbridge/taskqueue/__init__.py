"""Tasks as requests: queued when the transaction commits, run as the user who queued them.

The contract is the one of collective.taskqueue, on huey. One difference: huey removes a task when it hands it out, so a worker
that is killed in a task loses it. A task must therefore name a record that a sweep finds again.

::

    request ── add() ── commit ── after-commit hook ── queue ── worker ── publish() ── view on ITaskLayer
                 ✝1               ✝2                      ✝3        ✝4
    ✝1 nothing happened   ✝2 ✝3 ✝4 the record is committed, its task is lost: the sweep adds it again
"""

from imio.mailbridge.taskqueue.enqueue import add
from imio.mailbridge.taskqueue.enqueue import add_once


__all__ = ["add", "add_once"]
