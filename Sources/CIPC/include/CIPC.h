// What Swift cannot call itself: variadic calls, macros, calls that glibc hides behind _GNU_SOURCE, and the path from
// clone to exec. Every function here makes one kernel call and returns its result, or the error number negated, so that
// nothing can come between a call and its errno. No logic lives here that Swift can hold, no libc type shows.
#ifndef CIPC_H
#define CIPC_H

#ifdef __linux__
#include <features.h>
#endif
#ifndef __GLIBC__
#error "swift-ipc is for Linux with glibc: nothing of it is tested elsewhere"
#endif

#include "CIPCCalls.h"
#include "CIPCConstants.h"
#include "CIPCDaemon.h"
#include "CIPCDescriptors.h"
#include "CIPCFiles.h"
#include "CIPCGuard.h"
#include "CIPCIdentity.h"
#include "CIPCPosix.h"
#include "CIPCSharedMemory.h"
#include "CIPCSignals.h"
#include "CIPCSockets.h"
#include "CIPCSpawn.h"
#include "CIPCSystemV.h"
#include "CIPCTasks.h"
#include "CIPCTerminal.h"
#include "CIPCThreads.h"

#endif
