# Sleeps for good, by the instruction of ARMv5/v6 (a coprocessor write) and by that of ARMv7.
    .arm
    .globl _start
_start:
1:  .inst 0xee070f90            // mcr p15, 0, r0, c7, c0, 4
    .inst 0xe320f003            // wfi
    b 1b
