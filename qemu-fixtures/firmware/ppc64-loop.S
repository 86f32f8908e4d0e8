# As firmware of a pseries machine: its processor begins at 0x100.
    .globl _start
_start:
    .org 0x100
1:  b 1b
