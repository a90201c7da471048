// One whole payload for each reader of a FIFO.
import CIPC
public import SystemPackage

extension FIFO {
    /// Gives each reader of a FIFO one whole payload, until the task is cancelled; ends only by throwing.
    ///
    /// ```swift
    /// try await FIFO.serve(at: ".signature") { try await Command("fortune", "-s").capture().output.bytes }
    /// ```
    ///
    /// Each reader meets a FIFO of its own: as soon as somebody has opened it, another one takes its name, so that nobody sees
    /// the end of somebody else's payload or a part of it. A reader that leaves early, or never reads, disturbs nobody. A FIFO
    /// that is at the path already and is ours is used, with whoever waits there; one that is removed is made anew at once.
    ///
    /// Two readers can open within the same few microseconds and so meet the same FIFO. Where the kernel tells who opens a file
    /// (`fanotify`, Linux 5.13), each of them gets a payload of its own, one after the other: a whole one if it fits into one read
    /// of theirs.
    ///
    /// When this ends, by an error or a cancellation, the FIFO is removed; in a program that is ended by a signal, if it runs under
    /// ``Signal/cancelling(on:during:)-(Signal...,_)``. Of two servers at one path the later one has it, and the former ends.
    ///
    /// - Parameters:
    ///   - path: where readers find the FIFO.
    ///   - permissions: those of the FIFO, whatever the umask is.
    ///   - readers: so many can be served at the same time; while there are more, they wait.
    ///   - timeout: so long a reader may take for its payload. One that takes longer sees the end early.
    ///   - payload: makes the bytes for one reader, who is there by then. Called for several at the same time.
    /// - Throws: ``SystemError``, with `EEXIST` if there is another sort of file at the path, with `ESTALE` if another file has been
    ///   put there; what `payload` throws; `CancellationError`.
    public static func serve(
        at path: FilePath, permissions: FilePermissions = .ownerReadWrite, readers: Int = 64,
        timeout: Duration? = .seconds(30), payload: @escaping @Sendable () async throws -> [UInt8]
    ) async throws {
        let server = FIFOServer(path: path, permissions: permissions, timeout: timeout, payload: payload)
        try await server.run(most: max(1, readers))
    }
}

/// Serves a path, with one FIFO for each reader.
private struct FIFOServer: Sendable {
    let path: FilePath
    let permissions: FilePermissions
    let timeout: Duration?
    let payload: @Sendable () async throws -> [UInt8]

    /// A reader who has come, and the FIFO that it has met.
    private struct Visit: Sendable {
        let generation: FIFOGeneration
        let end: SentDescriptor
    }

    func run(most: Int) async throws {
        let (visits, hall) = AsyncStream.makeStream(of: Visit.self)
        let (free, places) = AsyncStream.makeStream(of: Void.self)
        for _ in 0..<most { places.yield() }
        // Whichever fails ends the others: the one that receives, and those that serve.
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                defer { hall.finish() }
                try await receive(free) { hall.yield($0) }
            }
            for await visit in visits {
                group.addTask {
                    defer { places.yield() }
                    try await visit.generation.serve(visit.end.take(), timeout, payload)
                }
            }
        }
        throw CancellationError()
    }

    /// Meets one reader after the other, as long as there is a place for one more.
    private func receive(_ places: AsyncStream<Void>, _ handOn: (Visit) -> Void) async throws {
        var current = FIFOGeneration(try firstFile())
        defer { current.file.remove() }
        var place: Void?
        var waiting = places.makeAsyncIterator()
        while true {
            if place == nil { place = await waiting.next() }
            // Made before it is needed: between a reader's coming and the change of the name there is one call.
            let next = FIFOGeneration(try FIFOFile.make(besides: path, permissions))
            do {
                if let end = try await current.meetReader(andGiveNameTo: next) {
                    handOn(Visit(generation: current, end: SentDescriptor(end)))
                    place = nil
                }
            } catch {
                next.file.remove(orFile: current.file)
                throw error
            }
            current = next
        }
    }

    /// The FIFO that is there, if it is ours, or a new one.
    private func firstFile() throws -> FIFOFile {
        if FIFO.exists(at: path) {
            let file = try FIFOFile(at: path, .ourselves)
            try SystemCall.perform("serve", on: path.string) {
                ipc_change_mode(file.ownPath, UInt32(permissions.rawValue))
            }
            return file
        }
        return try FIFO.make(at: path, permissions: permissions).file
    }
}
