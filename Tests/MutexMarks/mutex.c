// Tells the thread sanitizer of what it cannot see: a `Mutex` that two threads want at once.
//
// Taking a free `Mutex` is inlined into its user, whose atomics the sanitizer sees. A taken one is left to functions in
// libswiftSynchronization.so, which nobody has instrumented, and to the kernel. Without these marks whatever such a lock
// protects is reported as a race. These functions stand before those of the same name in the search order.
#include "MutexMarks.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall, visibility("default")))
#define SELF __attribute__((swift_context)) void *
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);

static SWIFT void (*real_lock)(uint32_t thread, SELF handle);
static SWIFT _Bool (*real_try_lock)(SELF handle);
static SWIFT void (*real_unlock)(SELF handle);

// Early: other constructors run Swift.
__attribute__((constructor(101))) static void find_real_ones(void) {
    real_lock = dlsym(RTLD_NEXT, LOCK);
    real_try_lock = dlsym(RTLD_NEXT, TRY_LOCK);
    real_unlock = dlsym(RTLD_NEXT, UNLOCK);
}

SWIFT void mark_lock(uint32_t thread, SELF handle) __asm__(LOCK);
SWIFT void mark_lock(uint32_t thread, SELF handle) {
    real_lock(thread, handle);
    __tsan_acquire(handle);
}

SWIFT _Bool mark_try_lock(SELF handle) __asm__(TRY_LOCK);
SWIFT _Bool mark_try_lock(SELF handle) {
    if (!real_try_lock(handle)) return 0;
    __tsan_acquire(handle);
    return 1;
}

SWIFT void mark_unlock(SELF handle) __asm__(UNLOCK);
SWIFT void mark_unlock(SELF handle) {
    __tsan_release(handle);
    real_unlock(handle);
}

#endif
#endif
