#!/usr/bin/env python3
"""What suspend, resume, clones and inspect cost, by the size of a machine's RAM and beside `virsh save` and `virsh restore`, in one run.

Usage: suspend.py [--fermata PATH] [--rounds N] [--skip-virsh] [--ram-folder PATH] [--only ROW,ROW…]

Rows: sizes (suspend of 512 MiB against 8 GiB), virsh (1 GiB, the same guest), clones (private memory of ten), tail (inspect and clock
patch of 8 GiB). Machines are Linux guests on QEMU 10.0 that fill most of their memory with noise; those of the virsh row run on the
host's own QEMU. RAM is in files in /dev/shm, or in --ram-folder (FERMATA_RAM_FOLDER). As root: virsh needs it. It installs nothing;
docs/benchmarks.md says which packages the virsh row needs.
"""

import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time

from lab import INITRD, KERNEL, Lab, append, parser, summary, timed, wait_until_ready

# libvirt asks a QEMU for all its devices first, of which an unpacked one without its modules' libraries dies.
INSTALLED_QEMU = "/usr/bin/qemu-system-x86_64"


def until_gone(report):
    """From the agreed instant to the end of the operation, at which every QEMU is gone, in milliseconds."""
    return (report["finishedNs"] - report["deadlineNs"]) / 1e6


def sizes(options):
    print("\n## suspend until every QEMU is gone, by size\n")
    print("| memory | median | range |\n| --- | --- | --- |")
    medians = {}
    for memory in (512, 8192):
        with Lab(options) as bench:
            bench.up(memory)
            spans = []
            for index in range(options.rounds):
                report = bench.run("suspend", f"bench@s{index}")
                assert report["machines"][0]["ram"]["way"] == "file" and not bench.qemus()
                spans.append(until_gone(report))
                # Once it is on disk, so that the copying of one round is not measured with the next; then as it was.
                bench.run("verify", f"bench@s{index}")
                bench.run("resume", f"bench@s{index}", "--copy")
                if index > 0:
                    bench.run("rm", f"bench@s{index - 1}")
            medians[memory] = statistics.median(spans)
            print(f"| {memory} MiB | {summary(spans)} |", flush=True)
    print(f"\nratio of 8 GiB to 512 MiB: {medians[8192] / medians[512]:.2f} (aim: below 1.3)")


DOMAIN = """<domain type='qemu'>
  <name>fermata-bench</name><memory unit='MiB'>1024</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel><initrd>{initrd}</initrd>
    <cmdline>{append}</cmdline></os>
  <features><acpi/></features>
  <devices><emulator>{qemu}</emulator><serial type='file'><source path='{log}'/></serial><memballoon model='none'/></devices>
</domain>"""


def virsh(*arguments):
    answer = subprocess.run(["virsh", "-c", "qemu:///system", *arguments], capture_output=True, text=True)
    if answer.returncode != 0:
        raise SystemExit(f"virsh {' '.join(arguments)}: {answer.stderr}")


@contextlib.contextmanager
def libvirt(folder):
    """Its daemons, and only these, end afterwards."""
    made = []
    for path in ("/run/libvirt", "/run/dbus", "/var/log/libvirt", "/var/lib/libvirt", "/var/lib/libvirt/qemu", "/etc/libvirt"):
        if not os.path.exists(path):
            os.makedirs(path)
            made.append(path)
    configuration = pathlib.Path("/etc/libvirt/qemu.conf")
    before = configuration.read_text() if configuration.exists() else None
    configuration.write_text('user="root"\ngroup="root"\nsecurity_driver="none"\ncgroup_controllers=[]\n')
    log = open(folder / "libvirt.log", "w")
    started = []
    try:
        for command in (["dbus-daemon", "--system", "--nofork"], ["virtlogd"], ["libvirtd"]):
            # Ctrl-C is for this script: it still has a domain to end.
            started.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))
            time.sleep(2)
        virsh("version")
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if before is None:
            configuration.unlink()
        else:
            configuration.write_text(before)
        for path in made:
            shutil.rmtree(path, ignore_errors=True)


def beside_virsh(options):
    print("\n## one machine of 1 GiB, suspended and resumed, beside virsh save and virsh restore of the same guest\n")
    if options.skip_virsh or not shutil.which("libvirtd"):
        print("left out: there is no libvirtd (docs/benchmarks.md names the packages)")
        return
    # Whole commands, as those of virsh are; and what of a suspend lies behind the instant that all machines agree on.
    ours = {"suspend": [], "suspend, from its instant": [], "resume": []}
    theirs = {"save": [], "restore": []}
    with Lab(options) as bench, libvirt(bench.folder):
        bench.up(1024, qemu=INSTALLED_QEMU)
        xml = bench.folder / "domain.xml"
        log = bench.folder / "serial.log"
        xml.write_text(DOMAIN.format(kernel=KERNEL, initrd=INITRD, append=append(1024), qemu=INSTALLED_QEMU, log=log))
        try:
            virsh("create", str(xml))
            wait_until_ready(log)
            for index in range(options.rounds):
                span, report = timed(lambda: bench.run("suspend", f"bench@s{index}"))
                ours["suspend"].append(span)
                ours["suspend, from its instant"].append(until_gone(report))
                bench.run("verify", f"bench@s{index}")
                span, report = timed(lambda: bench.run("resume", "bench", "--keep"))
                ours["resume"].append(span)
                saved = bench.folder / f"virsh-{index}"
                theirs["save"].append(timed(lambda: virsh("save", "fermata-bench", str(saved)))[0])
                theirs["restore"].append(timed(lambda: virsh("restore", str(saved), "--running"))[0])
                saved.unlink(missing_ok=True)
                # A machine on a view of a checkpoint would be saved by the stream: every round begins with RAM of its own.
                if report["machines"][0]["ram"].get("isView"):
                    bench.run("down", "bench")
                    bench.run("resume", f"bench@s{index}", "--copy")
        finally:
            # It may not be there: while it is restored, or when it could not be made.
            with contextlib.suppress(SystemExit):
                virsh("destroy", "fermata-bench")
    median = {name: statistics.median(spans) for name, spans in {**ours, **theirs}.items()}
    print("| what | median | all, ms |\n| --- | --- | --- |")
    for name, spans in {**ours, **theirs}.items():
        print(f"| {name} | {median[name]:.1f} ms | {', '.join(f'{span:.0f}' for span in spans)} |")
    print(f"\nvirsh save is {median['save'] / median['suspend']:.1f} times as long as suspend (aim: 30)")
    print(f"virsh restore is {median['restore'] / median['resume']:.1f} times as long as resume --keep (aim: 8)")


def private_kilobytes(process):
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    fields = dict(re.findall(r"^(\w+):\s+(\d+) kB", text, re.M))
    return int(fields["Private_Dirty"]) + int(fields["Private_Clean"])


def clones(options):
    print("\n## ten clones of a machine of 1 GiB: private memory of each right after the resume\n")
    with Lab(options) as bench:
        bench.up(1024)
        bench.run("suspend", "bench@s1", "--sealed")
        used = sum(
            file.stat().st_blocks * 512
            for file in (bench.home / "checkpoints/bench/s1").rglob("*")
            if file.is_file() and not file.is_symlink()
        )
        bench.run("clone", "bench@s1", "--as", "copy", "--count", 10)
        private = [private_kilobytes(process) / 1024 for process in bench.qemus()]
        print(f"RAM of each: 1024 MiB, {used / 2**20:.0f} MiB of it in use")
        print(f"private memory of {len(private)} clones: median {statistics.median(private):.1f} MiB, largest {max(private):.1f} MiB")
        print(f"largest part of the RAM in use: {max(private) * 2**20 / used * 100:.1f} % (aim: below 15 %)")


def tail(options):
    print("\n## inspect and clock patch of a checkpoint of 8 GiB\n")
    with Lab(options) as bench:
        bench.up(8192)
        bench.run("suspend", "bench@s1", "--sealed")
        folder = bench.home / "checkpoints/bench/s1/machines/m0"
        state = folder / "state.qemu"
        spans = [timed(lambda: bench.run("inspect", state))[0] for _ in range(options.rounds)]
        print(f"inspect, the whole command: median {statistics.median(spans):.1f} ms (aim: below 20 ms)")
        spans = []
        for index in range(options.rounds):
            span, _ = timed(lambda: bench.run("clock", "bench@s1", "--clock", "+1h", "--as", f"later{index}"))
            spans.append(span)
        print(f"clock patch into a new checkpoint, the whole command: median {statistics.median(spans):.1f} ms (aim: below 20 ms)")
        if shutil.which("strace"):
            trace = bench.folder / "strace"
            subprocess.run(
                ["strace", "-f", "-e", "trace=read,pread64,mmap", "-y", "-o", trace, options.fermata, "inspect", state],
                env=bench.environment,
                check=True,
                capture_output=True,
            )
            lines = [line for line in trace.read_text().splitlines() if "state.qemu" in line or "/ram>" in line]
            print(f"strace: {len(lines)} system calls on the state ({state.stat().st_size} bytes), "
                  f"{sum('/ram>' in line for line in lines)} on the RAM ({(folder / 'ram').stat().st_size} bytes)")


def main():
    rows = {"sizes": sizes, "virsh": beside_virsh, "clones": clones, "tail": tail}
    arguments = parser(__doc__, rows)
    arguments.add_argument("--skip-virsh", action="store_true")
    options = arguments.parse_args()
    for name in options.only:
        rows[name](options)


if __name__ == "__main__":
    main()
