// Terminals: calls on them, one to a function.
//
// The kernel's own structure and not the C library's, which has speeds only by name.
#define _GNU_SOURCE
#include "CIPCTerminal.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RESULT(call)                                   \
    do {                                               \
        int result_ = (call);                          \
        return result_ < 0 ? -errno : result_;         \
    } while (0)

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

_Static_assert(
    sizeof(struct ipc_terminal_modes) == sizeof(struct termios2) && NCCS == 19, "our structure is the kernel's");

const struct ipc_terminal_bits ipc_terminal_bits = {
    .echo = ECHO, .canonical = ICANON, .signals = ISIG, .extended = IEXTEN,
    .keeps_input_on_signal = NOFLSH,
    .return_to_newline = ICRNL, .newline_to_return_in = INLCR, .ignore_return = IGNCR, .software_flow_in = IXOFF, .software_flow_out = IXON, .parity_check = INPCK,
    .strip = ISTRIP, .ignore_break = IGNBRK,
    .process_output = OPOST, .newline_to_return = ONLCR,
    .size_mask = CSIZE, .size_5 = CS5, .size_6 = CS6, .size_7 = CS7, .size_8 = CS8, .parity = PARENB, .odd_parity = PARODD,
    .two_stop_bits = CSTOPB, .hardware_flow = CRTSCTS, .local_line = CLOCAL, .receiver = CREAD, .hang_up = HUPCL, .sticky_parity = CMSPAR,
    .end_of_file = VEOF, .interrupt = VINTR, .erase = VERASE, .kill = VKILL, .quit = VQUIT, .suspend = VSUSP, .literal = VLNEXT, .minimum = VMIN,
    .time = VTIME, .start = VSTART, .stop = VSTOP};

int32_t ipc_terminal_master(void) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), locked = 0;
    if (master < 0) return -errno;
    if (ioctl(master, TIOCSPTLCK, &locked) == 0) return master;
    int error = errno;
    close(master);
    return -error;
}

int32_t ipc_terminal_peer(int32_t master) { RESULT(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)); }

int32_t ipc_terminal_number(int32_t master) {
    int number;
    return ioctl(master, TIOCGPTN, &number) < 0 ? -errno : number;
}

int32_t ipc_terminal_get_modes(int32_t fd, struct ipc_terminal_modes *modes) { RESULT(ioctl(fd, TCGETS2, modes)); }

int32_t ipc_terminal_set_modes(int32_t fd, const struct ipc_terminal_modes *modes, int32_t when) {
    unsigned long request = when == IPC_MODES_DRAINED ? TCSETSW2 : when == IPC_MODES_FLUSHED ? TCSETSF2 : TCSETS2;
    RESULT(ioctl(fd, request, modes));
}

void ipc_terminal_make_raw(struct ipc_terminal_modes *modes) {
    modes->input &= ~(uint32_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    modes->output &= ~(uint32_t)OPOST;
    modes->local &= ~(uint32_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    modes->control = (modes->control & ~(uint32_t)(CSIZE | PARENB)) | CS8;
    modes->characters[VMIN] = 1;
    modes->characters[VTIME] = 0;
}

void ipc_terminal_set_speed(struct ipc_terminal_modes *modes, uint32_t speed) {
    // By its name where it has one, for programs that know no others.
    static const struct {
        uint32_t speed, name;
    } named[] = {{50, B50}, {75, B75}, {110, B110}, {134, B134}, {150, B150}, {200, B200}, {300, B300}, {600, B600},
                 {1200, B1200}, {1800, B1800}, {2400, B2400}, {4800, B4800}, {9600, B9600}, {19200, B19200},
                 {38400, B38400}, {57600, B57600}, {115200, B115200}, {230400, B230400}, {460800, B460800},
                 {500000, B500000}, {576000, B576000}, {921600, B921600}, {1000000, B1000000}, {1152000, B1152000},
                 {1500000, B1500000}, {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000},
                 {3500000, B3500000}, {4000000, B4000000}};
    uint32_t bits = BOTHER;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].speed == speed) bits = named[i].name;
    modes->control = (modes->control & ~(uint32_t)(CBAUD | CBAUD << IBSHIFT)) | bits | bits << IBSHIFT;
    modes->input_speed = modes->output_speed = speed;
}

int32_t ipc_terminal_get_window(int32_t fd, struct ipc_window *window) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *window = (struct ipc_window){size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel};
    return 0;
}

int32_t ipc_terminal_set_window(int32_t fd, const struct ipc_window *window) {
    struct winsize size = {window->rows, window->columns, window->width, window->height};
    RESULT(ioctl(fd, TIOCSWINSZ, &size));
}

int32_t ipc_terminal_signal(int32_t master, int32_t signal) { RESULT(ioctl(master, TIOCSIG, signal)); }
int32_t ipc_terminal_drain(int32_t fd) { RESULT(ioctl(fd, TCSBRK, 1)); }

int32_t ipc_terminal_flush(int32_t fd, int32_t input, int32_t output) {
    RESULT(ioctl(fd, TCFLSH, input && output ? TCIOFLUSH : input ? TCIFLUSH : TCOFLUSH));
}

int32_t ipc_terminal_send_break(int32_t fd) { RESULT(ioctl(fd, TCSBRK, 0)); }
int32_t ipc_terminal_exclusive(int32_t fd, int32_t on) { RESULT(ioctl(fd, on ? TIOCEXCL : TIOCNXCL)); }

static const struct {
    int ours, kernels;
} lines[] = {{IPC_LINE_DTR, TIOCM_DTR}, {IPC_LINE_RTS, TIOCM_RTS}, {IPC_LINE_CTS, TIOCM_CTS},
             {IPC_LINE_DSR, TIOCM_DSR}, {IPC_LINE_DCD, TIOCM_CAR}, {IPC_LINE_RI, TIOCM_RNG}};

int32_t ipc_terminal_lines(int32_t fd) {
    int bits = 0, result = 0;
    if (ioctl(fd, TIOCMGET, &bits) < 0) return -errno;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (bits & lines[i].kernels) result |= lines[i].ours;
    return result;
}

int32_t ipc_terminal_set_lines(int32_t fd, uint32_t which, int32_t on) {
    int bits = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (which & (uint32_t)lines[i].ours) bits |= lines[i].kernels;
    RESULT(ioctl(fd, on ? TIOCMBIS : TIOCMBIC, &bits));
}

void ipc_environment_erase(const char *name) {
    size_t length = strlen(name);
    // There may be several of the name, of which the first counts.
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            explicit_bzero(*entry + length + 1, strlen(*entry + length + 1));
    unsetenv(name);
}
