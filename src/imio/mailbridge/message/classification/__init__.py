"""Decides how a message came in: as a forward, redirect, reply, report or direct mail."""
