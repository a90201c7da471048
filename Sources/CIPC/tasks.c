// The Swift runtime's own functions for a task's cancellation.
//
// These are part of the runtime's binary interface, which every compiled Swift program relies on; the wrappers in Swift
// (withTaskCancellationHandler, Task.isCancelled) call the same ones, with two switches of executor and two reference
// counts on top.
#include "CIPCTasks.h"

#include <stddef.h>

#define SWIFT __attribute__((swiftcall))
#define CONTEXT __attribute__((swift_context))

extern SWIFT void *swift_task_addCancellationHandler(SWIFT void (*handler)(CONTEXT void *), void *context);
extern SWIFT void swift_task_removeCancellationHandler(void *record);
extern SWIFT void *swift_task_getCurrent(void);
extern SWIFT _Bool swift_task_isCancelled(void *task);

static SWIFT void cancelled(CONTEXT void *context) {
    struct ipc_cancellation_hook *hook = context;
    hook->cancel(hook->loop, hook->slot, hook->generation);
}

void *ipc_task_attach(struct ipc_cancellation_hook *hook) { return swift_task_addCancellationHandler(cancelled, hook); }
void ipc_task_detach(void *record) { swift_task_removeCancellationHandler(record); }

struct executor {
    void *identity;  // NULL for the generic one, on which no actor is held
    uintptr_t implementation;
};
extern SWIFT struct executor swift_task_getCurrentExecutor(void);

int32_t ipc_task_is_free(const void *task) {
    return task != NULL && swift_task_getCurrent() == task && swift_task_getCurrentExecutor().identity == NULL;
}

void *ipc_task_current(void) { return swift_task_getCurrent(); }

int32_t ipc_task_is_cancelled(void) {
    void *task = swift_task_getCurrent();
    return task != NULL && swift_task_isCancelled(task);
}
