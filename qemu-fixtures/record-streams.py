#!/usr/bin/env python3
"""Record the small real streams of qemu-fixtures/streams from the QEMUs at hand.

    record-streams.py [--bin 7.2=/usr/bin] [--bin 10.0=.cache/qemu-10.0/bin] [--only REGEX] [--out FOLDER]

Each stream is one machine with little RAM and a fixed clock, run for a moment with its firmware or, to keep the
streams small, with a few instructions of ours; then stopped, its clock devices given something to remember, and saved.
xz packs the streams: their RAM is nearly all zeros.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
CLOCK = ["-rtc", "base=2024-02-29T12:00:00,clock=vm"]
QUIET = ["-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-serial", "none"]
UUID = "6f0d4d4e-7b1c-4a53-9a7f-0c8a4ff1c0de"

# What stands in the RAM of the "decoy" machines: the end of an iterable section, a device header that looks right,
# and the end of a whole stream. A reader that searches RAM takes it for the real thing.
DECOY = (
    b"\x00" * 64
    + struct.pack(">BI", 0x7E, 2)
    + struct.pack(">BIB", 0x04, 3, 5) + b"timer" + struct.pack(">II", 0, 2)
    + struct.pack(">qqq", 0, 0, 0x6661736C6563) + struct.pack(">BI", 0x7E, 3)
    + b"\x00" + struct.pack(">BI", 0x06, 90)
    + b'{"page_size":4096,"devices":[{"name":"timer","instance_id":0,"vmsd_name":"timer","version":2}]}'
)

# Where our instructions go on aarch64: behind the device tree.
ARM_CODE = 0x40200000
# Write a counter into 32 pages, 3 MiB into RAM, for ever.
#   mov x1,#0x40000000; add x1,x1,#0x300000; mov x2,#0; 1: add x2,x2,#1; mov x3,#0; 2: add x4,x1,x3,lsl #12;
#   str x2,[x4,#2048]; add x3,x3,#1; cmp x3,#32; b.ne 2b; b 1b
ARM_DIRTY = [
    0xD2A80001, 0x914C0021, 0xD2800002, 0x91000442, 0xD2800003, 0x8B033024, 0xF9040082, 0x91000463,
    0xF100807F, 0x54FFFF81, 0x17FFFFF9,
]
ARM_WAIT = [0xD503207F, 0x17FFFFFF]  # wfi; b .-4
PPC_WAIT = [0x48000000]  # b .
X86_WAIT = b"\xf4\xeb\xfd"  # hlt; jmp .-1, at the reset vector
RISCV_WAIT = [0x10500073, 0xFFDFF06F]  # wfi; j .-4


@dataclasses.dataclass
class Recording:
    name: str
    program: str
    machine: str
    arguments: list
    # Seconds to run before it is stopped; None leaves it as -S has it.
    run: float = 0.4
    code: tuple = ()  # (address, words, word format) to execute from the start
    decoy: int = 0  # guest physical address
    capabilities: tuple = ()
    poke: tuple = ()  # qtest commands, once stopped
    versions: tuple = ("7.2", "10.0")
    way: str = "file"  # file, live, dump, postcopy, multifd


class QMP:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.lines = self.socket.makefile("rb")
        json.loads(self.lines.readline())
        self("qmp_capabilities")

    def __call__(self, command, descriptors=(), **arguments):
        text = json.dumps({"execute": command, "arguments": arguments}).encode()
        socket.send_fds(self.socket, [text], list(descriptors))
        while True:
            line = self.lines.readline()
            if not line:
                raise RuntimeError(f"{command}: QEMU ended")
            reply = json.loads(line)
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise RuntimeError(f"{command}: {reply['error']['desc']}")

    def migrated(self, timeout=60):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            state = self("query-migrate")
            if state.get("status") in ("completed", "failed"):
                return state
            time.sleep(0.02)
        raise RuntimeError("migration did not end")


class QTest:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")

    def __call__(self, command):
        self.socket.sendall(command.encode() + b"\n")
        reply = self.lines.readline().decode().strip()
        if not reply.startswith("OK"):
            raise RuntimeError(f"qtest {command}: {reply}")


def x86(name, machine, *more, **settings):
    # An RTC alarm at 12:34:56 (registers 1, 3, 5), 1024 Hz periodic ticks, both enabled in B; the PIT at 100 Hz.
    cmos = [(0x01, 0x56), (0x03, 0x34), (0x05, 0x12), (0x0A, 0x26), (0x0B, 0x62)]
    poke = [c for register, value in cmos for c in (f"outb 0x70 {register}", f"outb 0x71 {value}")]
    settings.setdefault("poke", (*poke, "outb 0x43 0x34", "outb 0x40 0x9c", "outb 0x40 0x2e"))
    bios = [] if settings.pop("firmware", False) else ["-bios", "{dir}/bios"]
    return Recording(name, "x86_64", machine, ["-m", "8", *bios, *more], **settings)


def arm(name, *more, code=ARM_WAIT, **settings):
    # The PL031 alarm one hour on, interrupt unmasked.
    settings.setdefault("poke", ("writel 0x9010004 0x65e09b10", "writel 0x9010010 1"))
    return Recording(
        name, "aarch64", "virt-{v}", ["-cpu", "cortex-a57", "-m", "8", *more],
        code=(ARM_CODE, tuple(code), "<I"), **settings)


SHARED = ["-object", "memory-backend-file,id=ram0,size=8M,mem-path={dir}/ram,share=on", "-machine", "memory-backend=ram0"]
MAPPED = ("mapped-ram",)

RECORDINGS = [
    x86("pc", "pc-i440fx-{v}", "-device", "e1000,romfile=", "-device", "virtio-rng-pci", firmware=True),
    x86("pc-unstarted", "pc-i440fx-{v}", run=None, poke=()),
    x86("pc-2cpu", "pc-i440fx-{v}", "-smp", "2", versions=("10.0",)),
    x86("pc-icount", "pc-i440fx-{v}", "-icount", "shift=4,sleep=on", versions=("10.0",)),
    x86("pc-shared", "pc-i440fx-{v}", *SHARED, capabilities=("x-ignore-shared",)),
    x86("pc-uuid", "pc-i440fx-{v}", "-uuid", UUID, capabilities=("validate-uuid",), versions=("10.0",)),
    x86("pc-mapped", "pc-i440fx-{v}", capabilities=MAPPED, versions=("10.0",)),
    x86("pc-mapped-multifd", "pc-i440fx-{v}", capabilities=(*MAPPED, "multifd"), versions=("10.0",)),
    x86("pc-compress", "pc-i440fx-{v}", capabilities=("compress",), versions=("7.2",)),
    x86("pc-decoy", "pc-i440fx-{v}", run=None, poke=(), decoy=0x100000),
    x86("pc-nodescription", "pc-i440fx-{v}", "-machine", "suppress-vmdesc=on"),
    x86("pc-noconfiguration", "pc-i440fx-{v}", "-global", "migration.send-configuration=off", versions=("7.2",)),
    x86("pc-nofooter", "pc-i440fx-{v}", "-global", "migration.send-section-footer=off", versions=("10.0",)),
    x86("pc-dump", "pc-i440fx-{v}", "-device", "e1000,romfile=", "-device", "virtio-rng-pci", firmware=True, way="dump"),
    x86("pc-postcopy", "pc-i440fx-{v}", way="postcopy", capabilities=("postcopy-ram",), versions=("10.0",)),
    x86("pc-multifd-socket", "pc-i440fx-{v}", way="multifd", capabilities=("multifd",), versions=("10.0",)),
    x86("q35", "pc-q35-{v}", firmware=True),
    x86("q35-devices", "pc-q35-{v}", "-m", "8,slots=1,maxmem=1G", "-netdev", "user,id=n", "-device",
        "virtio-net-pci,netdev=n,romfile=", "-device", "qemu-xhci", "-device", "usb-tablet", "-device", "intel-hda", "-device",
        "hda-output,audiodev=a", "-audiodev", "none,id=a", "-device", "virtio-scsi-pci", "-device", "virtio-serial-pci",
        "-object", "memory-backend-ram,id=m,size=4M", "-device", "virtio-mem-pci,memdev=m,requested-size=2M",
        "-device", "virtio-balloon-pci", "-device", "VGA,vgamem_mb=1,romfile=", versions=("10.0",)),
    x86("microvm", "microvm,rtc=on"),
    arm("virt"),
    arm("virt-unstarted", run=None, poke=()),
    arm("virt-mapped", capabilities=MAPPED, versions=("10.0",)),
    arm("virt-xbzrle", code=ARM_DIRTY, capabilities=("xbzrle",), way="live", poke=(), versions=("10.0",)),
    arm("virt-decoy", decoy=0x40400000),
    arm("virt-dump", way="dump"),
    Recording("riscv", "riscv64", "virt", ["-m", "8", "-bios", "none"], code=(0x80000000, tuple(RISCV_WAIT), "<I"),
              # The goldfish alarm, one hour on: high word first.
              poke=("writel 0x10100c 0x17b85b5d", "writel 0x101008 0x80000000", "writel 0x101010 1")),
    Recording("s390x", "s390x", "s390-ccw-virtio-{v}", ["-m", "8", "-action", "panic=none"]),
    Recording("pseries", "ppc64", "pseries-{v}", ["-m", "256"], versions=("10.0",)),
    Recording("pseries", "ppc64", "pseries-{v}", ["-m", "256", "-bios", "{dir}/ppc"], versions=("7.2",)),
    Recording("ast2600", "arm", "ast2600-evb", ["-m", "256"],
              # The RTC: unlocked, 2024-02-29 12:00:00, counting.
              poke=("writel 0x1e781010 2", "writel 0x1e781000 0x1d0c0000", "writel 0x1e781004 0x00141802",
                    "writel 0x1e781010 1")),
]


def save_to_file(qmp, path):
    with open(path, "wb") as file:
        qmp("getfd", [file.fileno()], fdname="stream")
    qmp("migrate", uri="fd:stream")


def record(recording, version, folder, target):
    work = pathlib.Path(tempfile.mkdtemp(prefix="fermata-record-"))
    stream = work / "stream"
    command = [str(folder / f"qemu-system-{recording.program}"), "-machine", recording.machine.format(v=version),
               "-accel", "tcg", *CLOCK, *QUIET, "-S", "-qmp", f"unix:{work}/qmp,server=on,wait=off",
               "-qtest", f"unix:{work}/qtest,server=on,wait=off", "-qtest-log", "/dev/null"]
    command += [a.replace("{dir}", str(work)) for a in recording.arguments]
    (work / "bios").write_bytes(X86_WAIT.rjust(0xFFF3, b"\0").ljust(0x10000, b"\0"))
    (work / "ppc").write_bytes(struct.pack(">I", *PPC_WAIT) * 0x1000)
    if recording.code:
        address, words, form = recording.code
        (work / "code").write_bytes(b"".join(struct.pack(form, w) for w in words))
        command += ["-device", f"loader,file={work}/code,addr={address:#x},cpu-num=0,force-raw=on"]
    if recording.decoy:
        (work / "decoy").write_bytes(DECOY)
        command += ["-device", f"loader,file={work}/decoy,addr={recording.decoy:#x},force-raw=on"]
    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        qmp = QMP(work / "qmp")
        if recording.run is not None:
            qmp("cont")
            time.sleep(recording.run)
            if recording.way != "live":
                qmp("stop")
        if recording.poke:
            qtest = QTest(work / "qtest")
            for poke in recording.poke:
                qtest(poke)
        if recording.capabilities:
            qmp("migrate-set-capabilities", capabilities=[{"capability": c, "state": True} for c in recording.capabilities])
        if recording.way == "dump":
            qmp("xen-save-devices-state", filename=str(stream), live=False)
        elif recording.way == "live":
            # Slow enough that pages are sent again while the guest writes them.
            qmp("migrate-set-parameters", **{"max-bandwidth": 300_000, "downtime-limit": 1})
            save_to_file(qmp, stream)
            time.sleep(7)
            qmp("stop")
            qmp("migrate-set-parameters", **{"max-bandwidth": 0, "downtime-limit": 2000})
            expect_completed(qmp)
        elif recording.way in ("postcopy", "multifd"):
            record_socket(qmp, recording, work, stream)
        else:
            qmp("migrate-set-parameters", **{"max-bandwidth": 0})
            if "mapped-ram" in recording.capabilities:
                qmp("migrate", uri=f"file:{stream}")
            else:
                save_to_file(qmp, stream)
            expect_completed(qmp)
        try:
            qmp("quit")
        except RuntimeError:
            pass
        qemu.wait(20)
        with open(target, "wb") as packed:
            subprocess.run(["xz", "-9e", "-T1", "-c", str(stream)], stdout=packed, check=True)
        print(f"{target.name}: {stream.stat().st_size} bytes, packed {target.stat().st_size}", flush=True)
    except (OSError, RuntimeError, ValueError) as error:
        qemu.kill()
        raise RuntimeError(f"{error}; QEMU said: {qemu.communicate()[1]}") from error
    finally:
        if qemu.poll() is None:
            qemu.kill()
            qemu.wait()
        qemu.stderr.close()
        shutil.rmtree(work)


def expect_completed(qmp):
    state = qmp.migrated()
    if state["status"] != "completed":
        raise RuntimeError(f"not saved: {state}")


def record_socket(qmp, recording, work, stream):
    """What QEMU sends on the first of its connections; the others and the answers are of no interest."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(work / "in"))
    listener.listen(8)
    received = []

    def receive(connection, index):
        received.append(bytearray())
        mine = received[-1]
        while True:
            data = connection.recv(65536)
            if not data:
                return
            mine += data

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=receive, args=(connection, len(received)), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    qmp("migrate", uri=f"unix:{work}/in")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and qmp("query-migrate").get("status") not in ("completed", "failed"):
        time.sleep(0.05)
    time.sleep(0.2)
    listener.close()
    main = [r for r in received if r[:4] == b"QEVM"]
    stream.write_bytes(bytes(main[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", action="append", default=[], metavar="VERSION=FOLDER")
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "streams")
    options = parser.parse_args()
    folders = {"7.2": pathlib.Path("/usr/bin"), "10.0": HERE.parent / ".cache/qemu-10.0/bin"}
    folders.update((v, pathlib.Path(f)) for v, f in (b.split("=", 1) for b in options.bin))
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for recording in RECORDINGS:
        for version in recording.versions:
            name = f"{recording.name}-{version}"
            if not re.search(options.only, name):
                continue
            try:
                record(recording, version, folders[version], options.out / f"{name}.stream.xz")
            except (OSError, RuntimeError, subprocess.SubprocessError, IndexError) as error:
                failed += 1
                print(f"{name}: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
