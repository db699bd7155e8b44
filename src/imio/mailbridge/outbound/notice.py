"""How is an agent told what became of a message? By an e-mail of the bridge, through the Outbox like any other."""


def tell_agent(record, kind):
    """Tell the agent of a message that it ``failed``, ``bounced`` or was ``replied``, once for each kind."""
