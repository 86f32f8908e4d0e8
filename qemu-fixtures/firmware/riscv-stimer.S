# Supervisor mode: a tick every 10 ms by stimecmp (extension Sstc), counted at 0x80001000; sleeps in between.
    .equ TICK, 100000           # of 10 MHz
    .equ STIMECMP, 0x14d
    .equ MENVCFG, 0x30a
    .globl _start
_start:
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f                 # all of memory, all rights
    csrw pmpcfg0, t0
    li t0, 1
    slli t0, t0, 63             # STCE
    csrs MENVCFG, t0
    li t0, 2                    # time
    csrs mcounteren, t0
    li t0, 0x20                 # STIP
    csrw mideleg, t0
    la t0, supervisor
    csrw mepc, t0
    li t0, 0x1800
    csrc mstatus, t0
    li t0, 0x800                # previous mode: supervisor
    csrs mstatus, t0
    mret
supervisor:
    la t0, trap
    csrw stvec, t0
    call arm
    li t0, 0x20                 # STIE
    csrw sie, t0
    csrsi sstatus, 2            # SIE
1:  wfi
    j 1b
arm:
    rdtime t1
    li t2, TICK
    add t1, t1, t2
    csrw STIMECMP, t1
    ret
    .balign 4
trap:
    li t0, 0x80001000
    ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    call arm
    sret
