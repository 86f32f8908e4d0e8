// The only program of the Linux guest: one TCP connection (or serial line) that carries numbered lines, and clocks read
// on request.
//
// It is C, and not a shell script, because a shell would start processes for every line (too slow for two emulated
// guests on a small host) and would read RTC, wall clock and uptime milliseconds apart. Every record is one line of
// JSON, written by one system call, so that a kernel message cannot land inside it. See README.md for the records.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/rtc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 7000, BLOCK = 4096, DISKS = 2 };
static const int64_t SECOND = 1000000000, MILLISECOND = 1000000;

enum role { IDLE, SERVER, CLIENT };

struct line_buffer {
    char bytes[1024];
    size_t used;
};

static struct {
    enum role role;
    struct sockaddr_in peer;
    char line_device[32];      // a serial line to the other guest instead of TCP; empty: TCP
    int console, rtc;
    int disks[DISKS];          // the first that is not there is -1
    int listener, connecting, connection;

    int64_t sequence;          // of the last line sent or received
    int64_t lines, gaps;
    int64_t connections;       // how many were ever opened: stays 1
    bool closed;               // a connection that was open has ended
    int64_t peer_wall_ns;      // the server's clock in the last line
    int64_t longest_interval_ns;   // between two lines, by the guest's own monotonic clock
    int64_t last_line_ns;
    int64_t every;             // a record for each so many lines, 0: none
    int64_t interval_ns;       // of the server's lines
    int64_t next_line_ns, next_attempt_ns, next_block_ns;
    int64_t block_sequence;    // what this guest last wrote to its disks, -1: nothing

    size_t fill;               // bytes of memory that are filled with noise before anything else, and kept

    struct line_buffer from_console, from_peer;
    char to_peer[128];
    size_t to_peer_length, to_peer_sent;
} lab = { .console = -1, .rtc = -1, .disks = { -1, -1 }, .listener = -1, .connecting = -1, .connection = -1, .every = 20,
          .interval_ns = 50 * MILLISECOND, .block_sequence = -1 };

static const char *role_name(void) {
    return lab.role == SERVER ? "server" : lab.role == CLIENT ? "client" : "idle";
}

static int64_t now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * SECOND + time.tv_nsec;
}

// The RTC chip itself, not what the kernel made of it at boot. Whole seconds; -1 if there is none.
static int64_t rtc_ns(void) {
    struct rtc_time read;
    if (lab.rtc < 0 || ioctl(lab.rtc, RTC_RD_TIME, &read) < 0) return -1;
    struct tm broken = { .tm_sec = read.tm_sec, .tm_min = read.tm_min, .tm_hour = read.tm_hour,
                         .tm_mday = read.tm_mday, .tm_mon = read.tm_mon, .tm_year = read.tm_year };
    return (int64_t)timegm(&broken) * SECOND;
}

// Retransmitted segments over the life of the connection; -1 without a connection.
static int64_t retransmits(void) {
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (lab.connection < 0 || getsockopt(lab.connection, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return -1;
    return info.tcpi_total_retrans;
}

// One record on the console: what every record has, then `extra` fields, each with its leading comma.
__attribute__((format(printf, 3, 4)))
static void record(const char *event, const char *tag, const char *extra, ...) {
    // The RTC first: it may have to wait for an update of the chip; the two others then belong to the same microsecond.
    int64_t rtc = rtc_ns(), wall = now(CLOCK_REALTIME), uptime = now(CLOCK_BOOTTIME);
    char text[1024];
    int length = snprintf(text, sizeof text - 256,
        "{\"event\":\"%s\",\"tag\":\"%s\",\"role\":\"%s\",\"sequence\":%" PRId64 ",\"lines\":%" PRId64
        ",\"gaps\":%" PRId64 ",\"connections\":%" PRId64 ",\"closed\":%s,\"rtcNs\":%" PRId64 ",\"wallNs\":%" PRId64
        ",\"uptimeNs\":%" PRId64 ",\"peerWallNs\":%" PRId64 ",\"longestIntervalNs\":%" PRId64
        ",\"retransmits\":%" PRId64,
        event, tag, role_name(), lab.sequence, lab.lines, lab.gaps, lab.connections, lab.closed ? "true" : "false",
        rtc, wall, uptime, lab.peer_wall_ns, lab.longest_interval_ns, retransmits());
    va_list arguments;
    va_start(arguments, extra);
    length += vsnprintf(text + length, 240, extra, arguments);
    va_end(arguments);
    length += snprintf(text + length, 4, "}\n");
    if (write(lab.console, text, (size_t)length) < 0) return;
}

// MARK: - Disks

static bool has_disk(void) { return lab.disks[0] >= 0; }

static int disk_count(void) {
    int count = 0;
    while (count < DISKS && lab.disks[count] >= 0) count++;
    return count;
}

// A block that says which line this guest had reached: RAM and all disks of a checkpoint must agree on it.
static void write_block(void) {
    static char block[BLOCK] __attribute__((aligned(BLOCK)));
    memset(block, 0, sizeof block);
    snprintf(block, sizeof block, "fermata %s %" PRId64 "\n", role_name(), lab.sequence);
    for (int i = 0; i < disk_count(); i++) {
        if (pwrite(lab.disks[i], block, sizeof block, 0) != sizeof block) return;
    }
    if (has_disk()) lab.block_sequence = lab.sequence;
}

static int64_t read_block(int disk) {
    static char block[BLOCK] __attribute__((aligned(BLOCK)));
    int64_t sequence;
    if (pread(disk, block, sizeof block, 0) != sizeof block) return -1;
    block[BLOCK - 1] = 0;
    return sscanf(block, "fermata %*s %" SCNd64, &sequence) == 1 ? sequence : -1;
}

// -1: nothing, or not the same on all.
static int64_t read_blocks(void) {
    if (!has_disk()) return -1;
    int64_t first = read_block(lab.disks[0]);
    for (int i = 1; i < disk_count(); i++) {
        if (read_block(lab.disks[i]) != first) return -1;
    }
    return first;
}

// MARK: - Commands from the console

// Waits for the RTC to tick, so that its phase below a second can be compared: takes up to a second.
static void record_edge(const char *tag) {
    int64_t start = rtc_ns(), read = start, before = 0, deadline = now(CLOCK_MONOTONIC) + 2 * SECOND;
    while (read == start && now(CLOCK_MONOTONIC) < deadline) {
        struct timespec pause = { .tv_nsec = MILLISECOND };
        before = now(CLOCK_REALTIME);
        nanosleep(&pause, NULL);
        read = rtc_ns();
    }
    int64_t after = now(CLOCK_REALTIME);
    record("edge", tag, ",\"edgeRtcNs\":%" PRId64 ",\"edgeAfterWallNs\":%" PRId64 ",\"edgeBeforeWallNs\":%" PRId64,
           read == start ? -1 : read, before, after);
}

static void obey(char *command) {
    char verb[16] = "", argument[32] = "";
    sscanf(command, "%15s %31[A-Za-z0-9_.-]", verb, argument);
    if (!strcmp(verb, "clocks")) {
        record("clocks", argument, "%s", "");
    } else if (!strcmp(verb, "edge")) {
        record_edge(argument);
    } else if (!strcmp(verb, "disk")) {
        record("disk", argument, ",\"disks\":%d,\"written\":%" PRId64 ",\"read\":%" PRId64, disk_count(), lab.block_sequence,
               read_blocks());
    } else if (!strcmp(verb, "every")) {
        lab.every = strtoll(argument, NULL, 10);
    } else if (!strcmp(verb, "poweroff")) {
        sync();
        reboot(RB_POWER_OFF);
    } else if (verb[0] != 0) {
        record("unknown", "", "%s", "");
    }
}

// MARK: - The connection

static void end_connection(const char *why) {
    close(lab.connection);
    lab.connection = -1;
    lab.closed = true;
    record("closed", "", ",\"reason\":\"%s\"", why);
}

static void count_connection(void) {
    lab.connections++;
    lab.next_line_ns = now(CLOCK_MONOTONIC);
    record("connected", "", "%s", "");
}

static void begin_connection(int connection) {
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection, F_SETFL, O_NONBLOCK);
    lab.connection = connection;
    count_connection();
}

static int open_line(const char *device, int flags) {
    int line = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC | flags);
    struct termios settings;
    if (tcgetattr(line, &settings) < 0) return line;
    // Raw: no echo, and no carriage returns in what is sent.
    cfmakeraw(&settings);
    cfsetspeed(&settings, B115200);
    tcsetattr(line, TCSANOW, &settings);
    return line;
}

static void listen_for_client(void) {
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    int on = 1;
    lab.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(lab.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(lab.listener, (struct sockaddr *)&any, sizeof any) < 0 || listen(lab.listener, 4) < 0)
        record("failed", "", ",\"reason\":\"%s\"", strerror(errno));
}

static void accept_client(void) {
    int connection = accept(lab.listener, NULL, NULL);
    if (connection < 0) return;
    if (lab.connections == 0) {
        begin_connection(connection);
    } else {
        // A second connection means that the first was lost: counted for all to see, and not served.
        close(connection);
        count_connection();
    }
}

// Only until it worked once: a client that reconnected would hide a session that was lost.
static void try_to_connect(void) {
    lab.next_attempt_ns = now(CLOCK_MONOTONIC) + 250 * MILLISECOND;
    if (lab.line_device[0] != 0) {
        // A serial line is always there, so the client says when it listens. Said again until lines come: a port throws
        // away what arrived before it was opened.
        if (write(lab.connection, "start\n", 6) < 0) return;
        return;
    }
    lab.connecting = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(lab.connecting, (struct sockaddr *)&lab.peer, sizeof lab.peer) == 0 || errno == EINPROGRESS) return;
    close(lab.connecting);
    lab.connecting = -1;
}

// An attempt has an outcome. It is never given up before: the server could have accepted what the client dropped.
static void finish_connecting(void) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(lab.connecting, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
        begin_connection(lab.connecting);
    } else {
        close(lab.connecting);
    }
    lab.connecting = -1;
    lab.next_attempt_ns = now(CLOCK_MONOTONIC) + 250 * MILLISECOND;
}

static void count_line(int64_t sequence) {
    int64_t time = now(CLOCK_MONOTONIC);
    if (lab.last_line_ns != 0 && time - lab.last_line_ns > lab.longest_interval_ns)
        lab.longest_interval_ns = time - lab.last_line_ns;
    lab.last_line_ns = time;
    if (sequence != lab.sequence + 1) lab.gaps++;
    lab.sequence = sequence;
    lab.lines++;
    if (lab.every > 0 && lab.lines % lab.every == 0) record("lines", "", "%s", "");
}

static void send_line(void) {
    if (lab.to_peer_sent == lab.to_peer_length) {
        int64_t time = now(CLOCK_MONOTONIC);
        if (time < lab.next_line_ns) return;
        lab.next_line_ns += lab.interval_ns;
        if (lab.next_line_ns < time) lab.next_line_ns = time;
        lab.to_peer_length = (size_t)snprintf(lab.to_peer, sizeof lab.to_peer, "line %06" PRId64 " %" PRId64 " %" PRId64 "\n",
            lab.sequence + 1, now(CLOCK_REALTIME), now(CLOCK_BOOTTIME));
        lab.to_peer_sent = 0;
        count_line(lab.sequence + 1);
    }
    ssize_t sent = write(lab.connection, lab.to_peer + lab.to_peer_sent, lab.to_peer_length - lab.to_peer_sent);
    if (sent > 0) {
        lab.to_peer_sent += (size_t)sent;
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        end_connection(strerror(errno));
    }
}

static void take_peer_line(char *line) {
    int64_t sequence, wall, uptime;
    if (lab.role == SERVER) {
        if (lab.connections == 0 && !strcmp(line, "start")) count_connection();
        return;
    }
    // Between opening its port and making it raw, the server's kernel echoes every "start" that waited there, and the first line may
    // follow the last echo without a line feed between.
    if (lab.connections == 0) line = strstr(line, "line ");
    if (line == NULL || line[0] == 0) return;
    bool numbered = sscanf(line, "line %" SCNd64 " %" SCNd64 " %" SCNd64, &sequence, &wall, &uptime) == 3;
    if (lab.connections == 0) count_connection();
    if (!numbered) {
        lab.gaps++;
        return;
    }
    lab.peer_wall_ns = wall;
    count_line(sequence);
}

// MARK: - Input

// Reads what is there and hands on each complete line; false when the other side has ended, with errno 0 or the error.
static bool take_lines(int file, struct line_buffer *buffer, void (*take)(char *)) {
    ssize_t count = read(file, buffer->bytes + buffer->used, sizeof buffer->bytes - 1 - buffer->used);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) {
        errno = 0;
        return false;
    }
    buffer->used += (size_t)count;
    buffer->bytes[buffer->used] = 0;
    char *start = buffer->bytes, *end;
    while ((end = strpbrk(start, "\r\n")) != NULL) {
        *end = 0;
        take(start);
        start = end + 1;
    }
    buffer->used -= (size_t)(start - buffer->bytes);
    memmove(buffer->bytes, start, buffer->used);
    // No line of ours is that long: noise on the serial line, dropped.
    if (buffer->used == sizeof buffer->bytes - 1) buffer->used = 0;
    return true;
}

// MARK: - Start

static void parse(int count, char **arguments) {
    for (int index = 1; index < count; index++) {
        char *value = strchr(arguments[index], '=');
        if (value == NULL) continue;
        *value++ = 0;
        if (!strcmp(arguments[index], "role")) {
            lab.role = !strcmp(value, "server") ? SERVER : !strcmp(value, "client") ? CLIENT : IDLE;
        } else if (!strcmp(arguments[index], "peer")) {
            lab.peer.sin_family = AF_INET;
            lab.peer.sin_port = htons(PORT);
            inet_pton(AF_INET, value, &lab.peer.sin_addr);
        } else if (!strcmp(arguments[index], "line")) {
            snprintf(lab.line_device, sizeof lab.line_device, "/dev/%s", value);
        } else if (!strcmp(arguments[index], "every")) {
            lab.every = strtoll(value, NULL, 10);
        } else if (!strcmp(arguments[index], "interval")) {
            lab.interval_ns = strtoll(value, NULL, 10) * MILLISECOND;
        } else if (!strcmp(arguments[index], "fill")) {
            lab.fill = (size_t)strtoull(value, NULL, 10) << 20;
        }
    }
    if (lab.interval_ns < MILLISECOND) lab.interval_ns = MILLISECOND;
}

// RAM that no compression and no search for zeros makes less of. Volatile, since nobody ever reads it.
static void fill_memory(void) {
    volatile uint64_t *words = lab.fill == 0 ? NULL : malloc(lab.fill), noise = 88172645463325252u;
    for (size_t index = 0; words != NULL && index < lab.fill / sizeof *words; index++) {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        words[index] = noise;
    }
}

static bool is_due_to_connect(void) {
    return lab.role == CLIENT && lab.connections == 0 && lab.connecting < 0;
}

// How long the loop may sleep: until the next thing that is due, or for ever.
static int timeout_ms(void) {
    int64_t due = INT64_MAX;
    if (lab.role == SERVER && lab.connection >= 0 && lab.connections > 0 && lab.next_line_ns < due) due = lab.next_line_ns;
    if (is_due_to_connect() && lab.next_attempt_ns < due) due = lab.next_attempt_ns;
    if (has_disk() && lab.next_block_ns < due) due = lab.next_block_ns;
    if (due == INT64_MAX) return -1;
    int64_t wait = due - now(CLOCK_MONOTONIC);
    return wait <= 0 ? 0 : (int)((wait + MILLISECOND - 1) / MILLISECOND);
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    parse(count, arguments);
    fill_memory();
    lab.console = open_line("/dev/ttyS0", 0);
    lab.rtc = open("/dev/rtc0", O_RDONLY | O_CLOEXEC);
    static const char *const disks[DISKS] = { "/dev/vda", "/dev/vdb" };
    for (int i = 0; i < DISKS; i++) lab.disks[i] = open(disks[i], O_RDWR | O_DIRECT | O_CLOEXEC);
    if (lab.line_device[0] != 0) {
        lab.connection = open_line(lab.line_device, O_NONBLOCK);
    } else if (lab.role == SERVER) {
        listen_for_client();
    }
    record("ready", "", ",\"diskBefore\":%" PRId64, read_blocks());

    for (;;) {
        struct pollfd files[4] = {
            { .fd = lab.console, .events = POLLIN },
            { .fd = lab.listener, .events = POLLIN },
            { .fd = lab.connection, .events = POLLIN },
            { .fd = lab.connecting, .events = POLLOUT },
        };
        if (lab.to_peer_sent < lab.to_peer_length) files[2].events |= POLLOUT;
        poll(files, 4, timeout_ms());

        if (files[0].revents & POLLIN) take_lines(lab.console, &lab.from_console, obey);
        if (files[1].revents & POLLIN) accept_client();
        if (lab.connecting >= 0 && files[3].revents != 0) finish_connecting();
        if (lab.connection >= 0 && files[2].fd == lab.connection && (files[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0
            && !take_lines(lab.connection, &lab.from_peer, take_peer_line))
            end_connection(errno == 0 ? "ended by the peer" : strerror(errno));

        int64_t time = now(CLOCK_MONOTONIC);
        if (lab.role == SERVER && lab.connection >= 0 && lab.connections > 0) send_line();
        if (is_due_to_connect() && time >= lab.next_attempt_ns) try_to_connect();
        if (has_disk() && time >= lab.next_block_ns) {
            write_block();
            lab.next_block_ns = time + SECOND;
        }
    }
}
