// The values behind CIPCConstants.h, as this system's headers give them.
#define _GNU_SOURCE
#include "CIPCConstants.h"

#include <fcntl.h>
#include <sys/epoll.h>

const int32_t IPC_O_RDONLY = O_RDONLY, IPC_O_WRONLY = O_WRONLY, IPC_O_RDWR = O_RDWR, IPC_O_CREAT = O_CREAT,
              IPC_O_EXCL = O_EXCL, IPC_O_TRUNC = O_TRUNC, IPC_O_APPEND = O_APPEND;
const int32_t IPC_O_CLOEXEC = O_CLOEXEC, IPC_O_NONBLOCK = O_NONBLOCK, IPC_O_NOFOLLOW = O_NOFOLLOW,
              IPC_O_NOCTTY = O_NOCTTY, IPC_O_DIRECTORY = O_DIRECTORY, IPC_O_PATH = O_PATH;
const uint32_t IPC_EPOLLIN = EPOLLIN, IPC_EPOLLOUT = EPOLLOUT, IPC_EPOLLERR = EPOLLERR, IPC_EPOLLHUP = EPOLLHUP,
               IPC_EPOLLRDHUP = EPOLLRDHUP, IPC_EPOLLPRI = EPOLLPRI;
const int32_t IPC_EPOLL_ADD = EPOLL_CTL_ADD, IPC_EPOLL_MOD = EPOLL_CTL_MOD, IPC_EPOLL_DEL = EPOLL_CTL_DEL;
const int32_t IPC_RWF_NOWAIT = 0x08;     // linux/fs.h, since 4.14; pipes since 5.x
const int32_t IPC_RWF_NOSIGNAL = 0x100;  // linux/fs.h, since 6.18: no SIGPIPE for this one write
const int32_t IPC_SIGRTMIN_KERNEL = 32;
