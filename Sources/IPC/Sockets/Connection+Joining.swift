// Joining a connection with other streams, both ways at once.
import SystemPackage

/// How many bytes went each way.
public struct JoinedBytes: Hashable, Sendable {
    /// What the connection's peer was sent.
    public let sent: Int
    /// What came from it.
    public let received: Int
}

extension Connection {
    /// Copies what is read from `input` to the peer, and what comes from the peer to `output`, both at the same time, each piece as
    /// soon as it is there.
    ///
    /// The end of `input` ends our direction of the connection alone. The end of what the peer sends ends all, whether or not
    /// `input` is at its end; nothing is taken from it then that would be lost.
    ///
    /// - Throws: what reading and writing throw; the connection is left open. That the peer reads no more is not an error: what it
    ///   sends is copied on.
    @discardableResult
    public func join(reading input: ByteReader, writing output: ByteWriter) async throws -> JoinedBytes {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            defer { group.cancelAll() }
            let began = self.output.bytesWritten
            let counter = output.bytesWritten
            group.addTask {
                do { try await input.copy(to: self.output) } catch let error as SystemError
                    where error.subject == self.name && (error.errno == .brokenPipe || error.errno == .connectionReset)
                {}
                try? self.closeOutput()
                return false
            }
            group.addTask {
                do { try await self.input.copy(to: output) } catch let error as SystemError
                    where error.subject == self.name && error.errno == .connectionReset
                {}
                return true
            }
            while let isOver = try await group.next() { if isOver { break } }
            return JoinedBytes(sent: self.output.bytesWritten - began, received: output.bytesWritten - counter)
        }
    }

    /// Joins two connections: what comes from the peer of one goes to that of the other, both ways, each direction to its own end.
    ///
    /// Both are closed in the end.
    ///
    /// - Throws: what reading and writing throw, `ECONNRESET` among them if one peer broke off; the other connection is then reset
    ///   too.
    @discardableResult
    public func join(_ other: Connection) async throws -> JoinedBytes {
        do {
            async let there: Int = pass(from: self, to: other)
            async let back: Int = pass(from: other, to: self)
            let (received, sent) = (try await there, try await back)
            close()
            other.close()
            return JoinedBytes(sent: sent, received: received)
        } catch {
            reset()
            other.reset()
            throw error
        }
    }

    private func pass(from source: Connection, to target: Connection) async throws -> Int {
        let before = target.output.bytesWritten
        do {
            do { try await source.input.copy(to: target.output) } catch let error as SystemError
                where error.errno == .connectionReset && error.subject == source.name && source.peer.port == nil
            {
                // Over a Unix socket this only says that it did not read all that it was sent; what it said came whole.
            }
            try target.closeOutput()
            return target.output.bytesWritten - before
        } catch {
            // The other direction has nobody to go to any more.
            source.reset()
            target.reset()
            throw error
        }
    }
}
