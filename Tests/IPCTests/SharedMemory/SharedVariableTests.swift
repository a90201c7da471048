// Variables that processes share: exact counts, old or new and never half, waits for a change, refusals.
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import IPC

private struct Position: BitwiseCopyable, Equatable {
    var x: Int32 = 0
    var y = 0.0
    var isValid = false
}

private struct Settings: Codable, Equatable {
    var title = "none"
    var names: [String] = []
    var limit: Int?
}

@Suite(.guarded)
struct SharedVariableTests {
    private let limit = Duration.seconds(20)

    private func refused(_ kind: SharedObjectError.Kind, _ body: () throws -> Void) {
        let error = #expect(throws: SharedObjectError.self, performing: body)
        #expect(error?.kind == kind, "\(error.map(String.init(describing:)) ?? "")")
    }

    @Test("S-96: a variable is shared: eight processes add ten thousand each", arguments: Place.allCases)
    func exact(_ place: Place) async throws {
        let (processes, times) = isOptimized ? (8, 10_000) : (4, 1_000)
        try await place.run {
            try await SharedVariable.withNew(named: sharedName("exact"), initialValue: 0) { counter in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<processes {
                        group.addTask { try await sharer("increment", counter.name, times).run() }
                    }
                    group.addTask { for _ in 0..<times { try await counter.withLock { $0 += 1 } } }
                    try await group.waitForAll()
                }
                #expect(try counter.value == (processes + 1) * times)
            }
        }
    }

    @Test("S-96: a list of any length, appended to by several processes, has all of it")
    func exactCoded() async throws {
        try await SharedVariable.withNew(named: sharedName("list"), initialValue: [Int](), sizeLimit: 1 << 20) { list in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await sharer("append", list.name, 100).run() } }
                try await group.waitForAll()
            }
            #expect(try list.value == Array(0..<400))
        }
    }

    @Test("Values of every size are read as they were written, in one process and in two")
    func sizes() async throws {
        func check<Value: BitwiseCopyable & Sendable & Equatable>(_ first: Value, _ second: Value) throws {
            let name = sharedName("size\(MemoryLayout<Value>.size)")
            let variable = try SharedVariable(named: name, initialValue: first)
            defer { try? variable.remove() }
            let other = try SharedVariable(named: name, initialValue: second)
            #expect(try variable.wasCreated && !other.wasCreated && other.value == first)
            for round in 0..<5 {
                let next = round % 2 == 0 ? second : first
                let former = try other.tryWithLock { value in
                    let former = value
                    value = next
                    return former
                }
                #expect(try former == (round % 2 == 0 ? first : second) && variable.value == next)
            }
            #expect(try variable.snapshot.version == 5)
        }
        try check(UInt8(1), 2)
        try check(Int64.min, .max)
        try check(Position(), Position(x: 1, y: 2, isValid: true))
        try check(SIMD8<Double>(repeating: 1), SIMD8(repeating: 2))
        try check(true, false)
        try check(Optional(3), nil)
        struct Ragged: BitwiseCopyable, Equatable {
            var a = SIMD4<Float>(repeating: 1)
            var b: UInt8 = 1
        }
        try check(Ragged(), Ragged(a: .init(repeating: 3), b: 9))
        let wide = try SharedVariable(named: sharedName("wide"), initialValue: Wide())
        defer { try? wide.remove() }
        try await wide.withLock { $0 = Wide(filledWith: 5) }
        #expect(try wide.value.words[1023] == 5)
    }

    @Test("M9, M10: while a writer is killed again and again, every reader finds one whole value, and never waits")
    func neverHalf() async throws {
        let name = sharedName("half")
        let wide = try SharedVariable(named: name, initialValue: Wide())
        defer { try? wide.remove() }
        var last = 0
        for _ in 0..<(isOptimized ? 100 : 20) {
            try await withSharer("fill", name) { child in
                for _ in 0..<20 {
                    let value = try wide.value
                    #expect((0..<1024).allSatisfy { value.words[$0] == value.words[0] })
                    #expect(value.words[0] >= last)
                    last = value.words[0]
                }
                try child.send(.kill)
            }
            let value = try wide.value
            #expect((0..<1024).allSatisfy { value.words[$0] == value.words[0] })
            try await wide.withLock(timeout: limit) { $0 = Wide(filledWith: $0.words[0] + 1) }
        }
    }

    @Test("M1: a change that its process did not live to make is none, and the next goes on")
    func killedInside() async throws {
        try await SharedVariable.withNew(named: sharedName("inside"), initialValue: 5) { variable in
            for _ in 0..<10 {
                try await withSharer("change", variable.name, 99) { child in
                    let (seen, taken) = (try variable.value, try variable.tryWithLock { $0 })
                    #expect(seen == 5 && taken == nil && variable.holder == child.processID)
                    let error = await #expect(throws: TimeoutError.self) {
                        try await variable.withLock(timeout: .milliseconds(5)) { _ in }
                    }
                    #expect(error?.subject.contains("held by process \(child.processID)") ?? false)
                }
                #expect(try await variable.withLock { $0 } == 5)
            }
        }
    }

    @Test("A body that throws has changed nothing, and neither has one that writes what was there")
    func throwing() async throws {
        struct Stop: Error {}
        try await SharedVariable.withNew(named: sharedName("throws"), initialValue: Position()) { variable in
            await #expect(throws: Stop.self) {
                try await variable.withLock { value in
                    value.x = 9
                    throw Stop()
                }
            }
            try await variable.withLock { $0 = Position() }
            #expect(try variable.value == Position() && variable.snapshot.version == 0)
        }
    }

    @Test("Coded values: of any length up to the limit, whole, and an error beyond it that changes nothing")
    func coded() async throws {
        let name = sharedName("coded")
        try await SharedVariable.withNew(named: name, initialValue: Settings(), sizeLimit: 100_000) { settings in
            try await settings.withLock { $0.names = (0..<1000).map { "name \($0)" } }
            let other = try SharedVariable(named: name, initialValue: Settings(), sizeLimit: 100_000)
            #expect(try other.value.names.count == 1000)
            try await other.withLock { $0 = Settings(title: "short", limit: 3) }
            #expect(try settings.value == Settings(title: "short", limit: 3))
            let error = await #expect(throws: SharedObjectError.self) {
                try await settings.withLock { $0.title = String(repeating: "x", count: 100_000) }
            }
            #expect(error?.kind == .tooLarge)
            #expect(try settings.value.title == "short")
            refused(.wrongSize) { _ = try SharedVariable(named: name, initialValue: Settings(), sizeLimit: 99_000) }
            refused(.wrongLayout) { _ = try SharedVariable(named: name, initialValue: ["a"], sizeLimit: 100_000) }
            refused(.wrongLayout) { _ = try SharedVariable(named: name, initialValue: 1) }
        }
        refused(.tooLarge) {
            _ = try SharedVariable(named: name, initialValue: String(repeating: "x", count: 100), sizeLimit: 50)
        }
        refused(.outOfRange) { _ = try SharedVariable(named: name, initialValue: "", sizeLimit: 0) }
        #expect(access(sharedPath(name), F_OK) != 0)
    }

    @Test("M5: another type by the same name is refused, and a pointer by any name")
    func layouts() throws {
        let name = sharedName("layout")
        let variable = try SharedVariable(named: name, initialValue: 1)
        defer { try? variable.remove() }
        struct Same: BitwiseCopyable { var value = 1 }
        for other in [
            { _ = try SharedVariable(named: name, initialValue: UInt(1)) },
            { _ = try SharedVariable(named: name, initialValue: 1.0) },
            { _ = try SharedVariable(named: name, initialValue: Same()) },
            { _ = try SharedVariable(named: name, initialValue: Position()) },
            { _ = try RobustLock(named: name) },
        ] as [() throws -> Void] { refused(.wrongLayout, other) }
        #expect(try SharedVariable(named: name, initialValue: 7).value == 1)
        struct Pointing: BitwiseCopyable, @unchecked Sendable { var place: UnsafeRawPointer? }
        refused(.wrongLayout) { _ = try SharedVariable(named: sharedName("pointer"), initialValue: Pointing()) }
    }

    @Test("A wait for a change ends with the change of another process", arguments: Place.allCases)
    func waiting(_ place: Place) async throws {
        try await place.run {
            try await SharedVariable.withNew(named: sharedName("waiting"), initialValue: 0) { variable in
                let known = try variable.snapshot
                async let change = variable.waitForChange(since: known.version, timeout: limit)
                try await sharer("increment", variable.name, 1).run()
                let new = try await change
                #expect(new.value == 1 && new.version == 1)
                #expect(try await variable.waitForChange(since: 0, timeout: .zero).value == 1, "it is another already")
                async let hundred = variable.wait(timeout: limit) { $0 >= 100 }
                try await sharer("increment", variable.name, 120).run()
                #expect(try await hundred >= 100)
                await #expect(throws: TimeoutError.self) {
                    try await variable.waitForChange(since: try variable.snapshot.version, timeout: .milliseconds(20))
                }
                await #expect(throws: TimeoutError.self) {
                    try await variable.wait(timeout: .milliseconds(20)) { $0 < 0 }
                }
                let task = Task { try await variable.wait { $0 < 0 } }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                try await OwnThread.other.run {
                    _ = #expect(throws: TimeoutError.self) {
                        try variable.waitForChange(since: try variable.snapshot.version, timeout: .milliseconds(20))
                    }
                }
            }
        }
    }

    @Test("V5: of many processes and tasks that make it at once, none sees it without its first value")
    func creators() async throws {
        for round in 0..<(isOptimized ? 1000 : 200) {
            let name = sharedName("creators\(round)")
            let values = try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
                for _ in 0..<4 {
                    group.addTask { @concurrent in
                        let variable = try SharedVariable(named: name, initialValue: 77)
                        return (try variable.value, variable.wasCreated)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(values.allSatisfy { $0.0 == 77 } && values.count { $0.1 } == 1)
            try SharedVariable(named: name, initialValue: 0, opening: .open).remove()
        }
    }

    @Test(
        "M5, M6: every byte of the page set to 0x00, 0xFF and others: a typed error or a right value, never a trap or a hang"
    )
    func everyByte() async throws {
        let name = sharedName("bytes")
        let variable = try SharedVariable(named: name, initialValue: 0x0123_4567_89AB_CDEF)
        defer { try? variable.remove() }
        let memory = try SharedMemory(existing: name)
        let good = try memory.read(count: memory.size)
        var generator = Chance(seed: 8)
        var kinds: [SharedObjectError.Kind: Int] = [:]
        func note(_ body: () async throws -> Int?) async throws {
            do {
                let value = try await body()
                #expect(value == 0x0123_4567_89AB_CDEF)
            } catch let error as SharedObjectError {
                kinds[error.kind, default: 0] += 1
            } catch is TimeoutError {}
        }
        // What never changes, a part of what is nothing, and the line of what does.
        for place in Array(0..<72) + Array(4016..<4096) {
            for byte in [0x00, 0xFF, UInt8.random(in: .min ... .max, using: &generator)] {
                try memory.write(good)
                try memory.write([byte], at: place)
                try await note { try SharedVariable(named: name, initialValue: 1).value }
                try await note { try variable.value }
                try await note { try await variable.withLock(timeout: .milliseconds(500)) { $0 } }
                try await note {
                    try await SharedVariable(named: name, initialValue: 1).withLock(timeout: .milliseconds(500)) { $0 }
                }
            }
        }
        try memory.write(good)
        #expect(kinds[.damaged, default: 0] > 100)
        // All of it at once.
        for byte in [0x00, 0xFF] as [UInt8] {
            try memory.write([UInt8](repeating: byte, count: memory.size))
            refused(.wrongLayout) { _ = try SharedVariable(named: name, initialValue: 1) }
            try await note { try variable.value }
            try await note { try await variable.withLock(timeout: .milliseconds(500)) { $0 } }
        }
        try memory.write(good)
        try memory.write([1], at: 4096 - 56)
        refused(.damaged) { _ = try variable.value }
        try await variable.replace(with: 4)
        #expect(try variable.value == 4, "whoever knows better mends it")
    }

    @Test("M5: the same for a coded value, with its lengths, and for one larger than the page")
    func everyByteOfOthers() async throws {
        let (coded, wide) = (sharedName("bytes-coded"), sharedName("bytes-wide"))
        let text = try SharedVariable(named: coded, initialValue: "hello", sizeLimit: 10_000)
        let numbers = try SharedVariable(named: wide, initialValue: Wide(filledWith: 7))
        defer {
            try? text.remove()
            try? numbers.remove()
        }
        var generator = Chance(seed: 9)
        func check(_ name: String, _ use: () async throws -> Bool) async throws -> Int {
            let memory = try SharedMemory(existing: name)
            let good = try memory.read(count: memory.size)
            var damaged = 0
            for place in Array(0..<72) + Array(128..<144) + Array(4032..<4112) {
                for byte in [0x00, 0xFF, UInt8.random(in: .min ... .max, using: &generator)] {
                    try memory.write(good)
                    try memory.write([byte], at: place)
                    do {
                        let isRight = try await use()
                        #expect(isRight, "\(name), byte \(place), \(byte)")
                    } catch let error as SharedObjectError {
                        if error.kind == .damaged { damaged += 1 }
                    } catch is TimeoutError {}
                }
            }
            try memory.write(good)
            return damaged
        }
        let first = try await check(coded) {
            let new = try SharedVariable(named: coded, initialValue: "", sizeLimit: 10_000)
            let locked = try await new.withLock(timeout: .milliseconds(500)) { $0 }
            return try text.value == "hello" && new.value == "hello" && locked == "hello"
        }
        let second = try await check(wide) {
            let new = try SharedVariable(named: wide, initialValue: Wide())
            let locked = try await new.withLock(timeout: .milliseconds(500)) { $0.words[1023] }
            return try numbers.value.words[0] == 7 && new.value.words[1023] == 7 && locked == 7
        }
        #expect(first > 50 && second > 50)
    }

    @Test("M3: a variable whose file is cut short is an error, and no SIGBUS", arguments: [0, 1, 4096])
    func truncated(size: Int) async throws {
        let name = sharedName("cut")
        let wide = try SharedVariable(named: name, initialValue: Wide())
        #expect(truncate(sharedPath(name), size) == 0)
        refused(.truncated) { _ = try wide.value }
        let error = await #expect(throws: SharedObjectError.self) {
            try await wide.withLock { $0 = Wide(filledWith: 1) }
        }
        #expect(error?.kind == .truncated)
        refused(size == 4096 ? .damaged : .wrongLayout) { _ = try SharedVariable(named: name, initialValue: Wide()) }
        unlink(sharedPath(name))
    }

    @Test("M3: who waits for a change is told that the file was cut short")
    func truncatedWaiting() async throws {
        let variable = try SharedVariable(named: sharedName("cutwait"), initialValue: 1)
        defer { unlink(sharedPath(variable.name)) }
        #expect(truncate(sharedPath(variable.name), 0) == 0)
        let error = await #expect(throws: SharedObjectError.self) {
            try await variable.waitForChange(since: 0, timeout: limit)
        }
        #expect(error?.kind == .truncated)
    }

    @Test("M5: a type has one layout in all processes, a private one too")
    func privateTypes() async throws {
        let name = sharedName("state")
        defer { unlink(sharedPath(name)) }
        #expect(try await sharer("state", name).read() == "first")
        #expect(try await sharer("state", name).read() == "second")
        struct Cursor: BitwiseCopyable { var mousePointerX = 0.0 }
        let cursor = try SharedVariable(named: sharedName("cursor"), initialValue: Cursor())
        try cursor.remove()
        enum Old: UInt8, CaseIterable { case one, two }
        struct New { enum Old: UInt8, CaseIterable { case one, two, three } }
        #expect(try SharedLayout.number(of: Old.one, "") != SharedLayout.number(of: New.Old.one, ""))
        #expect(SharedLayout.name(of: Old.self).contains("Old") && !SharedLayout.name(of: Old.self).contains("$"))
    }

    @Test("M11: a forked child gives back no lock of its parent")
    func forked() async throws {
        try await SharedVariable.withNew(named: sharedName("fork"), initialValue: 1) { variable in
            let object = variable.object
            try await OwnThread.other.run {
                _ = try object.take("test", nil)
                defer { object.leave() }
                let child = fork()
                if child == 0 {
                    object.leave()
                    _exit(0)
                }
                var status: Int32 = 0
                #expect(waitpid(child, &status, 0) == child && status == 0)
                let holder = object.holder
                #expect(holder == .current)
            }
            try await variable.withLock { $0 += 1 }
        }
    }

    @Test("M16: many who open it, use it and are killed at any moment leave it as it should be")
    func attachAndDie() async throws {
        try await SharedVariable.withNew(named: sharedName("die"), initialValue: 0) { counter in
            for round in 0..<(isOptimized ? 200 : 40) {
                let child = try await sharer("increment", counter.name, 1_000_000).output(.discard).start()
                let target = try counter.value + round % 7
                _ = try await counter.wait(timeout: limit) { $0 > target }
                try child.send(.kill)
                _ = try await child.wait()
            }
            let before = try counter.value
            try await counter.withLock(timeout: limit) { $0 += 1 }
            #expect(try counter.value == before + 1)
        }
    }
}

/// As ``TestSharers`` has it.
private struct Wide: BitwiseCopyable {
    var words = InlineArray<1024, Int>(repeating: 0)

    init(filledWith number: Int = 0) { words = InlineArray(repeating: number) }
}
