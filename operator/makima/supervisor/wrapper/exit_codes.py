"""What `makima supervise` exits with, besides the program's own exit code (128 + n where signal n ended it)."""

OK = 0
"""The program ended well, or the `stop` command was carried out."""

UNFINISHED = 70
"""The program ended with 0 again and again, without saying that its turn was over."""

UNREACHABLE = 69
"""The API service did not answer."""

SECOND_WRITER = 73
"""Another process on this host carries the contract, or holds the conversation."""

RESTART = 75
"""The `restart` command was carried out: start it again."""

SUPERSEDED = 76
"""A newer life carries the contract; the program was killed."""

REFUSED = 77
"""The API service refused to register this supervisor."""

NOT_EXECUTABLE = 126
NOT_FOUND = 127
"""As in a shell: the command can't be run; there is no such command."""

SIGNAL = 128


def of_program(returncode: int) -> int:
    """The exit code for what `subprocess` calls a return code (negative: ended by a signal)."""
    return returncode if returncode >= 0 else SIGNAL - returncode
