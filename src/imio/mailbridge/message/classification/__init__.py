"""How a message came in: forward, redirect, reply, report or direct mail."""
