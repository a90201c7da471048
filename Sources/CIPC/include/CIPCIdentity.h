// Users and groups by name, and the names of resource limits.
#ifndef CIPC_IDENTITY_H
#define CIPC_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

// The user of a name, or of a number where `name` is NULL: 0, -ENOENT if there is none, else the error number negated.
int32_t ipc_user(const char *_Nullable name, uint32_t number, uint32_t *_Nonnull user, uint32_t *_Nonnull group);
// The number of a group: as ipc_user.
int32_t ipc_group(const char *_Nonnull name, uint32_t *_Nonnull group);
// The groups that the user database says a user is in, `group` among them: their number, which may exceed `capacity`;
// -ENOENT if there is no such user.
int32_t ipc_groups_of_user(uint32_t user, uint32_t group, uint32_t *_Nullable groups, int32_t capacity);

// setgroups, setresgid, setresuid for all threads of this process, each verified, the way back tried: 0, or the error number
// negated, -EPERM where something would not stick.
int32_t ipc_become(uint32_t user, uint32_t group, const uint32_t *_Nullable groups, int32_t count);
int32_t ipc_change_root(const char *_Nonnull folder);  // chroot and chdir to it

enum ipc_limit {
    IPC_LIMIT_ADDRESS_SPACE, IPC_LIMIT_CORE, IPC_LIMIT_CPU, IPC_LIMIT_DATA, IPC_LIMIT_FILE_SIZE, IPC_LIMIT_LOCKS,
    IPC_LIMIT_LOCKED_MEMORY, IPC_LIMIT_MESSAGE_QUEUES, IPC_LIMIT_NICE, IPC_LIMIT_FILES, IPC_LIMIT_PROCESSES,
    IPC_LIMIT_RESIDENT, IPC_LIMIT_REAL_TIME_PRIORITY, IPC_LIMIT_REAL_TIME, IPC_LIMIT_SIGNALS, IPC_LIMIT_STACK
};
int32_t ipc_limit_number(int32_t limit);  // RLIMIT_...
int32_t ipc_get_limit(int32_t limit, uint64_t *_Nonnull soft, uint64_t *_Nonnull hard);

#endif
