import Testing
@testable import IPCTests
@Suite(.guarded) struct X { @Test func nothing() { print(TestChild.path) } }
