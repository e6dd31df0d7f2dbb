"""The text of a PTX kernel taken apart: parameters, registers, memory, labels, instructions."""

import re
from dataclasses import dataclass

from .types import DTYPES, PTXError

_PARAMETER = re.compile(
    r"\.param\s+(?:\.align\s+\d+\s+)?\.(\w+)(?:\s+\.ptr(?:\s+\.\w+)?(?:\s+\.align\s+\d+)?)?\s+([\w$]+)"
)
_SHARED = re.compile(r"\.shared\s+(?:\.align\s+(\d+)\s+)?\.(\w+)\s+([\w$]+)(?:\[(\d*)\])?\s*;")
_LOCAL = re.compile(r"\.local\s+\.align\s+(\d+)\s+\.(\w+)\s+([\w$]+)\[(\d+)\]\s*;")
_REGISTERS = re.compile(r"\.reg\s+\.(\w+)\s+([^;]+);")
_RANGE = re.compile(r"(%?[\w$]+)<(\d+)>")
_LABEL = re.compile(r"\s*([$\w]+)\s*:(?!:)")
_GUARD = re.compile(r"@(!?)(%?[\w$]+)\s+(.*)")


@dataclass(frozen=True)
class Instruction:
    """opcode.modifiers operands, executed where the guard register is true (or, negated, false)."""

    opcode: str
    modifiers: tuple[str, ...]
    operands: tuple[str, ...]
    guard: str | None
    negated: bool
    text: str

    @property
    def dtype(self):
        """The type the instruction works in: the last one of its modifiers."""
        return next((DTYPES[m] for m in reversed(self.modifiers) if m in DTYPES), None)

    def one_of(self, *names, default=None):
        return next((m for m in self.modifiers if m in names), default)


class Program:
    """One kernel (`.entry`) of a PTX module."""

    def __init__(self, ptx):
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", ptx, flags=re.S)
        head = re.search(r"\.entry\s+([\w$]+)\s*\((.*?)\)([^{]*)\{", text, re.S)
        if head is None:
            raise PTXError("the module has no kernel")
        self.name = head.group(1)
        self.parameters = [(DTYPES[kind], name) for kind, name in _PARAMETER.findall(head.group(2))]
        body = text[head.end() : _closing(text, head.end())]
        self.shared, self.shared_bytes = _layout(_SHARED, text)
        self.local, self.local_bytes = _layout(_LOCAL, body)
        self.registers = dict(_registers(body))
        self.labels, self.instructions = _instructions(body)


def _closing(text, start):
    """The place of the brace that closes a body which opened just before `start`."""
    depth = 1
    for match in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if match.group() == "{" else -1
        if not depth:
            return match.start()
    raise PTXError("a body without end")


def _layout(pattern, text):
    """({name: byte offset}, bytes) of the arrays that the pattern finds."""
    offsets, size = {}, 0
    for alignment, kind, name, count in pattern.findall(text):
        step = int(alignment or 1)
        size = -(-size // step) * step
        offsets[name] = size
        size += int(count or 1) * DTYPES[kind].itemsize
    return offsets, size


def _registers(body):
    for kind, declared in _REGISTERS.findall(body):
        for part in declared.split(","):
            numbered = _RANGE.match(part.strip())
            if numbered:
                for i in range(int(numbered.group(2))):
                    yield f"{numbered.group(1)}{i}", DTYPES[kind]
            else:
                yield part.strip(), DTYPES[kind]


def _instructions(body):
    body = re.sub(r"(?m)^\s*\.(reg|shared|local|pragma|loc|file)\b[^;\n]*;?", "", body)
    body = re.sub(r"(?m)^\s*[{}]\s*$", "", body)  # scopes, as inline assembly opens them
    labels, instructions, place = {}, [], 0
    while body[place:].strip():
        label = _LABEL.match(body, place)
        if label:
            labels[label.group(1)] = len(instructions)
            place = label.end()
            continue
        end = body.index(";", place)
        text = " ".join(body[place:end].split())
        place = end + 1
        if text:
            instructions.append(_instruction(text))
    return labels, instructions


def _instruction(text):
    guard = _GUARD.match(text)
    bare = guard.group(3) if guard else text
    head, _, tail = bare.partition(" ")
    opcode, *modifiers = head.split(".")
    return Instruction(
        opcode,
        tuple(modifiers),
        tuple(split(tail)),
        guard.group(2) if guard else None,
        bool(guard and guard.group(1)),
        text,
    )


def split(operands):
    """The operands between commas, those inside brackets and braces left whole."""
    parts, depth, current = [], 0, ""
    for character in operands:
        depth += (character in "{[(") - (character in "}])")
        if character == "," and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    return [*parts, current.strip()] if current.strip() else parts
