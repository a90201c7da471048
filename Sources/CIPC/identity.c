// The user database, through the C library, which knows where it is kept; and resource limits.
#define _GNU_SOURCE
#include "CIPCIdentity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST_BYTES (1 << 20)  // a group with very many members

static int32_t outcome(int error, const void *found) {
    if (found != NULL) return 0;
    return error == 0 || error == ESRCH || error == EBADF || error == EPERM ? -ENOENT : -error;
}

int32_t ipc_user(const char *name, uint32_t number, uint32_t *user, uint32_t *group) {
    struct passwd entry, *found = NULL;
    int error = ERANGE;
    for (size_t size = 4096; error == ERANGE && size <= MOST_BYTES; size *= 4) {
        char *room = malloc(size);
        if (room == NULL) return -ENOMEM;
        error = name != NULL ? getpwnam_r(name, &entry, room, size, &found) : getpwuid_r(number, &entry, room, size, &found);
        free(room);  // only the numbers are taken
    }
    if (found != NULL) {
        *user = entry.pw_uid;
        *group = entry.pw_gid;
    }
    return outcome(error, found);
}

int32_t ipc_group(const char *name, uint32_t *group) {
    struct group entry, *found = NULL;
    int error = ERANGE;
    for (size_t size = 4096; error == ERANGE && size <= MOST_BYTES; size *= 4) {
        char *room = malloc(size);
        if (room == NULL) return -ENOMEM;
        error = getgrnam_r(name, &entry, room, size, &found);
        free(room);
    }
    if (found != NULL) *group = entry.gr_gid;
    return outcome(error, found);
}

int32_t ipc_groups_of_user(uint32_t user, uint32_t group, uint32_t *groups, int32_t capacity) {
    struct passwd entry, *found = NULL;
    int error = ERANGE;
    for (size_t size = 4096; error == ERANGE && size <= MOST_BYTES; size *= 4) {
        char *room = malloc(size);
        if (room == NULL) return -ENOMEM;
        error = getpwuid_r(user, &entry, room, size, &found);
        if (found != NULL) {
            int count = capacity;
            getgrouplist(entry.pw_name, group, groups, &count);
            free(room);
            return count;
        }
        free(room);
    }
    return outcome(error, found);
}

int32_t ipc_limit_number(int32_t limit) {
    static const int numbers[] = {
        [IPC_LIMIT_ADDRESS_SPACE] = RLIMIT_AS, [IPC_LIMIT_CORE] = RLIMIT_CORE, [IPC_LIMIT_CPU] = RLIMIT_CPU,
        [IPC_LIMIT_DATA] = RLIMIT_DATA, [IPC_LIMIT_FILE_SIZE] = RLIMIT_FSIZE, [IPC_LIMIT_LOCKS] = RLIMIT_LOCKS,
        [IPC_LIMIT_LOCKED_MEMORY] = RLIMIT_MEMLOCK, [IPC_LIMIT_MESSAGE_QUEUES] = RLIMIT_MSGQUEUE,
        [IPC_LIMIT_NICE] = RLIMIT_NICE, [IPC_LIMIT_FILES] = RLIMIT_NOFILE, [IPC_LIMIT_PROCESSES] = RLIMIT_NPROC,
        [IPC_LIMIT_RESIDENT] = RLIMIT_RSS, [IPC_LIMIT_REAL_TIME_PRIORITY] = RLIMIT_RTPRIO,
        [IPC_LIMIT_REAL_TIME] = RLIMIT_RTTIME, [IPC_LIMIT_SIGNALS] = RLIMIT_SIGPENDING, [IPC_LIMIT_STACK] = RLIMIT_STACK};
    return numbers[limit];
}

int32_t ipc_get_limit(int32_t limit, uint64_t *soft, uint64_t *hard) {
    struct rlimit pair;
    if (getrlimit(ipc_limit_number(limit), &pair) < 0) return -errno;
    *soft = pair.rlim_cur;
    *hard = pair.rlim_max;
    return 0;
}

int32_t ipc_become(uint32_t user, uint32_t group, const uint32_t *groups, int32_t count) {
    if (setgroups((size_t)count, groups) < 0) return -errno;
    if (setresgid(group, group, group) < 0) return -errno;
    if (setresuid(user, user, user) < 0) return -errno;
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) < 0 || real != user || effective != user || saved != user) return -EPERM;
    if (getresgid(&real, &effective, &saved) < 0 || real != group || effective != group || saved != group) return -EPERM;
    if (getgroups(0, NULL) != count) return -EPERM;
    if (user != 0 && (setuid(0) == 0 || setresuid((uid_t)-1, 0, (uid_t)-1) == 0)) return -EPERM;
    if (user != 0 && group != 0 && (setgid(0) == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) == 0)) return -EPERM;
    return 0;
}

int32_t ipc_change_root(const char *folder) {
    if (chroot(folder) < 0 || chdir("/") < 0) return -errno;
    return 0;
}
