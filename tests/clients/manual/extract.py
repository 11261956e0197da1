"""Takes the programs out of a page of the manual: all blocks of one language, one after the other.

    extract.py PAGE LANGUAGE
"""

import re
import sys

page, language = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    blocks = re.findall(r"^```([^\n]*)\n(.*?)^```$", file.read(), re.M | re.S)
chosen = [body for name, body in blocks if name == language]
if not chosen:
    sys.exit(f"{page} has no {language}")
print("\n".join(chosen), end="")
