"""The commands that pages name: whether verbs and options are those of the program."""

import json
import re
import subprocess

CODE = re.compile(r"`([^`]+)`")


class Commands:
    def __init__(self, binary):
        dump = subprocess.run([binary, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
        self.root = json.loads(dump)["command"]

    def of(self, path):
        """(line, command) of each `fermata …` in code, in blocks or between backticks."""
        found, block = [], ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line.lstrip().startswith("```"):
                block = "" if block else line.strip().removeprefix("```") or "code"
                continue
            if block == "text":
                # What something prints; docs/cli.md has a test of its own.
                continue
            # In tables a bar within code is written with a backslash.
            for text in [line] if block else CODE.findall(line.replace("\\|", "|")):
                found += [(number, command) for command in self.commands(text)]
        return found

    @staticmethod
    def commands(text):
        text = re.sub(r"(^|\s)#.*", "", text)
        # Of a pipe or a list each command is one; in an option's '[--a|--b]' there are no spaces.
        for part in re.split(r"&&|;|\s\|\s|\$\(", text):
            part = re.sub(r"^\s*(\$ )?((sudo|ssh)\s+(-\w+\s+)*(\w+\s+)?)?([A-Z_]+=\S*\s+)*(ssh \S+\s+)?", "", part)
            if re.match(r"fermata(\s|$)", part):
                # What stands behind '--' is another program's.
                yield re.split(r"\s--\s", part)[0]

    def check(self, found):
        for line, command in found:
            words = [word for word in re.split(r"[\s\[\]|,()]+", command) if word][1:]
            verb = self.root
            while words and verb.get("subcommands") and re.fullmatch(r"[a-z]+", words[0]):
                inner = [entry for entry in verb["subcommands"] if entry["commandName"] == words[0]]
                if not inner:
                    yield line, f"there is no verb '{words[0]}' in '{command}'"
                    break
                verb, words = inner[0], words[1:]
            else:
                known = {name["name"] for entry in verb.get("arguments", []) for name in entry.get("names", [])}
                known |= {"help", "version", "generate-completion-script"}
                for option in (word for word in words if re.match(r"--[a-z]", word)):
                    name = re.match(r"--([a-z-]+)", option)[1]
                    if name not in known:
                        yield line, f"there is no option '--{name}' of '{verb['commandName']}' in '{command}'"
