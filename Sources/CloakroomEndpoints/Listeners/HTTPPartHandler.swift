import NIOCore
import NIOHTTP1

/// A handler that stands next to HTTP's decoder and encoder, on the side of the framework.
protocol HTTPPartHandler: ChannelDuplexHandler, RemovableChannelHandler
where
    InboundIn == HTTPServerRequestPart, InboundOut == HTTPServerRequestPart, OutboundIn == HTTPServerResponsePart,
    OutboundOut == HTTPServerResponsePart
{}

extension ChannelHandlerContext {
    /// Where a handler writes what is bytes already. nil once the encoder is gone.
    var responseEncoder: ChannelHandlerContext? {
        try? pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
    }
}
