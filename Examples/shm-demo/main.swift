// Shared memory: made, written, read, removed. The manual, lines 1170-1183: shmget, shmwrite, shmread, IPC_RMID.
//
//     shm-demo
//
// The segment is for its owner alone, its places are checked, and it is gone however the scope ends, even by SIGKILL.
import IPC

try EventLoop.run {
    try await SystemV.SharedSegment.withNew(size: 2000) { segment in
        print("shm key \(segment.id)")

        try segment.write(Array("Message #1".utf8), paddedTo: 60)
        let text = try segment.text(count: 60)
        print(text == "Message #1" ? "same" : "not same")

        print("deleting shm \(segment.id)")
    }
}
