"""The process that draws: it is told calls of vl-convert, and answers with what they return.

A script that `balmi.report.kit.engine` runs, and so it imports nothing of balmi.
"""

from __future__ import annotations

import os
import pickle
import resource
import sys


def main() -> None:
    """Answer calls until there are no more."""
    # What V8 prints as it dies must not stand among the answers, nor leave its addresses in a file.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    import vl_convert

    while True:
        try:
            name, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(getattr(vl_convert, name)(**arguments), answers)
        answers.flush()


if __name__ == "__main__":
    main()
