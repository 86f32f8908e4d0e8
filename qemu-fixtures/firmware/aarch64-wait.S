    .globl _start
_start:
1:  wfi
    b 1b
