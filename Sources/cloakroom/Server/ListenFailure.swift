import Foundation
import NIOCore
import ServiceLifecycle

/// Why an address cannot be listened on.
struct ListenFailure: Error, CustomStringConvertible {
    let description: String

    init(unknownHost address: String, setting: String) {
        description = "cannot listen on \(address): there is no host of that name (\(setting))"
    }

    /// - Parameters:
    ///   - address: as the start's line would say it, such as `127.0.0.1:8080`.
    ///   - setting: what decides it.
    init(_ error: IOError, address: String, setting: String) {
        let reason =
            switch error.errnoCode {
            case EADDRINUSE: "another process listens there already"
            case EACCES, EPERM: "this user may not; ports below 1024 are for root"
            case EADDRNOTAVAIL: "no interface of this machine has that address"
            default: String(cString: strerror(error.errnoCode))
            }
        description = "cannot listen on \(address): \(reason) (\(setting))"
    }
}

/// A listener, whose failure to bind names the address.
struct NamedListener: Service {
    let service: any Service
    let address: String
    let setting: String

    func run() async throws {
        do { try await service.run() } catch let error as IOError {
            throw ListenFailure(error, address: address, setting: setting)
        } catch is SocketAddressError.UnknownHost {
            throw ListenFailure(unknownHost: address, setting: setting)
        }
    }
}
