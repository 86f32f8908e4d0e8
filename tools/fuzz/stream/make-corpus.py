#!/usr/bin/env python3
"""Make the inputs to begin with from the recorded streams: their beginnings, tails and devices, cut to a few kilobytes.

A device is dropped from a stream as a whole, from its sections and from the description, so that what is left is whole.
"""

import json
import lzma
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
STREAMS = HERE.parents[2] / "qemu-fixtures" / "streams"
MOST = 2500


def split(data):
    """The offset of the description, the devices with their bytes, the offset of the first one."""
    last = max(i for i in range(max(0, len(data) - (1 << 20)), len(data)) if data[i] < 0x20)
    place = next(p for p in range(last - 4, last + 1)
                 if data[p] == 6 and struct.unpack(">I", data[p + 1:p + 5])[0] == len(data) - p - 5)
    description = json.loads(data[place + 5:])
    end, devices = place - 1, []
    for device in reversed(description["devices"]):
        size = sum(field_size(f) for f in device["fields"]) + sum(map(subsection_size, device.get("subsections", [])))
        start = end - 5 - size - 14 - len(device["name"])
        if start < 0 or data[start] != 4 or data[start + 6:start + 6 + len(device["name"])] != device["name"].encode():
            break
        devices.insert(0, (device, data[start:end]))
        end = start
    return description, devices, end


def field_size(field):
    return field["size"] * field.get("array_len", 1)


def subsection_size(subsection):
    inner = sum(map(field_size, subsection["fields"])) + sum(map(subsection_size, subsection.get("subsections", [])))
    return 6 + len(subsection["vmsd_name"]) + inner


def shrink(name, keep):
    data = lzma.open(STREAMS / f"{name}.stream.xz").read()
    description, devices, start = split(data)
    devices = [(d, b) for d, b in devices if d["name"].split("/")[-1] in keep]
    description["devices"] = [d for d, _ in devices]
    text = json.dumps(description).encode()
    sections = b"".join(b for _, b in devices)
    return data[:start], sections, b"\0\6" + struct.pack(">I", len(text)) + text


def main():
    corpus = HERE / "corpus"
    corpus.mkdir(exist_ok=True)
    for old in corpus.iterdir():
        old.unlink()
    kinds = {
        "pc-unstarted-10.0": ("timer", "mc146818rtc", "globalstate"),
        "pc-icount-10.0": ("timer", "i8259"),
        "virt-10.0": ("timer", "pl031"),
        "riscv-10.0": ("goldfish_rtc", "cpu_common", "globalstate"),
        "s390x-10.0": ("timer", "todclock", "PCIHost"),
        "ast2600-7.2": ("aspeed.rtc",),
        "pseries-10.0": ("spapr", "rtc", "timer"),
    }
    for name, keep in kinds.items():
        head, sections, tail = shrink(name, keep)
        # The beginning of RAM, its block list, and one empty page are all of RAM here.
        setup = head[:head.index(b"\x7e", 40) + 5]
        number = setup[-4:]
        block = setup[setup.index(b"\3ram") + 20:]
        page = struct.pack(">Q", 2) + block[:1 + block[0]] + b"\0"
        ram = b"\2" + number + page + struct.pack(">Q", 0x10) + b"\x7e" + number
        ram = ram + b"\3" + number + struct.pack(">Q", 0x10) + b"\x7e" + number
        short = head[:8]
        for kind, data in ((0, head[:400]), (0, setup + ram + sections + tail), (1, sections + tail),
                           (1, sections + b"\0"), (2, short + sections + b"\0")):
            if data and len(data) <= 4 * MOST:
                (corpus / f"{name}-{kind}-{len(data)}").write_bytes(bytes([kind]) + data)
    for name in ("pc-mapped-10.0", "pc-shared-10.0", "q35-devices-10.0", "pc-postcopy-10.0", "virt-xbzrle-10.0"):
        data = lzma.open(STREAMS / f"{name}.stream.xz").read()
        (corpus / f"{name}-0-head").write_bytes(b"\0" + data[:600])


if __name__ == "__main__":
    main()
