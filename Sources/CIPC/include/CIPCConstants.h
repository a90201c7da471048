// Constants whose value differs by architecture or whose type differs by C library; given their values in constants.c.
#ifndef CIPC_CONSTANTS_H
#define CIPC_CONSTANTS_H

#include <stdint.h>

extern const int32_t IPC_O_RDONLY, IPC_O_WRONLY, IPC_O_RDWR, IPC_O_CREAT, IPC_O_EXCL, IPC_O_TRUNC, IPC_O_APPEND;
extern const int32_t IPC_O_CLOEXEC, IPC_O_NONBLOCK, IPC_O_NOFOLLOW, IPC_O_NOCTTY, IPC_O_DIRECTORY, IPC_O_PATH;
extern const uint32_t IPC_EPOLLIN, IPC_EPOLLOUT, IPC_EPOLLERR, IPC_EPOLLHUP, IPC_EPOLLRDHUP, IPC_EPOLLPRI;
extern const int32_t IPC_EPOLL_ADD, IPC_EPOLL_MOD, IPC_EPOLL_DEL;
extern const int32_t IPC_RWF_NOWAIT, IPC_RWF_NOSIGNAL;
extern const int32_t IPC_SIGRTMIN_KERNEL;

#endif
