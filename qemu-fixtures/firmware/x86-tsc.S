# Writes the time-stamp counter to 0000:7000 for ever: low, high.
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
1:  rdtsc
    movl %eax, 0x7000
    movl %edx, 0x7004
    pause
    jmp 1b
