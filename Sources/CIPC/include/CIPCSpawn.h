// From a request to a running program: clone, what must happen in the child, execve; and learning how a child ended.
#ifndef CIPC_SPAWN_H
#define CIPC_SPAWN_H

#include <stdint.h>

enum ipc_spawn_stage {
    IPC_STAGE_CLONE, IPC_STAGE_SESSION, IPC_STAGE_GROUP, IPC_STAGE_TERMINAL, IPC_STAGE_DESCRIPTORS, IPC_STAGE_LIMITS,
    IPC_STAGE_PRIORITY, IPC_STAGE_IDENTITY, IPC_STAGE_DIRECTORY, IPC_STAGE_PRIVILEGES, IPC_STAGE_PARENT, IPC_STAGE_EXECUTE
};

enum ipc_spawn_session {
    IPC_SESSION_STAY,
    IPC_SESSION_LEAD,  // a new session, led by the child
    IPC_SESSION_JOIN   // a new session whose leader has ended: no terminal can ever be its
};

// In the child, descriptor `target` becomes a copy of `source`. A source that is not open is an error, except for the
// targets 0 to 2: there the number is taken by a descriptor on which every use fails, so that nothing else lands on it.
struct ipc_spawn_mapping {
    int32_t source, target;
};

struct ipc_spawn_limit {
    int32_t resource;  // RLIMIT_...
    uint64_t soft, hard;
};

// The real, effective and saved numbers alike.
struct ipc_spawn_identity {
    uint32_t user, group;
    const uint32_t *_Nullable groups;
    int32_t group_count;
};

struct ipc_spawn_request {
    const char *_Nonnull path;
    char *_Nullable const *_Nonnull arguments;     // ends with NULL
    char *_Nullable const *_Nullable environment;  // ends with NULL; NULL as a whole: this process's own
    const char *_Nullable directory;               // NULL: this process's own
    const struct ipc_spawn_mapping *_Nullable mappings;
    int32_t mapping_count;
    int32_t process_group;  // -1: ours, 0: a new one that the child leads, else one to join
    int32_t terminal;       // descriptor of the terminal whose foreground the child's group gets, or -1
    int32_t session;        // enum ipc_spawn_session
    int32_t controlling_terminal;  // descriptor of the terminal that becomes the new session's, or -1
    const struct ipc_spawn_identity *_Nullable identity;
    const struct ipc_spawn_limit *_Nullable limits;
    int32_t limit_count;
    int32_t sets_priority, priority;
    int32_t sets_mode_mask;
    uint32_t mode_mask;
    int32_t no_new_privileges;
    int32_t signal_of_parents_death;  // 0: none
};

struct ipc_spawn_result {
    int32_t pid, pidfd;
    int32_t stage;  // enum ipc_spawn_stage, where error is not 0
    int32_t error;
};

// 0, or the error number negated with `result` saying the stage. On failure nothing is left: no child, no descriptor.
int32_t ipc_spawn(const struct ipc_spawn_request *_Nonnull request, struct ipc_spawn_result *_Nonnull result);

// As ipc_spawn, from a thread that ends only with the process: to the kernel it is the parent, whose death the child learns of.
int32_t ipc_spawn_from_lasting_thread(
    const struct ipc_spawn_request *_Nonnull request, struct ipc_spawn_result *_Nonnull result);

enum ipc_end_kind { IPC_END_EXITED, IPC_END_KILLED, IPC_END_DUMPED };
struct ipc_end {
    int32_t kind;    // enum ipc_end_kind
    int32_t status;  // exit status or signal number
    uint64_t user_microseconds, system_microseconds;
    uint64_t peak_memory_kibibytes;
};

// 1 and `end` filled: the child has ended and is reaped. 0: it runs. Never waits.
int32_t ipc_reap(int32_t pidfd, struct ipc_end *_Nonnull end);
// 1: the child has ended (it stays a zombie), 0: it runs. Never waits.
int32_t ipc_has_ended(int32_t pidfd);
// Waits, blocking, until the child stops (1, and the stop is taken) or has ended (0; it stays a zombie).
int32_t ipc_wait_for_stop(int32_t pidfd);
// Waits, blocking, until a child in the group stops (1, and the stop is taken) or no living one is left (0).
int32_t ipc_wait_for_stop_in_group(int32_t group);
// Stops this process, and the others of its group, as Ctrl-Z does; returns when it is continued. Does nothing and gives 0
// where nobody could continue it: the shell that started it is not its parent.
int32_t ipc_stop_own_group(void);
// Waits for a child that has no descriptor, whose number is still its own.
void ipc_reap_by_number(int32_t pid);
// How a child ended that somebody else reaped, where the kernel still knows (6.15 and newer): 1, else 0.
int32_t ipc_end_of_reaped(int32_t pidfd, struct ipc_end *_Nonnull end);

#endif
