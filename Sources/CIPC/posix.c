// POSIX semaphores and message queues.
#define _GNU_SOURCE
#include "CIPCPosix.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

_Static_assert(sizeof(sem_t) == IPC_POSIX_SEMAPHORE_SIZE, "of what sem_open of the C library makes");

static int32_t result(long value) { return value < 0 ? -errno : (int32_t)value; }

int32_t ipc_posix_semaphore_begin(void *semaphore, int32_t value) { return result(sem_init(semaphore, 1, (unsigned)value)); }
int32_t ipc_posix_semaphore_try(void *semaphore) { return result(sem_trywait(semaphore)); }
int32_t ipc_posix_semaphore_post(void *semaphore) { return result(sem_post(semaphore)); }

int32_t ipc_posix_semaphore_wait(void *semaphore, int64_t until) {
    if (until < 0) return result(sem_wait(semaphore));
    struct timespec limit = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    return result(sem_clockwait(semaphore, CLOCK_MONOTONIC, &limit));
}

int32_t ipc_posix_semaphore_value(void *semaphore) {
    int value = 0;
    if (sem_getvalue(semaphore, &value) < 0) return -errno;
    return value < 0 ? -EBADMSG : value;  // what somebody else wrote there
}

int32_t ipc_posix_queue_open(
    const char *name, int32_t access, int32_t create, uint32_t mode, int64_t capacity, int64_t message_size) {
    struct mq_attr attributes = {.mq_maxmsg = capacity, .mq_msgsize = message_size};
    int flags = access | O_CLOEXEC;
    return create ? result(mq_open(name, flags | O_CREAT | O_EXCL, mode & 0777, &attributes)) : result(mq_open(name, flags));
}

int32_t ipc_posix_queue_set_mode(int32_t queue, uint32_t mode) { return result(fchmod(queue, mode & 0777)); }

int32_t ipc_posix_queue_status(int32_t queue, struct ipc_posix_queue *out) {
    struct mq_attr attributes;
    if (mq_getattr(queue, &attributes) < 0) return -errno;
    *out = (struct ipc_posix_queue){
        .capacity = attributes.mq_maxmsg, .message_size = attributes.mq_msgsize, .count = attributes.mq_curmsgs};
    return 0;
}

int32_t ipc_posix_queue_remove(const char *name) { return result(mq_unlink(name)); }

// A time that has passed: what can be had at once is had, and nothing is waited for. So the descriptor itself may wait.
static const struct timespec passed = {0, 0};

int32_t ipc_posix_queue_send(int32_t queue, const void *bytes, size_t count, uint32_t priority, int32_t waits) {
    if (mq_timedsend(queue, bytes, count, priority, waits ? NULL : &passed) == 0) return 0;
    return errno == ETIMEDOUT ? -EAGAIN : -errno;
}

long ipc_posix_queue_receive(int32_t queue, void *bytes, size_t size, uint32_t *priority, int32_t waits) {
    long count = mq_timedreceive(queue, bytes, size, priority, waits ? NULL : &passed);
    if (count >= 0) return count;
    return errno == ETIMEDOUT ? -EAGAIN : -errno;
}
