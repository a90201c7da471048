// Terminals: pseudo-terminals, modes, window size.
#ifndef CIPC_TERMINAL_H
#define CIPC_TERMINAL_H

#include <stdint.h>

// struct termios2: the modes, and speeds of any number.
struct ipc_terminal_modes {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t characters[19];
    uint32_t input_speed, output_speed;  // bits a second
};

struct ipc_window {
    uint16_t rows, columns, width, height;  // the last two in pixels
};

// Opens /dev/ptmx: the master, not blocking, or the error number negated.
int32_t ipc_terminal_master(void);
// The other side of a master, without a name that could be another's by now (TIOCGPTPEER); it becomes nobody's controlling
// terminal.
int32_t ipc_terminal_peer(int32_t master);
int32_t ipc_terminal_number(int32_t master);  // N of /dev/pts/N

int32_t ipc_terminal_get_modes(int32_t fd, struct ipc_terminal_modes *_Nonnull modes);
enum ipc_terminal_when { IPC_MODES_NOW, IPC_MODES_DRAINED, IPC_MODES_FLUSHED };
// In the background this stops the process by SIGTTOU, as it does any program. IPC_MODES_DRAINED waits until what was
// written is shown.
int32_t ipc_terminal_set_modes(int32_t fd, const struct ipc_terminal_modes *_Nonnull modes, int32_t when);
// The modes as cfmakeraw has them, reading byte for byte.
void ipc_terminal_make_raw(struct ipc_terminal_modes *_Nonnull modes);
// The bits of modes that we have names for.
struct ipc_terminal_bits {
    uint32_t echo, canonical, signals, extended, keeps_input_on_signal;                // local
    uint32_t return_to_newline, newline_to_return_in, ignore_return, software_flow_in, software_flow_out, parity_check, strip, ignore_break;  // input
    uint32_t process_output, newline_to_return;                                        // output
    uint32_t size_mask, size_5, size_6, size_7, size_8, parity, odd_parity, two_stop_bits, hardware_flow, local_line,
        receiver, hang_up, sticky_parity;                                              // control
    int32_t end_of_file, interrupt, erase, kill, quit, suspend, literal, minimum, time, start, stop;  // places in `characters`
};
extern const struct ipc_terminal_bits ipc_terminal_bits;
// Sets a speed in bits a second, of the standard ones or any other.
void ipc_terminal_set_speed(struct ipc_terminal_modes *_Nonnull modes, uint32_t speed);

int32_t ipc_terminal_get_window(int32_t fd, struct ipc_window *_Nonnull window);
int32_t ipc_terminal_set_window(int32_t fd, const struct ipc_window *_Nonnull window);

int32_t ipc_terminal_signal(int32_t master, int32_t signal);  // TIOCSIG: to the foreground group of the other side
int32_t ipc_terminal_drain(int32_t fd);                       // tcdrain; blocks
int32_t ipc_terminal_flush(int32_t fd, int32_t input, int32_t output);
int32_t ipc_terminal_send_break(int32_t fd);                  // a quarter to half a second; blocks
int32_t ipc_terminal_exclusive(int32_t fd, int32_t on);       // TIOCEXCL
// Modem lines, as bits of their own.
enum ipc_modem_line {
    IPC_LINE_DTR = 1, IPC_LINE_RTS = 2, IPC_LINE_CTS = 4, IPC_LINE_DSR = 8, IPC_LINE_DCD = 16, IPC_LINE_RI = 32
};
int32_t ipc_terminal_lines(int32_t fd);
int32_t ipc_terminal_set_lines(int32_t fd, uint32_t lines, int32_t on);

// Whether the terminal is the caller's to change: not a controlling terminal whose foreground another group has.
int32_t ipc_terminal_is_ours(int32_t fd);

// Takes a variable out of the environment, and its value out of the memory that others can read as /proc/PID/environ.
// The caller has copied the value.
void ipc_environment_erase(const char *_Nonnull name);

#endif
