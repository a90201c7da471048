// A body, and what ends that for which it was run, however it goes.

enum Scope {
    /// Runs a body and then its end. Of two errors the body's is the one to know.
    static func run<Result>(_ body: () async throws -> Result, endingBy end: () throws -> Void) async throws -> Result {
        let result: Result
        do { result = try await body() } catch {
            try? end()
            throw error
        }
        try end()
        return result
    }
}
