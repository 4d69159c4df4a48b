"""Just enough protobuf (proto3) to speak to the server without its code."""


class Malformed(Exception):
    """The bytes are not a protobuf message."""


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One field; default values (0, False, empty) are left out."""
    if not value:
        return b""
    if isinstance(value, int):
        return varint(number << 3) + varint(int(value))
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def encode(*fields):
    """encode((1, "text"), (2, 7)): a message of these fields, in order."""
    return b"".join(field(number, value) for number, value in fields)


def _read_varint(data, at):
    result = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Malformed("varint")
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return result, at


def decode(data):
    """{field number: last value}; ints for varints, bytes for the rest."""
    fields = {}
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = _read_varint(data, at)
        else:
            if wire_type == 2:
                size, at = _read_varint(data, at)
            elif wire_type in (1, 5):
                size = 8 if wire_type == 1 else 4
            else:
                raise Malformed(f"wire type {wire_type}")
            if at + size > len(data):
                raise Malformed("truncated")
            value, at = data[at:at + size], at + size
        fields[number] = value
    return fields


def text(fields, number):
    return fields.get(number, b"").decode("utf-8", "surrogateescape")


def signed32(fields, number):
    value = fields.get(number, 0) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value
