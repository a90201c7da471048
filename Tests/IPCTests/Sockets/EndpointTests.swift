// Endpoints as text, ports, addresses and names.
import Testing

@testable import IPC

@Suite(.guarded)
struct EndpointTests {
    @Test(
        "What is read is said again in the same words",
        arguments: [
            "tcp:example.org:80", "tcp:80", "tcp:*:http", "udp:127.0.0.1:9", "tcp:[::1]:80", "tcp:[fe80::1%eth0]:80",
            "unix:app.sock", "unix:/run/app sock", "unix-seqpacket:a", "unix-datagram:a", "abstract:name", "udp:53",
            "tcp:example.org:daytime(13)",
        ])
    func text(_ text: String) throws { #expect(try Endpoint(text).description == text) }

    @Test(
        "What is no endpoint says why",
        arguments: [
            ("", "say tcp:HOST:PORT"), ("example.org", "say tcp:HOST:PORT"), ("http:80", "'http' is none of"),
            ("tcp:", "nothing behind the colon"), ("tcp::80", "a host and a port are needed"),
            ("tcp:host:", "a host and a port are needed"), ("tcp:::1:80", "an IPv6 address stands in brackets"),
            ("tcp:[::1]", "a bracket without its end"), ("tcp:[]:80", "a host and a port are needed"),
            ("unix:", "nothing"),
            ("unix:a\0b", "nothing behind the colon"),
        ])
    func defects(_ text: String, _ reason: String) {
        let error = #expect(throws: EndpointError.self) { try Endpoint(text) }
        #expect(error?.kind == .invalidText)
        #expect(error?.detail.contains(reason) == true, "\(error?.detail ?? "")")
    }

    @Test("S-55, N16: ports are numbers, names, or names with a number for systems that do not know them")
    func ports() throws {
        #expect(try Port("80").number() == 80 && Port(0).number() == 0 && Port("65535").number() == 65535)
        #expect(try Port("nonsense-service(1234)").number() == 1234)
        for text in ["65536", "-1", "", "80(", "x(70000)", "x y", "99999999999999999999"] {
            let error = #expect(throws: EndpointError.self) { try Port(text).number() }
            #expect(error?.kind == .invalidPort)
        }
        let unknown = #expect(throws: EndpointError.self) { try Port("nonsense-service").number() }
        #expect(unknown?.kind == .unknownService)
    }

    @Test("S-77: old forms of addresses are understood, everywhere alike")
    func addresses() async throws {
        for (text, host) in [
            ("127.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("::1", "::1"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ] {
            #expect(try SocketAddress(numeric: text, port: 80).host == host)
            #expect(try await NameLookup.addresses(of: text).first?.host == host)
        }
        #expect(try SocketAddress(numeric: "::1", port: 80).description == "[::1]:80")
        for text in ["", "example.org", "1.2.3.4.5", "::g", "1.2.3.256"] {
            #expect(throws: EndpointError.self) { try SocketAddress(numeric: text, port: 80) }
        }
        #expect(try SocketAddress(numeric: "127.3.4.5", port: 1).isLoopback)
        #expect(try !SocketAddress(numeric: "10.0.0.1", port: 1).isLoopback)
    }

    @Test("N19: a path of 107 bytes is one, a longer one is refused and never cut")
    func paths() throws {
        let long = FilePath("/" + String(repeating: "x", count: 106))
        #expect(try SocketAddress(path: long).path == long)
        let error = #expect(throws: EndpointError.self) { try SocketAddress(path: long.appending("y")) }
        #expect(error?.kind == .pathTooLong)
    }

    @Test("N14: names that are none, and hosts that are not there")
    func names() async throws {
        #expect(try await !NameLookup.addresses(of: "localhost", timeout: .seconds(10)).isEmpty)
        for host in ["", "a b", String(repeating: "a", count: 254), "1.2.3.4.5", "a\0b"] {
            let error = await #expect(throws: EndpointError.self) { try await NameLookup.addresses(of: host) }
            #expect(error?.kind == .invalidHost)
        }
        // `invalid` is nobody's, RFC 2606; without a name server the look-up fails instead.
        let error = await #expect(throws: (any Error).self) {
            try await NameLookup.addresses(of: "no-such-host.invalid", timeout: .seconds(20))
        }
        #expect(error is EndpointError || error is TimeoutError)
    }

    @Test func networks() throws {
        let ten = try Network("10.1.2.3/8")
        #expect(ten.description == "10.0.0.0/8")
        #expect(try ten.contains(SocketAddress(numeric: "10.255.0.1", port: 1)))
        #expect(try ten.contains(SocketAddress(numeric: "::ffff:10.0.0.1", port: 1)))
        #expect(try !ten.contains(SocketAddress(numeric: "11.0.0.1", port: 1)))
        #expect(try Network("0.0.0.0/0").contains(SocketAddress(numeric: "1.2.3.4", port: 1)))
        #expect(try Network("fe80::/10").contains(SocketAddress(numeric: "febf::1", port: 1)))
        #expect(try !Network("fe80::/10").contains(SocketAddress(numeric: "fec0::1", port: 1)))
        for text in ["", "10.0.0.0/33", "10.0.0.0/-1", "x/8", "1.2.3.4/8/9", "::/129"] {
            #expect(throws: EndpointError.self) { try Network(text) }
        }
    }
}
