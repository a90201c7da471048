// nio-peer async|handlers: a server of SwiftNIO's on one thread that sends every client what it sends; says `port N`.
import Foundation
import NIOCore
import NIOPosix

final class Echo: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }
    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

func say(_ port: Int?) {
    print("port \(port ?? 0)")
    // What is printed to a pipe would stay in the buffer.
    fflush(nil)
}

let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let bootstrap = ServerBootstrap(group: group).serverChannelOption(.backlog, value: 4096)
    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
if CommandLine.arguments.last == "handlers" {
    let server = try await bootstrap.childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
    }.bind(host: "127.0.0.1", port: 0).get()
    say(server.localAddress?.port)
    try await server.closeFuture.get()
} else {
    let server = try await bootstrap.bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
    }
    say(server.channel.localAddress?.port)
    try await withThrowingDiscardingTaskGroup { clients in
        try await server.executeThenClose { arriving in
            for try await client in arriving {
                clients.addTask {
                    try? await client.executeThenClose { input, output in
                        for try await bytes in input { try await output.write(bytes) }
                    }
                }
            }
        }
    }
}
