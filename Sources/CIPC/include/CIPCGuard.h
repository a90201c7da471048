// The guard: what has to be put in order whatever ends this process, be it a signal or a fault.
#ifndef CIPC_GUARD_H
#define CIPC_GUARD_H

#include "CIPCTerminal.h"

#include <stdint.h>

// Its handlers are there while there is something to guard, and only where nobody handles or ignores a signal.
//
// Terminals. While a scope is entered, a signal that ends or stops this process first puts the terminal's `former` modes
// back; continued, the process has its `own` ones again. Neither is done from the background, where the terminal is another's.
//
// A number for ipc_guard_terminal_leave, or the error number negated; -EBUSY with too many scopes. No two threads may call
// functions of the guard at once.
int32_t ipc_guard_terminal_enter(
    int32_t fd, const struct ipc_terminal_modes *_Nonnull former, const struct ipc_terminal_modes *_Nonnull own);
// The scope's own modes, as they turned out once they were set.
void ipc_guard_terminal_update(int32_t scope, const struct ipc_terminal_modes *_Nonnull own);
void ipc_guard_terminal_leave(int32_t scope);

// Files. What is added is removed when the process ends, if it is the same file still. A path from the root on, of at most 4,095
// bytes; a number for ipc_guard_file_leave, or the error number negated: -EBUSY with too many.
int32_t ipc_guard_file_enter(const char *_Nonnull path, uint64_t device, uint64_t inode);
void ipc_guard_file_leave(int32_t file);

#endif
