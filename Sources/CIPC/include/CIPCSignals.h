// Sending signals, and the handler of this library: it writes a record to a pipe and does nothing else.
#ifndef CIPC_SIGNALS_H
#define CIPC_SIGNALS_H

#include <stdint.h>

int32_t ipc_kill(int32_t pid, int32_t signal);
int32_t ipc_pidfd_open(int32_t pid);
int32_t ipc_pidfd_send_signal(int32_t pidfd, int32_t signal);

const char *_Nullable ipc_signal_abbreviation(int32_t signal);  // "TERM"
const char *_Nullable ipc_signal_description(int32_t signal);   // "Terminated"
int32_t ipc_first_realtime_signal(void);
int32_t ipc_last_realtime_signal(void);

struct ipc_signal_record {
    int32_t signal;
    int32_t code;    // si_code: who raised it
    int32_t sender;  // si_pid
    uint32_t user;   // si_uid
    int64_t value;   // si_value as an integer
};

// Directs the handler's records to `pipe` (its writing end, non-blocking). Once, before the first catch.
void ipc_signal_set_pipe(int32_t pipe);
// Installs the handler, keeping the former disposition; catching what is caught already is no error.
int32_t ipc_signal_catch(int32_t signal);
// Puts the former disposition back.
int32_t ipc_signal_release(int32_t signal);
// Has SIGURG interrupt blocking calls on the threads made for them, from now on and for good; what comes to others still
// goes to subscribers, or to the handler that was there before.
int32_t ipc_signal_use_urgent(void);
// How many records did not fit into the pipe since the program began.
uint64_t ipc_signal_dropped(void);

#endif
