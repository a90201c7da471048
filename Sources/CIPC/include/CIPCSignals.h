// Sending signals, and the handler of this library: it writes a record to the pipes of those who want the signal.
#ifndef CIPC_SIGNALS_H
#define CIPC_SIGNALS_H

#include <stdint.h>

// Sending
int32_t ipc_kill(int32_t pid, int32_t signal);
int32_t ipc_queue_signal(int32_t pid, int32_t signal, int64_t value);  // sigqueue
int32_t ipc_pidfd_open(int32_t pid);
int32_t ipc_pidfd_send_signal(int32_t pidfd, int32_t signal);
int32_t ipc_pidfd_queue_signal(int32_t pidfd, int32_t signal, int64_t value);  // pidfd_send_signal with SI_QUEUE
// Has the signal do what it does by default, to this process, whatever handles or blocks it; async-signal-safe.
void ipc_do_by_default(int32_t signal);
// Ends this process by the signal's default action, whatever handles or blocks it; with status 128+n where that action
// ends nobody.
_Noreturn void ipc_die_by_signal(int32_t signal);
// Writes what lies in the C library's buffers for stdout and stderr, where no other thread is using them just now.
void ipc_flush_standard_streams(void);

// Names
const char *_Nullable ipc_signal_abbreviation(int32_t signal);  // "TERM"
const char *_Nullable ipc_signal_description(int32_t signal);   // "Terminated"
int32_t ipc_first_realtime_signal(void);
int32_t ipc_last_realtime_signal(void);

// What the handler writes.
struct ipc_signal_record {
    int32_t signal;  // 0: look whether something did not fit
    int32_t code;    // si_code: who raised it
    int32_t sender;  // si_pid
    uint32_t user;   // si_uid
    int64_t value;   // si_value as an integer
};

enum ipc_signal_cause {
    IPC_CAUSE_PROCESS, IPC_CAUSE_QUEUED, IPC_CAUSE_KERNEL, IPC_CAUSE_CHILD, IPC_CAUSE_TIMER, IPC_CAUSE_MESSAGE_QUEUE,
    IPC_CAUSE_OTHER
};
// What a code says of where a signal came from.
int32_t ipc_signal_cause(int32_t signal, int32_t code);

// Dispositions. Each of the first three keeps what was there before, unless it is one of ours; the last puts that back,
// unless somebody else has put something over ours. Not to be called by two threads at once.
int32_t ipc_signal_catch(int32_t signal);     // the handler
int32_t ipc_signal_ignore(int32_t signal);    // SIG_IGN; what was pending is gone, also if it is ignored already
int32_t ipc_signal_standard(int32_t signal);  // SIG_DFL
int32_t ipc_signal_release(int32_t signal);
// Has SIGURG interrupt blocking calls on the threads made for them, from now on and for good; what comes to others still
// goes to subscribers, or to the handler that was there before.
int32_t ipc_signal_use_urgent(void);

// Slots: where the handler writes.
struct ipc_signal_slot;
// A slot for a pipe (its writing end, non-blocking) that wants nothing yet; NULL without memory.
struct ipc_signal_slot *_Nullable ipc_slot_take(int32_t pipe);
// Says which signals the slot wants: bit n-1 for signal n.
void ipc_slot_want(struct ipc_signal_slot *_Nonnull slot, uint64_t signals);
// Has the signal go to this slot alone, whatever others want; to all that want it for NULL.
void ipc_signal_route(int32_t signal, struct ipc_signal_slot *_Nullable slot);
// Says where the signal goes from when the slot that it is routed to is closed until it is routed anew.
void ipc_signal_route_after(int32_t signal, struct ipc_signal_slot *_Nullable slot);
// Closes a slot that signals are routed to, of whose pipe `count` more records have been read; 0 if there are others still.
int32_t ipc_slot_close(struct ipc_signal_slot *_Nonnull slot, int64_t count);
// Waits until no handler is writing to a slot that wants nothing any more. Then its pipe may be closed.
void ipc_slot_settle(struct ipc_signal_slot *_Nonnull slot);
void ipc_slot_give_back(struct ipc_signal_slot *_Nonnull slot);
// The signals that did not fit into the pipe since the last call, as bits; how often each came, and who sent the last.
uint64_t ipc_slot_take_missed(struct ipc_signal_slot *_Nonnull slot);
uint32_t ipc_slot_take_missed_count(
    struct ipc_signal_slot *_Nonnull slot, int32_t signal, int32_t *_Nonnull sender, uint32_t *_Nonnull user);
// Does with a record what the handler does with a signal; 0 if nobody wants it.
int32_t ipc_signal_deliver(const struct ipc_signal_record *_Nonnull record);
// The same as if the slot that the signal is routed to were closed already.
int32_t ipc_signal_deliver_after(const struct ipc_signal_record *_Nonnull record);
// Sends this process the signal of a record again, in the name of its sender.
int32_t ipc_signal_repeat(const struct ipc_signal_record *_Nonnull record);

// A thread that lets these signals through (bit n-1 for signal n) and does nothing else, for processes in which every other
// thread blocks them. Returns when it does so. Starts it on first need. Not to be called by two threads at once.
int32_t ipc_signal_thread_accept(uint64_t signals);

// Has faults and other deadly signals (bits) leave a line on standard error before they do what they did before.
int32_t ipc_fault_reports(uint64_t signals);
// Gives the calling thread a stack for handlers, so that an overflow of its own can be reported; 1 if it has one already.
int32_t ipc_fault_stack(void);

// How many real-time signals have come to the handler on the main thread.
uint32_t ipc_signals_of_main_thread(void);

#endif
