#!/usr/bin/env python3
"""Writes the committed corpora of the frame and inner targets, by docs/wire.md and the RFCs rather
than by the code under test. Run it again after a format has changed: tests/fuzz/make_inner_corpus.py"""

import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as out:
        out.write(data)


# --- frame: records of length, session and stream, counter, time; then the plaintext -------------


def record(plain, counter, session=1, stream=1, passed=0):
    return bytes([len(plain), session << 4 | stream, counter & 255, passed]) + plain


def fragment(index, count, body, original=None):
    flags = 2 if original is None else 3
    head = bytes([flags, index << 4 | (count - 1)])
    return head + (b"" if original is None else struct.pack(">H", original)) + body


def compressed(block, original):
    return b"\x01" + struct.pack(">H", original) + block


def frame():
    # An LZ4 block: one literal, a match of 4 + 15 + 50 at distance 1, then five literals: 75 bytes.
    block = b"\x1fA\x01\x00\x32" + b"\x50ABCDE"
    full = [record(fragment(i, 16, b"%02d" % i), 100 + i) for i in range(16)]
    write("frame", "two", record(fragment(0, 2, b"one"), 5) + record(fragment(1, 2, b"two"), 6))
    write("frame", "sixteen", b"".join(full))
    write("frame", "sixteen_backwards", b"".join(reversed(full)))
    write("frame", "compressed", record(compressed(block, 75), 1))
    write("frame", "compressed_wrong_length", record(compressed(block, 74), 1))
    write("frame", "compressed_huge", record(compressed(block, 65535), 1))
    write("frame", "compressed_fragments",
          record(fragment(0, 2, block[:6], 75), 8) + record(fragment(1, 2, block[6:], 75), 9))
    write("frame", "duplicate", record(fragment(0, 2, b"one"), 5) * 3)
    write("frame", "conflict", record(fragment(0, 3, b"one"), 5) + record(fragment(1, 2, b"two"), 6) +
          record(fragment(1, 3, b"two", 90), 6))
    write("frame", "before_zero", record(fragment(3, 4, b"x"), 2))
    write("frame", "expiry", record(fragment(0, 2, b"one"), 5) + record(fragment(1, 2, b"two"), 6, passed=200))
    write("frame", "eviction", b"".join(record(fragment(0, 2, b"x"), 3 * i) for i in range(80)))
    write("frame", "sessions", b"".join(record(fragment(i % 2, 2, b"s"), 10 + i % 2, session=i // 2 % 3)
                                        for i in (0, 2, 4, 1, 3, 5)))
    write("frame", "large", record(fragment(15, 16, bytes(140)), 40) + record(fragment(1, 2, bytes(250)), 61))
    write("frame", "bad_flags", record(b"\x00abc", 1) + record(b"\x06\x01abc", 1) + record(b"\x82\x01a", 1))


# --- inner: flags, whole size, then the packet ------------------------------------------------------


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp(pseudo, options, flags=2):
    head = struct.pack(">HHIIBBHHH", 40000, 443, 1, 0, (20 + len(options)) // 4 << 4, flags, 64000, 0, 0)
    segment = head + options
    check = checksum(pseudo + struct.pack(">II", len(segment), 6) + segment)
    return segment[:16] + struct.pack(">H", check) + segment[18:]


def ipv4(payload, tos=0, proto=6, frag=0x4000, options=b""):
    addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    body = tcp(addresses, payload) if proto == 6 else payload
    head = struct.pack(">BBHHHBBH", 0x40 | 5 + len(options) // 4, tos, 20 + len(options) + len(body), 1, frag,
                       64, proto, 0) + addresses + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


def ipv6(options, tos=0, extensions=b"", first=6, flags=2):
    addresses = bytes([0x20, 1, 0x0D, 0xB8] + [0] * 11 + [1]) * 2
    body = extensions + tcp(addresses, options, flags)
    return struct.pack(">IHBB", 6 << 28 | tos << 20, len(body), first, 64) + addresses + body


def inner():
    mss = b"\x02\x04\x05\xb4"
    linux = b"\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07"
    ethernet = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2])

    def case(name, packet, layer2=False, ecn=0, whole=1360):
        write("inner", name, struct.pack(">BH", ecn << 1 | layer2, whole) + packet)

    case("ipv4_syn", ipv4(linux))
    case("ipv4_syn_odd", ipv4(b"\x01" + mss + b"\x01" * 3))
    case("ipv4_ip_options", ipv4(linux, options=b"\x94\x04\0\0"))
    case("ipv4_fragment", ipv4(mss, frag=1))
    case("ipv4_bad_option", ipv4(b"\x08\x00" + mss + b"\0\0"))
    case("ipv4_udp", ipv4(b"\0\x35\0\x35\0\x0c\0\0dns!", proto=17))
    case("ipv6_syn", ipv6(linux))
    case("ipv6_extensions", ipv6(linux, first=0, extensions=b"\x2b\0\x01\x04\0\0\0\0" b"\x2c\0\0\0\0\0\0\0"
                                 b"\x06\0\0\0\0\0\0\x07"))
    case("ipv6_authenticated", ipv6(linux, first=51, extensions=b"\x06\x01" + bytes(10)))
    case("ethernet", ethernet + b"\x08\0" + ipv4(linux), True)
    case("vlan", ethernet + b"\x81\0\0\x07\x86\xdd" + ipv6(linux), True)
    case("qinq", ethernet + b"\x88\xa8\0\x07\x81\0\0\x08\x08\0" + ipv4(linux), True)
    case("arp", ethernet + b"\x08\x06" + bytes(28), True)
    for ecn in range(4):
        for outer in range(4):
            case(f"ecn4_{ecn}{outer}", ipv4(b"udp payload", tos=0xB8 | ecn, proto=17), ecn=outer)
        case(f"ecn6_{ecn}3", ipv6(b"", tos=0xB8 | ecn, flags=16), ecn=3)


frame()
inner()
