// System V semaphores, message queues and shared memory.
#ifndef CIPC_SYSTEMV_H
#define CIPC_SYSTEMV_H

#include <stddef.h>
#include <stdint.h>

enum ipc_systemv_kind { IPC_SYSTEMV_SEMAPHORES, IPC_SYSTEMV_QUEUE, IPC_SYSTEMV_SEGMENT };

// What the kernel says of an object: semid_ds, msqid_ds, shmid_ds. What a kind does not have is 0.
struct ipc_systemv_object {
    int32_t id, key;
    uint32_t owner, group, creator, creator_group, mode;
    uint64_t size;       // semaphores; bytes in the queue; bytes of the segment
    uint64_t limit;      // of a queue, in bytes
    uint64_t messages;   // in the queue
    uint64_t attached;   // to the segment
    int32_t first_process, last_process;  // sender and receiver; creator and last one to attach or detach
    int64_t used, changed;  // times of the last operation (or sending, attaching) and change; seconds since 1970
};

// One step of semop.
struct ipc_semaphore_step {
    int32_t index, amount, undoes;
};

int32_t ipc_key_of_file(const char *_Nonnull path, int32_t project, int32_t *_Nonnull key);  // ftok

// semget, msgget, shmget: opens, or with `create` makes, which is -EEXIST if there is one.
int32_t ipc_systemv_get(int32_t kind, int32_t key, size_t size, int32_t create, uint32_t mode);
int32_t ipc_systemv_status(int32_t kind, int32_t id, struct ipc_systemv_object *_Nonnull out);  // IPC_STAT
// SEM_STAT_ANY and its like: the object at an index; -EINVAL where there is none.
int32_t ipc_systemv_at(int32_t kind, int32_t index, struct ipc_systemv_object *_Nonnull out);
int32_t ipc_systemv_highest(int32_t kind);  // the highest index in use
int32_t ipc_systemv_remove(int32_t kind, int32_t id);
int32_t ipc_systemv_set(int32_t kind, int32_t id, uint32_t owner, uint32_t group, uint32_t mode, uint64_t limit);  // IPC_SET

int32_t ipc_semaphore_value(int32_t id, int32_t index);           // GETVAL
int32_t ipc_semaphore_set(int32_t id, int32_t index, int32_t value);  // SETVAL
int32_t ipc_semaphore_process(int32_t id, int32_t index);         // GETPID
int32_t ipc_semaphore_waiting(int32_t id, int32_t index, int32_t for_zero);  // GETNCNT, GETZCNT
// semop, where `nanoseconds` is 0 without waiting (-EAGAIN), -1 without a limit, else semtimedop. At most 500 steps.
int32_t ipc_semaphore_operate(int32_t id, const struct ipc_semaphore_step *_Nullable steps, int32_t count, int64_t nanoseconds);

// msgsnd of a long, the type, and so many bytes behind it; `waits` 0 for IPC_NOWAIT.
long ipc_queue_send(int32_t id, const void *_Nonnull message, size_t count, int32_t waits);
// msgrcv into a long and room for `count` bytes. -E2BIG: the message is larger, and stays. `except`: MSG_EXCEPT.
long ipc_queue_receive(int32_t id, void *_Nonnull message, size_t count, int64_t type, int32_t except, int32_t waits);

void *_Nullable ipc_segment_attach(int32_t id, int32_t is_read_only, int32_t *_Nonnull error);  // shmat
int32_t ipc_segment_detach(const void *_Nonnull address);                                       // shmdt

#endif
