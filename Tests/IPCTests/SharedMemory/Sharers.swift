// What the tests of shared objects have in common: names of their own, and other processes that use them.
import Glibc
import IPC

/// A name that no other run of the tests uses.
func sharedName(_ word: String) -> String { "/ipc-test-\(getpid())-\(word)" }

/// The file behind a name, for those who do to it what they should not.
func sharedPath(_ name: String) -> String { "/dev/shm" + name }

/// Another process that does one thing with a name.
func sharer(_ verb: String, _ name: String, _ number: Int? = nil) -> Command {
    Command(TestChild.beside("TestSharers"), arguments: [verb, name] + (number.map { ["\($0)"] } ?? []))
}

/// Starts one, waits until it says that it is where it should be, and has the body find it there. It is killed then, if it still lives.
func withSharer<Result>(
    _ verb: String, _ name: String, _ number: Int? = nil, _ body: (Child) async throws -> Result
) async throws -> Result {
    let child = try await sharer(verb, name, number).output(.pipe).start()
    do {
        _ = try await child.standardOutput?.readLine(timeout: .seconds(20))
        let result = try await body(child)
        try? child.send(.kill)
        _ = try await child.wait()
        return result
    } catch {
        try? child.send(.kill)
        _ = try await child.wait()
        throw error
    }
}
