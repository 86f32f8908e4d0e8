"""Completion in real shells, beside a daemon that runs: names of simulations and checkpoints where they belong."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import pexpect
import pytest


# What makes a shell say its line, between two bytes that nobody types: as it is, at ctrl-G; and at ctrl-X ctrl-A with all that the word
# before the cursor could become. No screen has to be read for that, and nothing waited for.
BASH = r"""
show() { printf '\002%s\003' "$READLINE_LINE"; }
bind -x '"\C-g": show'
bind '"\C-x\C-a": insert-completions'
"""
ZSH = r"""
show() { printf '\002%s\003' "$BUFFER" }
zle -N show
bindkey '^G' show
zle -C everything complete-word _generic
zstyle ':completion:everything::::' completer _all_matches _complete
zstyle ':completion:everything:*' insert true
bindkey '^X^A' everything
"""
FISH = r"""
function show; printf '\002%s\003' (commandline); end
bind \cg show
function everything; commandline -r (string join ' ' (complete -C (commandline) | string split -f 1 \t)); end
bind \cx\ca everything
"""


class Shell:
    """A shell at a terminal, at which the test types."""

    def __init__(self, command, lab, setup, folder, **environment):
        self.folder = folder
        (folder / "setup").write_text(setup)
        environment = dict(lab.environment, TERM="dumb", HOME=str(folder), **environment)
        self.process = pexpect.spawn(command[0], command[1:], env=environment, encoding="utf-8", timeout=30, dimensions=(50, 200), cwd=folder)
        self.process.sendline("source ./setup; printf '\\002up\\003'")
        self.process.expect("\x02up\x03")

    def line(self, typed):
        """What the line is then."""
        self.process.send(typed + "\x07")
        self.process.expect("\x02([^\x03]*)\x03")
        self.process.send("\x15")
        return self.process.match[1]

    def complete(self, typed):
        """The line after the tabulator."""
        return self.line(typed + "\t")

    def choices(self, typed):
        """All that the last word could become, as words."""
        return self.line(typed + "\x18\x01").split()

    def close(self):
        self.process.close(force=True)


@pytest.fixture(scope="module", params=["bash", "bare-bash", "zsh", "fish"])
def shell(request, lab, prefix, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    (folder / "mine.yaml").write_text("")
    (folder / "mine.txt").write_text("")
    # Of somebody else's making, as in a repository or in /tmp.
    (folder / "$(touch ran).yaml").write_text("")
    (folder / "`touch ran`.yaml").write_text("")
    (folder / "inner$(touch ran)").mkdir()
    name = request.param.removeprefix("bare-")
    if not shutil.which(name):
        pytest.skip(f"there is no {name}")
    if request.param == "bash":
        library = "/usr/share/bash-completion/bash_completion"
        if not pathlib.Path(library).exists():
            pytest.skip("there is no bash-completion")
        # Found by its place, as after an installation.
        shell = Shell(["/bin/bash", "--norc"], lab, f"source {library}\n{BASH}", folder, XDG_DATA_DIRS=f"{prefix}/share")
    elif request.param == "bare-bash":
        shell = Shell(["/bin/bash", "--norc"], lab, f"source {prefix}/share/bash-completion/completions/fermata\n{BASH}", folder)
    elif request.param == "zsh":
        functions = f"fpath=({prefix}/share/zsh/site-functions $fpath)\nautoload -Uz compinit && compinit -u\n"
        shell = Shell(["/usr/bin/zsh", "-f"], lab, functions + ZSH, folder)
    else:
        shell = Shell(["/usr/bin/fish", "--no-config"], lab, f"source {prefix}/share/fish/vendor_completions.d/fermata.fish\n{FISH}", folder)
    yield shell
    shell.close()


def test_a_simulation(shell):
    assert shell.complete("fermata suspend l").rstrip() == "fermata suspend lab"


def test_a_checkpoint_behind_its_simulation(shell):
    assert shell.complete("fermata resume lab@bo").rstrip() == "fermata resume lab@booted"


def test_checkpoints_of_a_verb_that_needs_one(shell):
    choices = shell.choices("fermata rewind ")
    assert "lab@booted" in choices
    assert "lab@bare" in choices


def test_all_checkpoints_of_a_simulation(shell):
    # Bash leaves what stands before the '@' alone.
    choices = " ".join(shell.choices("fermata show lab@")).replace("@", " ").split()
    assert "booted" in choices
    assert "bare" in choices


def test_a_second_checkpoint(shell):
    assert shell.complete("fermata rm lab@booted lab@ba").rstrip() == "fermata rm lab@booted lab@bare"


def test_a_verb(shell):
    assert shell.complete("fermata susp").rstrip() == "fermata suspend"


def test_an_option_behind_a_checkpoint(shell):
    assert shell.complete("fermata resume lab@booted --clock-s").rstrip(" =") == "fermata resume lab@booted --clock-scope"


def test_a_manifest(shell):
    assert shell.complete("fermata up mi").rstrip() == "fermata up mine.yaml"


def test_a_manifest_for_run(shell):
    assert shell.complete("fermata run mi").rstrip() == "fermata run mine.yaml"


def test_names_of_files_are_not_commands(shell):
    for verb in ["run", "up", "validate", "batch"]:
        shell.choices(f"fermata {verb} ")
        shell.line(f"fermata {verb} \t\t")
    assert not (shell.folder / "ran").exists()


def test_nothing_where_there_is_nothing(shell):
    assert shell.complete("fermata resume nosuch@").rstrip() == "fermata resume nosuch@"


def ask(lab, *arguments, **environment):
    """What a shell is told, and how long that takes in seconds."""
    begin = time.monotonic()
    done = subprocess.run(
        [lab.binary, "---completion", *arguments], env={**lab.environment, **environment}, capture_output=True, text=True, check=False, timeout=60
    )
    return done, time.monotonic() - begin


def test_no_daemon_is_started_and_nothing_said(lab, tmp_path):
    done, _ = ask(lab, "resume", "--", "positional@0", "2", "0", "fermata", "resume", "", FERMATA_HOME=str(tmp_path / "home"))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
    assert not (tmp_path / "home").exists()


def test_another_control_instance_that_is_named_is_asked(lab, tmp_path):
    socket = f"unix:{lab.environment['FERMATA_HOME']}/control.sock"
    words = ["resume", "--", "positional@0", "4", "0", "fermata", "resume", "--control", socket, ""]
    done, _ = ask(lab, *words, FERMATA_HOME=str(tmp_path / "home"))
    assert done.stdout.split() == ["lab"]


def test_a_daemon_that_stands_still_holds_up_nobody(lab):
    status = lab.run("ps", "--json")
    assert "lab" in status
    processes = [
        int(entry.name) for entry in pathlib.Path("/proc").iterdir()
        if entry.name.isdigit() and serves(entry, lab.environment["FERMATA_HOME"])
    ]
    assert len(processes) == 1
    os.kill(processes[0], signal.SIGSTOP)
    try:
        done, seconds = ask(lab, "resume", "--", "positional@0", "2", "0", "fermata", "resume", "")
    finally:
        os.kill(processes[0], signal.SIGCONT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # It gives up after a second, by its own clock; without that it would be half an hour.
    assert seconds < 30


def serves(process, home):
    """Whether it is the daemon of that state folder."""
    try:
        arguments = (process / "cmdline").read_bytes().split(b"\0")
        environment = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"serve" in arguments and f"FERMATA_HOME={home}".encode() in environment
