// Bare-metal guest for the labs with mixed architectures: says each second what its RTC and its counter read, and
// sleeps in between. No operating system, so nothing but QEMU's devices can be wrong about the time.
//
// Addresses are those of QEMU's `virt` boards (docs/system/arm/virt.rst and riscv/virt.rst of QEMU name the devices). A mainframe has none:
// instructions of its own do what devices do elsewhere.

#include <stdint.h>

#if !defined(__s390x__)
static uint32_t read32(uintptr_t address) {
    return *(volatile uint32_t *)address;
}
#endif

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

// 16550. QEMU's takes no more when whoever listens to it does not, and what is written then takes the place of what was.
static void put(char character) {
    while ((*(volatile uint8_t *)0x10000005 & 0x20) == 0) continue;
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

#elif defined(__s390x__)

#define BOARD "s390x"

// What a service call is about: one event of type 0x1a, text for the console, of one character.
static volatile struct {
    uint16_t length;
    uint8_t function, control[3];
    uint16_t response, event_length;
    uint8_t event_type, event_flags;
    uint16_t reserved;
    char text;
} __attribute__((packed)) call __attribute__((aligned(8)));

static void put(char character) {
    static const uint64_t write_event_data = 0x00760005;
    call.length = sizeof call;
    call.event_length = 7;
    call.event_type = 0x1a;
    call.event_flags = 0;
    call.text = character;
    __asm__ volatile(".insn rre, 0xb2200000, %0, %1" : : "d"(write_event_data), "a"(&call) : "cc", "memory");
}

// The time of day since 1900: a microsecond is 4096 of it.
static uint64_t time_of_day(void) {
    uint64_t value;
    __asm__ volatile("stck %0" : "=Q"(value) : : "cc");
    return value;
}

static uint64_t rtc_ns(void) {
    return ((time_of_day() - 0x7d91048bca000000) >> 9) * 125;
}

static uint64_t power_on;

// The same clock: a policy that changes it changes both.
static uint64_t counter(void) {
    return time_of_day() - power_on;
}

static uint64_t counter_hz(void) {
    return 4096000000;
}

// Where an interruption from outside goes on, and how: 64-bit addresses, and nothing may interrupt.
static volatile uint64_t *const outside_mask = (uint64_t *)0x1b0;
static const uint64_t wide = 0x0000000180000000;

static void set_up(void) {
    // Of what comes from outside the clock comparator alone may interrupt.
    static const uint64_t clock_comparator = 0x800;
    *outside_mask = wide;
    __asm__ volatile("lctlg %%c0, %%c0, %0" : : "Q"(clock_comparator));
    power_on = time_of_day();
}

static void sleep_until(uint64_t time) {
    // Waits, and what is from outside may interrupt.
    static const uint64_t waiting[2] __attribute__((aligned(8))) = { wide | 0x0102000000000000, 0 };
    uint64_t due = time + power_on;
    __asm__ volatile(
        "sckc %0\n"
        "larl %%r1, 1f\n"
        "stg %%r1, 0x1b8\n"
        "lpswe %1\n"
        "1:"
        : : "Q"(due), "Q"(waiting) : "r1", "cc", "memory");
}

__asm__(
    ".section .start, \"ax\"\n"
    ".global _start\n"
    "_start: larl %r15, stack_top\n"
    // Room that a function may expect of its caller.
    "aghi %r15, -160\n"
    "brasl %r14, main\n");

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
