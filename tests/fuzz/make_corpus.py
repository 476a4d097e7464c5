#!/usr/bin/env python3
"""Writes the committed corpora of the control and data targets, by docs/wire.md rather than by the
code under test. Run it again after the format has changed: tests/fuzz/make_corpus.py"""

import os
import random
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as out:
        out.write(data)


def frame(kind, body):
    return struct.pack(">BH", kind, len(body)) + body


def report(paths, streams, detailed=lambda i: i % 2 == 0, extra=b""):
    body = struct.pack(">BB", paths, streams)
    for i in range(paths):
        rest = struct.pack(">IIIH", 70000 + i, 65000, 4000000000, 120)
        if detailed(i):
            rest += struct.pack(">IIIIHHHH", 12, 350, 20000, 25000, 40, 7, 15, 3) + extra
        body += struct.pack(">BB", i % 4 << 4 | i % 16, len(rest)) + rest
    for i in range(streams):
        rest = struct.pack(">II", (1 << 31) + i, 1 << 30) + extra
        body += struct.pack(">BB", i % 16, len(rest)) + rest
    return frame(3, body)


def control():
    token = bytes(range(8))
    good = {
        "padding": frame(0, bytes(40)),
        "probe": frame(1, b"\x03\x01" + token + b"\x02\x11" + struct.pack(">I", 7)),
        "probe_reply": frame(2, b"\x03\x0f" + token + struct.pack(">I", 1250)),
        "report_empty": report(0, 0),
        "report": report(3, 2),
        "report_full": report(16, 16, lambda i: True),
        "report_short": report(16, 1, lambda i: False),
        "report_later": report(3, 2, extra=b"later"),
        "challenge": frame(4, token),
        "challenge_reply": frame(5, token + b"\x02"),
        "path_state": frame(6, b"\x01\x03\x02" + struct.pack(">I", 1)),
        "mtu_probe": frame(7, struct.pack(">BH", 3, 35 + 11 + 1426) + token + bytes(1426)),
        "mtu_probe_least": frame(7, struct.pack(">BH", 15, 35 + 11) + token),
        "mtu_reply": frame(9, struct.pack(">BH", 3, 1472) + token),
        "close": frame(8, b"\x00"),
        "observed_ipv4": frame(10, b"\x04\xc0\x00\x02\x09" + struct.pack(">H", 8420)),
        "observed_ipv6": frame(10, b"\x06" + bytes(range(16)) + struct.pack(">H", 8420)),
        "load": frame(11, struct.pack(">IIHIH", 0xdecafbad, 20000, 1500, 1 << 20, 1232)),
        "load_done": frame(12, struct.pack(">IBIIIH", 0xdecafbad, 0, 300, 369600, 147000, 1472)),
        "load_data": frame(13, struct.pack(">IBII", 0xdecafbad, 1, 7, 4000000000)) + frame(0, bytes(900)),
        "load_result": frame(14, struct.pack(">IIIIIIIIH", 0xdecafbad, 290, 280, 344960, 150000,
                                             900, 40000, 50000, 1392)),
        "unknown": frame(200, b"later version"),
    }
    for name, data in good.items():
        write("control", name, data)
    write("control", "all", b"".join(good.values()))
    write("control", "bad_length", frame(1, b"\x03\x01" + token))
    write("control", "bad_path", frame(6, b"\x10\x03" + bytes(5)))
    write("control", "bad_state", frame(6, b"\x01\x04" + bytes(5)))
    write("control", "bad_link", frame(1, b"\x03\x01" + token + b"\x10" + bytes(5)))
    write("control", "bad_use", frame(6, b"\x01\x03\x03" + bytes(4)))
    write("control", "bad_use_bit", frame(1, b"\x03\x01" + token + b"\x00\x20" + bytes(4)))
    write("control", "bad_end", frame(8, b"\x00") + b"\x01\x00")
    write("control", "bad_beyond", struct.pack(">BH", 4, 9) + token)
    write("control", "bad_mtu_size", frame(7, struct.pack(">BH", 3, 1000) + token + bytes(100)))
    write("control", "bad_mtu_zeros", frame(7, struct.pack(">BH", 3, 35 + 11 + 4) + token + b"\x00\x00\x01\x00"))
    write("control", "bad_mtu_path", frame(9, struct.pack(">BH", 16, 1472) + token))
    write("control", "bad_mtu_length", frame(9, struct.pack(">BH", 3, 1472) + token + b"\x00"))
    write("control", "bad_observed_family", frame(10, b"\x05\xc0\x00\x02\x09\x20\xe4"))
    write("control", "bad_observed_length", frame(10, b"\x06\xc0\x00\x02\x09\x20\xe4"))
    write("control", "bad_observed_empty", frame(10, b""))
    write("control", "bad_load_length", frame(11, bytes(15)))
    write("control", "bad_load_reason", frame(12, struct.pack(">IBIIIH", 1, 6, 0, 0, 0, 0)))
    write("control", "bad_report_count", report(17, 0))
    write("control", "bad_report_short", report(2, 1)[:-1])
    write("control", "bad_report_entry", frame(3, b"\x01\x00\x01\x0d" + bytes(13)))
    write("control", "bad_report_beyond", frame(3, b"\x01\x00\x01\x0f" + bytes(14)))
    write("control", "bad_report_behind", frame(3, b"\x00\x00\x00"))


def data():
    rng = random.Random(2011)

    def datagram(kind, stream, counter, body):
        return b"\x00" + struct.pack(">B", kind << 4 | stream) + b"\x00\x00\x07" + \
            struct.pack(">I", counter) + rng.randbytes(8) + body

    write("data", "stranger_new", datagram(4, 1, 5, rng.randbytes(40)))
    write("data", "stranger_duplicate", datagram(4, 1, 0, rng.randbytes(40)))
    write("data", "stranger_other_stream", datagram(4, 2, 0, rng.randbytes(16)))
    write("data", "stranger_framed", datagram(5, 7, 1, rng.randbytes(17)))
    write("data", "stranger_short", datagram(4, 0, 0, rng.randbytes(15)))
    write("data", "stranger_bad_stream", datagram(4, 8, 0, rng.randbytes(40)))
    write("data", "stranger_initiation", b"\x00\x10" + rng.randbytes(143))

    # Steps of the script: see fuzz_data.c. Below 128: seal on stream (byte % 16) into slot; from 128
    # on: deliver the slot, damaged where bit 6 is set.
    def script(name, steps):
        write("data", name, b"\x01" + b"".join(bytes(s) for s in steps))

    script("script_in_order", [s for i in range(40) for s in ((1, i, 0, 1), (128, i, 0, 0))])
    script("script_reversed", [(1, i, 0, 1) for i in range(60)] +
           [(128, i, 0, 0) for i in reversed(range(60))])
    script("script_twice", [(3, 0, 0, 5), (128, 0, 0, 0), (128, 0, 0, 0)])
    script("script_damaged", [(3, 0, 0, 5), (192, 0, 9, 0), (128, 0, 0, 0)])
    script("script_jumps", [(16 + 1, i, 40, 1) for i in range(30)] +
           [(128, i, 0, 0) for i in reversed(range(30))])
    script("script_late", [(2, 0, 0, 1), (2, 1, 0, 1), (128, 1, 0, 0)] +
           [(130, 9, 0, 255)] * 3 + [(2, 2, 0, 250), (128, 2, 0, 250), (128, 0, 0, 0)])
    script("script_grow", [(5, i % 64, 3, 1) for i in range(64)] +
           [(128, i, 0, 0) for i in range(63, -1, -3)] + [(128, i, 0, 0) for i in range(64)])
    script("script_far", [(31, 0, 255, 1), (128, 0, 0, 0), (31, 1, 1, 1), (128, 1, 0, 0)])


control()
data()
