import AsyncHTTPClient
package import CloakroomCore
import Foundation
import NIOCore

/// The clocks and limits of a `ResourceServer`. Tests shorten the limits and move the clocks.
package struct Timing: Sendable {
    /// The time between two fetches of the key set. The issuer publishes a new key for longer than that before the key
    /// signs.
    package var refresh = Duration.seconds(300)
    /// The time until a failed fetch is tried again.
    package var retry = Duration.seconds(1)
    /// The time until a broken stream is opened again.
    package var reconnect = Duration.milliseconds(250)
    /// The minimum time between two fetches that tokens with an unknown key cause. An attacker can send any number of
    /// them.
    package var cooldown = Duration.seconds(1)
    /// The maximum time of a fetch from connect to the last byte, and of a stream's response head.
    package var timeout = Duration.seconds(2)
    /// The maximum time between two reads of a stream, which has a comment four times a second.
    package var silence = Duration.seconds(1)
    package var now: @Sendable () -> Instant = {
        Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
    /// A monotonic clock.
    package var uptime: @Sendable () -> Duration

    package init() {
        let start = ContinuousClock.now
        uptime = { ContinuousClock.now - start }
    }

    /// Does not follow redirects: the address in the configuration is the one that was checked.
    var clientConfiguration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(timeout), read: TimeAmount(silence)))
        configuration.httpVersion = .http1Only
        return configuration
    }
}
