// The Swift runtime's own functions for a task's cancellation, under the generic wrappers that cost more than a wait.
#ifndef CIPC_TASKS_H
#define CIPC_TASKS_H

#include <stdint.h>

// What a cancellation of a task calls, from the thread that cancels.
struct ipc_cancellation_hook {
    void (*_Nonnull cancel)(void *_Nonnull loop, int32_t slot, uint32_t generation);
    void *_Nonnull loop;
    int32_t slot;
    uint32_t generation;
};

// Has a cancellation of the current task call the hook until the record is detached; at once if it is cancelled already.
// Both calls enclose one suspension in one function, so that the task's allocations stay in order.
void *_Nonnull ipc_task_attach(struct ipc_cancellation_hook *_Nonnull hook);
void ipc_task_detach(void *_Nonnull record);

// The current task, as an address to compare; NULL where none runs.
void *_Nullable ipc_task_current(void);

// 1 if the current task is the given one and holds no actor: it runs on behalf of itself alone.
int32_t ipc_task_is_free(const void *_Nullable task);

// 1 if the current task is cancelled; 0 if not, and where no task runs.
int32_t ipc_task_is_cancelled(void);

#endif
