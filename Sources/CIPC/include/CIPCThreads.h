// Threads of our own, and the few words each thread keeps for the event loop.
#ifndef CIPC_THREADS_H
#define CIPC_THREADS_H

#include <stdint.h>

// What a thread knows of the loop that runs on it. `loop` is NULL on every thread that is no loop's.
struct ipc_thread_state {
    void *_Nullable loop;
    uint32_t calls_left;      // how many more calls may go without suspending, before others get their turn
    uint32_t blocks_sigpipe;  // this thread is ours and holds SIGPIPE back for good
    uint32_t is_interruptible;  // this thread makes blocking calls for others, who end them by SIGURG
};
struct ipc_thread_state *_Nonnull ipc_thread_state(void);

// Starts a detached thread with every signal but those of its own faults blocked and the given name (at most 15 bytes).
int32_t ipc_thread_start(const char *_Nonnull name, void (*_Nonnull body)(void *_Nullable), void *_Nullable argument);
// Starts a thread as above for blocking calls: SIGURG reaches it, and does nothing there but end a call.
int32_t ipc_call_thread_start(void (*_Nonnull body)(void *_Nullable), void *_Nullable argument);

// Waits until another thread of the process wakes who waits for the word, for so long; -EAGAIN if it is not as expected.
int32_t ipc_futex_wait(const uint32_t *_Nonnull word, uint32_t expected, int64_t nanoseconds);
int32_t ipc_futex_wake(const uint32_t *_Nonnull word);  // one of them

int32_t ipc_thread_id(void);
// tgkill to a thread of this process.
int32_t ipc_thread_signal(int32_t thread, int32_t signal);

// write(2) where a failure would raise SIGPIPE or SIGXFSZ and the kernel has no flag against it: holds the signals, writes,
// takes back the one that the write raised, restores the mask.
long ipc_write_without_sigpipe(int32_t fd, const void *_Nullable bytes, uintptr_t count, int32_t rwf);

void ipc_yield_processor(void);
// nanosleep
void ipc_pause_thread(int64_t nanoseconds);

#endif
