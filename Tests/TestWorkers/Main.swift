// A program with a worker, entered as programs do: by the first statement of main. IPC_TEST_NO_ENTRY leaves that out.
import Glibc
import IPC

struct Double: Worker {
    static func run(_ request: Int) async throws -> Int {
        print("worker")
        return request * 2
    }
}

@main
struct TestWorkers {
    static func main() throws {
        if getenv("IPC_TEST_NO_ENTRY") == nil { Workers.runIfRequested() }
        print("main")
        try EventLoop.run {
            do {
                let reply = try await Double.perform(21, timeout: .seconds(20)) { $0.environment(.inherited) }
                print("reply \(reply)")
            } catch { print(error) }
        }
    }
}
