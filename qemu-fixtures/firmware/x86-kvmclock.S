# Asks KVM for its clock page at 0x8000, then copies it for ever, each millisecond or so, with a TSC reading of the same moment:
# copy number n to 0x7000 if it is even, to 0x7040 if it is odd, the page's 32 bytes and the TSC's low and high word; then n to
# 0x7080. So there is always a whole copy, also when the machine stops in the middle of one.
    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x6000, %sp
    cld
    movl $0x4b564d01, %ecx      # MSR_KVM_SYSTEM_TIME_NEW
    movl $0x8001, %eax          # page, enabled
    xorl %edx, %edx
    wrmsr
    xorl %ebp, %ebp
next:
    incl %ebp
copy:
    movl 0x8000, %ebx           # odd while KVM writes it
    testl $1, %ebx
    jnz copy
    movw %bp, %di
    andw $1, %di
    shlw $6, %di
    addw $0x7000, %di
    movw $0x8000, %si
    movw $8, %cx
    rep movsl
    rdtsc
    movl %eax, (%di)
    movl %edx, 4(%di)
    cmpl %ebx, 0x8000           # changed meanwhile: once more
    jne copy
    movl %ebp, 0x7080
    movl %eax, %ebx
1:  rdtsc
    subl %ebx, %eax
    cmpl $2000000, %eax
    jb 1b
    jmp next
