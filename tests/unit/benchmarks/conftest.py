"""Put the benchmark's folder on the path: it is run as a script and is no package."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))
