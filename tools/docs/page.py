"""A page of the documentation: what is to be run in it, and what it says of it."""

import difflib
import re

FENCE = re.compile(r"^```(\w*)\s*$")
ANY = "…"


class Step:
    """A command, and what the page shows below it."""

    def __init__(self, command, line):
        self.command = command
        self.line = line
        self.shown = []
        self.may_fail = False

    def difference(self, printed):
        """Empty when the page shows what was printed."""
        shown = [normal(line) for line in self.shown if line.strip()]
        printed = [normal(line) for line in printed.splitlines() if line.strip()]
        # Lines of the page as one expression over all lines: '…' alone is any number of them.
        expression = "".join(
            r"(?:[^\n]*\n)*?" if line == ANY else re.escape(line).replace(ANY, r"[^\n]*?") + "\n" for line in shown
        )
        if re.fullmatch(expression, "".join(f"{line}\n" for line in printed)):
            return ""
        return "\n".join(difflib.unified_diff(shown, printed, "shown", "printed", lineterm=""))


class Block:
    def __init__(self, language, lines, number):
        self.language = language
        self.lines = lines
        self.number = number
        self.steps = list(self.read_steps()) if language == "console" else []
        for step, following in zip(self.steps, self.steps[1:]):
            step.may_fail = following.command.startswith("echo $?")

    def read_steps(self):
        step = None
        for offset, line in enumerate(self.lines):
            if line.startswith("$ "):
                if step:
                    yield step
                step = Step(line[2:], self.number + offset)
            elif step and step.command.endswith("\\") and not step.shown:
                step.command += "\n" + line
            elif step:
                step.shown.append(line)
        if step:
            yield step

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"

    @property
    def file_name(self):
        """Of a yaml block that is a file of its own."""
        found = re.match(r"# ([\w.-]+\.ya?ml)\b", self.lines[0]) if self.lines and self.language == "yaml" else None
        return found[1] if found else None


class Page:
    def __init__(self, path):
        self.path = path
        self.parts = []
        lines, block = [], None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if block is None and (fence := FENCE.match(line)):
                self.parts.append(lines)
                block, begin, lines = fence[1], number + 1, []
            elif block is not None and line == "```":
                self.parts.append(Block(block, lines, begin))
                block, lines = None, []
            else:
                lines.append(line)
        self.parts.append(lines)

    @property
    def blocks(self):
        return [part for part in self.parts if isinstance(part, Block)]

    def save(self):
        """Writes the page with what its steps show now."""
        text = []
        for part in self.parts:
            if not isinstance(part, Block):
                text += part
                continue
            lines = part.lines
            if part.steps:
                lines = [line for step in part.steps for line in [f"$ {step.command}", *step.shown]]
            text += [f"```{part.language}", *lines, "```"]
        self.path.write_text("\n".join(text) + "\n")


def normal(line):
    """A line without what differs from run to run: spaces between columns, and numbers that are measured."""
    line = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?", "TIME", line)
    line = re.sub(r"\b\d\d:\d\d:\d\d(\.\d+)?", "TIME", line)
    line = re.sub(r"[+-]?\d+(\.\d+)? ?(ns|µs|ms|s|min|h|d|B|KiB|MiB|GiB|TiB)\b", "N", line)
    line = line.replace("just now", "N ago")
    line = re.sub(r"[+-]?\b\d+\.\d+(\.\d+)*", "N", line)
    return re.sub(r"\s+", " ", line).strip()
