"""What the documents say to type: the commands of their blocks of bash."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/running.md", "config/README.md")


def commands(document):
    """Return the commands of a document in order, without comments, lines that go on joined."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    told = [re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip() for line in lines]
    return [line for line in told if line]
