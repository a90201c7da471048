// What the peers have in common: the settings of a measurement, and how it is said.
import Foundation

/// The seconds on a clock that only goes forward.
public func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// A setting of the environment.
public func setting(_ name: String, _ standard: Double) -> Double {
    ProcessInfo.processInfo.environment[name].flatMap { Double($0) } ?? standard
}

/// Says the outcome of a measurement.
public func report(_ value: Double, _ unit: String) { print("R - \(value) \(unit)") }

/// How often in a second, one after the other; the first time does not count.
public func rate(_ once: () async throws -> Void) async throws -> Double {
    try await once()
    let (start, limit) = (now(), setting("BENCH_SECS", 0.4))
    var (count, end) = (0.0, start)
    repeat {
        try await once()
        count += 1
        end = now()
    } while end - start < limit
    return count / (end - start)
}

/// A descriptor that a careless library has opened, without close-on-exec.
public func openCarelessly() { _ = open("/dev/null", O_RDONLY) }
