# Machine mode: a tick every 10 ms by mtimecmp, counted at 0x80001000; sleeps in between.
    .equ MTIMECMP, 0x2004000
    .equ MTIME, 0x200bff8
    .equ TICK, 100000           # of 10 MHz
    .globl _start
_start:
    la t0, trap
    csrw mtvec, t0
    call arm
    li t0, 0x80                 # MTIE
    csrw mie, t0
    csrsi mstatus, 8            # MIE
1:  wfi
    j 1b
arm:
    li t0, MTIME
    ld t1, 0(t0)
    li t2, TICK
    add t1, t1, t2
    li t0, MTIMECMP
    sd t1, 0(t0)
    ret
    .balign 4
trap:
    li t0, 0x80001000
    ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    call arm
    mret
