// POSIX semaphores in memory that is shared, and POSIX message queues.
#ifndef CIPC_POSIX_H
#define CIPC_POSIX_H

#include <stddef.h>
#include <stdint.h>

#define IPC_POSIX_SEMAPHORE_SIZE 32     // sizeof(sem_t)
#define IPC_POSIX_SEMAPHORE_MOST 2147483647

int32_t ipc_posix_semaphore_begin(void *_Nonnull semaphore, int32_t value);  // sem_init, shared
int32_t ipc_posix_semaphore_try(void *_Nonnull semaphore);                   // sem_trywait; -EAGAIN: it is 0
// sem_clockwait; -EINTR, -ETIMEDOUT. `until` is of CLOCK_MONOTONIC in nanoseconds, -1: as long as need be.
int32_t ipc_posix_semaphore_wait(void *_Nonnull semaphore, int64_t until);
int32_t ipc_posix_semaphore_post(void *_Nonnull semaphore);                  // sem_post; -EOVERFLOW
int32_t ipc_posix_semaphore_value(void *_Nonnull semaphore);                 // sem_getvalue

struct ipc_posix_queue {
    int64_t capacity, message_size, count;
};
// mq_open O_RDWR or as `access` says, O_CLOEXEC. `create`: it must not be there, and gets the mode less the umask.
int32_t ipc_posix_queue_open(
    const char *_Nonnull name, int32_t access, int32_t create, uint32_t mode, int64_t capacity, int64_t message_size);
int32_t ipc_posix_queue_set_mode(int32_t queue, uint32_t mode);                                 // fchmod
int32_t ipc_posix_queue_status(int32_t queue, struct ipc_posix_queue *_Nonnull out);            // mq_getattr
int32_t ipc_posix_queue_remove(const char *_Nonnull name);                                      // mq_unlink
// `waits` 0: -EAGAIN instead.
int32_t ipc_posix_queue_send(
    int32_t queue, const void *_Nonnull bytes, size_t count, uint32_t priority, int32_t waits);  // mq_timedsend
long ipc_posix_queue_receive(
    int32_t queue, void *_Nonnull bytes, size_t size, uint32_t *_Nonnull priority, int32_t waits);  // mq_timedreceive

#endif
