// systemv semaphore|semaphores|queue: System V IPC.
//
//   semaphore    semop, one more and one less, nobody else there
//   semaphores   two semaphores, each given by one process and taken by the other, in turns
//   queue        64 bytes to another process and back
#include "floor.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static void step(int id, int index, int amount) {
    struct sembuf operation = {.sem_num = (unsigned short)index, .sem_op = (short)amount};
    must(semop(id, &operation, 1), "semop");
}

struct message {
    long type;
    char bytes[64];
};

int main(int count, char **words) {
    const char *kind = count == 2 ? words[1] : "";
    int alone = !strcmp(kind, "semaphore"), queues = !strcmp(kind, "queue");
    if (!alone && !queues && strcmp(kind, "semaphores")) usage("systemv semaphore|semaphores|queue");
    int id = (int)must(queues ? msgget(IPC_PRIVATE, 0600) : semget(IPC_PRIVATE, 2, 0600), "get");
    struct message message = {.type = 1};
    pid_t child = alone ? 0 : (pid_t)must(fork(), "fork");
    place(child || alone ? PARENT : CHILD);
    if (!alone && child == 0) {
        must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
        for (;;) {
            if (queues) {
                must(msgrcv(id, &message, sizeof message.bytes, 1, 0), "msgrcv");
                message.type = 2;
                must(msgsnd(id, &message, sizeof message.bytes, 0), "msgsnd");
            } else {
                step(id, 0, -1);
                step(id, 1, 1);
            }
        }
    }
    double begin = now(), limit = seconds(), took;
    long rounds = 0;
    do {
        for (int i = 0; i < 32; i++, rounds++) {
            if (queues) {
                message.type = 1;
                must(msgsnd(id, &message, sizeof message.bytes, 0), "msgsnd");
                must(msgrcv(id, &message, sizeof message.bytes, 2, 0), "msgrcv");
            } else {
                step(id, 0, 1);
                step(id, alone ? 0 : 1, -1);
            }
        }
        took = now() - begin;
    } while (took < limit);
    if (child) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    if (queues) msgctl(id, IPC_RMID, NULL);
    else semctl(id, 0, IPC_RMID);
    result(kind, (double)rounds / took, alone ? "pairs/s" : "rt/s");
}
