import NIOCore
import NIOHTTP1

/// A channel handler between HTTP's decoder and encoder and the framework.
protocol HTTPPartHandler: ChannelDuplexHandler, RemovableChannelHandler
where
    InboundIn == HTTPServerRequestPart, InboundOut == HTTPServerRequestPart, OutboundIn == HTTPServerResponsePart,
    OutboundOut == HTTPServerResponsePart
{}

extension ChannelHandlerContext {
    /// The context of the encoder, where a handler writes bytes that are already encoded; nil once the encoder is
    /// removed.
    var responseEncoder: ChannelHandlerContext? {
        try? pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
    }
}
