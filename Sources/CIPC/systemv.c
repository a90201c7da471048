// System V semaphores, message queues and shared memory.
#define _GNU_SOURCE
#include "CIPCSystemV.h"

#include <errno.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

#define MOST_STEPS 500  // SEMOPM

union argument {
    int value;
    struct semid_ds *status;
    struct seminfo *information;
};

static int32_t result(long value) { return value < 0 ? -errno : (int32_t)value; }

int32_t ipc_key_of_file(const char *path, int32_t project, int32_t *key) {
    errno = 0;
    *key = ftok(path, project);
    // -1 is a key like any other.
    return -errno;
}

int32_t ipc_systemv_get(int32_t kind, int32_t key, size_t size, int32_t create, uint32_t mode) {
    int flags = create ? IPC_CREAT | IPC_EXCL | (int)(mode & 0777) : 0;
    switch (kind) {
    case IPC_SYSTEMV_SEMAPHORES: return result(semget(key, (int)size, flags));
    case IPC_SYSTEMV_QUEUE: return result(msgget(key, flags));
    default: return result(shmget(key, size, flags));
    }
}

static void take_permissions(struct ipc_systemv_object *out, int32_t id, const struct ipc_perm *permissions) {
    memset(out, 0, sizeof *out);
    out->id = id;
    out->key = permissions->__key;
    out->owner = permissions->uid;
    out->group = permissions->gid;
    out->creator = permissions->cuid;
    out->creator_group = permissions->cgid;
    out->mode = permissions->mode;
}

// With *_STAT_ANY `id` is an index, and the call says the id.
static int32_t status(int32_t kind, int32_t id, int any, struct ipc_systemv_object *out) {
    if (kind == IPC_SYSTEMV_SEMAPHORES) {
        struct semid_ds found;
        int value = semctl(id, 0, any ? SEM_STAT_ANY : IPC_STAT, (union argument){.status = &found});
        if (value < 0) return -errno;
        take_permissions(out, any ? value : id, &found.sem_perm);
        out->size = found.sem_nsems;
        out->used = found.sem_otime;
        out->changed = found.sem_ctime;
    } else if (kind == IPC_SYSTEMV_QUEUE) {
        struct msqid_ds found;
        int value = msgctl(id, any ? MSG_STAT_ANY : IPC_STAT, &found);
        if (value < 0) return -errno;
        take_permissions(out, any ? value : id, &found.msg_perm);
        out->size = found.__msg_cbytes;
        out->limit = found.msg_qbytes;
        out->messages = found.msg_qnum;
        out->first_process = found.msg_lspid;
        out->last_process = found.msg_lrpid;
        out->used = found.msg_stime > found.msg_rtime ? found.msg_stime : found.msg_rtime;
        out->changed = found.msg_ctime;
    } else {
        struct shmid_ds found;
        int value = shmctl(id, any ? SHM_STAT_ANY : IPC_STAT, &found);
        if (value < 0) return -errno;
        take_permissions(out, any ? value : id, &found.shm_perm);
        out->size = found.shm_segsz;
        out->attached = found.shm_nattch;
        out->first_process = found.shm_cpid;
        out->last_process = found.shm_lpid;
        out->used = found.shm_atime > found.shm_dtime ? found.shm_atime : found.shm_dtime;
        out->changed = found.shm_ctime;
    }
    return 0;
}

int32_t ipc_systemv_status(int32_t kind, int32_t id, struct ipc_systemv_object *out) { return status(kind, id, 0, out); }
int32_t ipc_systemv_at(int32_t kind, int32_t index, struct ipc_systemv_object *out) { return status(kind, index, 1, out); }

int32_t ipc_systemv_highest(int32_t kind) {
    if (kind == IPC_SYSTEMV_SEMAPHORES) {
        struct seminfo information;
        return result(semctl(0, 0, SEM_INFO, (union argument){.information = &information}));
    }
    if (kind == IPC_SYSTEMV_QUEUE) {
        struct msginfo information;
        return result(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&information));
    }
    struct shm_info information;
    return result(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&information));
}

int32_t ipc_systemv_remove(int32_t kind, int32_t id) {
    switch (kind) {
    case IPC_SYSTEMV_SEMAPHORES: return result(semctl(id, 0, IPC_RMID));
    case IPC_SYSTEMV_QUEUE: return result(msgctl(id, IPC_RMID, NULL));
    default: return result(shmctl(id, IPC_RMID, NULL));
    }
}

int32_t ipc_systemv_set(int32_t kind, int32_t id, uint32_t owner, uint32_t group, uint32_t mode, uint64_t limit) {
    struct ipc_perm permissions = {.uid = owner, .gid = group, .mode = (unsigned short)(mode & 0777)};
    if (kind == IPC_SYSTEMV_SEMAPHORES) {
        struct semid_ds wanted = {.sem_perm = permissions};
        return result(semctl(id, 0, IPC_SET, (union argument){.status = &wanted}));
    }
    if (kind == IPC_SYSTEMV_QUEUE) {
        struct msqid_ds wanted = {.msg_perm = permissions, .msg_qbytes = limit};
        return result(msgctl(id, IPC_SET, &wanted));
    }
    struct shmid_ds wanted = {.shm_perm = permissions};
    return result(shmctl(id, IPC_SET, &wanted));
}

int32_t ipc_semaphore_value(int32_t id, int32_t index) { return result(semctl(id, index, GETVAL)); }
int32_t ipc_semaphore_process(int32_t id, int32_t index) { return result(semctl(id, index, GETPID)); }
int32_t ipc_semaphore_set(int32_t id, int32_t index, int32_t value) {
    return result(semctl(id, index, SETVAL, (union argument){.value = value}));
}
int32_t ipc_semaphore_waiting(int32_t id, int32_t index, int32_t for_zero) {
    return result(semctl(id, index, for_zero ? GETZCNT : GETNCNT));
}

int32_t ipc_semaphore_operate(int32_t id, const struct ipc_semaphore_step *steps, int32_t count, int64_t nanoseconds) {
    struct sembuf operations[MOST_STEPS];
    if (count < 1 || steps == NULL) return -E2BIG;
    if (count > MOST_STEPS) return -E2BIG;
    for (int i = 0; i < count; i++) {
        if (steps[i].index < 0 || steps[i].index > 65535) return -EFBIG;
        if (steps[i].amount < -32768 || steps[i].amount > 32767) return -ERANGE;
        operations[i] = (struct sembuf){
            .sem_num = (unsigned short)steps[i].index, .sem_op = (short)steps[i].amount,
            .sem_flg = (short)((steps[i].undoes ? SEM_UNDO : 0) | (nanoseconds == 0 ? IPC_NOWAIT : 0))};
    }
    if (nanoseconds <= 0) return result(semop(id, operations, (size_t)count));
    struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return result(semtimedop(id, operations, (size_t)count, &limit));
}

long ipc_queue_send(int32_t id, const void *message, size_t count, int32_t waits) {
    return msgsnd(id, message, count, waits ? 0 : IPC_NOWAIT) < 0 ? -errno : 0;
}

long ipc_queue_receive(int32_t id, void *message, size_t count, int64_t type, int32_t except, int32_t waits) {
    long came = msgrcv(id, message, count, (long)type, (waits ? 0 : IPC_NOWAIT) | (except ? MSG_EXCEPT : 0));
    return came < 0 ? -errno : came;
}

void *ipc_segment_attach(int32_t id, int32_t is_read_only, int32_t *error) {
    void *address = shmat(id, NULL, is_read_only ? SHM_RDONLY : 0);
    *error = address == (void *)-1 ? errno : 0;
    return *error == 0 ? address : NULL;
}

int32_t ipc_segment_detach(const void *address) { return result(shmdt(address)); }
