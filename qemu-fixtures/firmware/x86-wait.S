# The 64 KiB below 1 MiB begin here, at F000:0000; the reset vector jumps here.
# Sleeps for good: the clocks are read from outside.
    .code16
    .globl _start
_start:
    cli
1:  hlt
    jmp 1b
