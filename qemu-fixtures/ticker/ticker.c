// Bare-metal guest for the labs with mixed architectures: says each second what its RTC and its counter read, and
// sleeps in between. No operating system, so nothing but QEMU's devices can be wrong about the time.
//
// Addresses are those of QEMU's `virt` boards (docs/system/arm/virt.rst and riscv/virt.rst of QEMU name the devices).

#include <stdint.h>

static uint32_t read32(uintptr_t address) {
    return *(volatile uint32_t *)address;
}

#if defined(__aarch64__)

#define BOARD "arm"

static void write32(uintptr_t address, uint32_t value) {
    *(volatile uint32_t *)address = value;
}

// PL011; QEMU's accepts characters without being set up.
static void put(char character) {
    write32(0x09000000, (uint8_t)character);
}

// PL031: whole seconds.
static uint64_t rtc_ns(void) {
    return (uint64_t)read32(0x09010000) * 1000000000;
}

static uint64_t counter(void) {
    uint64_t value;
    __asm__ volatile("isb\n mrs %0, cntvct_el0" : "=r"(value));
    return value;
}

static uint64_t counter_hz(void) {
    uint64_t value;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(value));
    return value;
}

static void set_up(void) {
    // The virtual timer is private interrupt 27 of the GICv2. It is let through as far as the processor, where it stays
    // masked: that is enough to end a `wfi`.
    write32(0x08000000, 1);
    write32(0x08000100, 1u << 27);
    write32(0x08010004, 0xff);
    write32(0x08010000, 1);
}

static void sleep_until(uint64_t time) {
    __asm__ volatile("msr cntv_cval_el0, %0\n msr cntv_ctl_el0, %1\n isb\n wfi" : : "r"(time), "r"((uint64_t)1));
}

__asm__(
    ".section .start, \"ax\"\n"
    ".global _start\n"
    "_start: ldr x0, =stack_top\n"
    "mov sp, x0\n"
    "bl main\n");

#elif defined(__riscv)

#define BOARD "riscv"

// 16550; ready at once in QEMU.
static void put(char character) {
    *(volatile uint8_t *)0x10000000 = (uint8_t)character;
}

// Goldfish: nanoseconds; reading the low half holds the high one.
static uint64_t rtc_ns(void) {
    uint32_t low = read32(0x101000);
    return (uint64_t)read32(0x101004) << 32 | low;
}

static uint64_t counter(void) {
    return *(volatile uint64_t *)0x0200bff8;
}

static uint64_t counter_hz(void) {
    return 10000000;
}

static void set_up(void) {
    // The timer may wake the processor, and stays masked otherwise.
    __asm__ volatile("csrw mie, %0" : : "r"(1ul << 7));
}

static void sleep_until(uint64_t time) {
    *(volatile uint64_t *)0x02004000 = time;
    __asm__ volatile("wfi");
}

__asm__(
    ".section .start, \"ax\"\n"
    ".global _start\n"
    "_start: la sp, stack_top\n"
    "call main\n");

#endif

static void put_text(const char *text) {
    while (*text != 0) put(*text++);
}

static void put_number(uint64_t number) {
    char digits[21];
    int index = sizeof digits - 1;
    digits[index] = 0;
    do {
        digits[--index] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put_text(digits + index);
}

void main(void) {
    set_up();
    uint64_t second = counter_hz(), next = counter();
    for (uint64_t tick = 1;; tick++) {
        next += second;
        // Other things wake a processor too; the time decides.
        while (counter() < next) sleep_until(next);
        uint64_t now = counter();
        put_text("{\"event\":\"tick\",\"board\":\"" BOARD "\",\"tick\":");
        put_number(tick);
        put_text(",\"rtcNs\":");
        put_number(rtc_ns());
        put_text(",\"counterNs\":");
        put_number(now / second * 1000000000 + now % second * 1000000000 / second);
        put_text("}\n");
    }
}
