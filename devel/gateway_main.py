"""``__main__`` of mailbridge-gateway.pyz: runs the program that the first argument, or the name of the file, says."""

import sys


PROGRAMS = {
    "lmtp": "imio.mailbridge.gateway.lmtp_command",
    "fetch": "imio.mailbridge.gateway.fetch_command",
    "explain": "imio.mailbridge.message.explain",
}
USAGE = """\
usage: mailbridge-gateway.pyz lmtp|fetch|explain [options]

  lmtp      an LMTP server in front of the site
  fetch     reads mailboxes by IMAP and hands their messages over to the site
  explain   tells what the mail bridge makes of message files
  licences  prints the licences of what this file holds

Each program has --help. Under the name mailbridge-lmtp, mailbridge-fetch or mailbridge-explain the file is that program.
--version prints the version.
"""


def main():
    """Run it; return the exit status. Status 2: no such program, or a Python that is too old."""
    arguments = sys.argv[1:]
    program = sys.argv[0].rpartition("/")[2].partition(".")[0].rpartition("mailbridge-")[2]
    if sys.version_info < (3, 11):
        old = "{}.{}".format(*sys.version_info)
        print(f"mailbridge-gateway needs Python 3.11 or later, not {old}", file=sys.stderr)
        return 2
    if program not in PROGRAMS:
        program = arguments.pop(0) if arguments else ""
    if program == "--version" or arguments == ["--version"]:
        from importlib.metadata import version

        print(f"imio.mailbridge {version('imio.mailbridge')}")
    elif program == "licences":
        sys.stdout.buffer.write(__loader__.get_data(f"{__loader__.archive}/LICENCES.txt"))
    elif program in PROGRAMS:
        from importlib import import_module

        sys.argv = [f"mailbridge-{program}", *arguments]
        return import_module(PROGRAMS[program]).main()
    else:
        helped = program in ("-h", "--help")
        print(USAGE, end="", file=sys.stdout if helped else sys.stderr)
        return 0 if helped else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
