import Foundation
import NIOCore
import ServiceLifecycle

/// The reason why the server cannot listen on an address.
struct ListenFailure: Error, CustomStringConvertible {
    let description: String

    init(unknownHost address: String, setting: String) {
        description = "cannot listen on \(address): there is no host of that name (\(setting))"
    }

    /// - Parameters:
    ///   - address: the address as the start prints it, such as `127.0.0.1:8080`.
    ///   - setting: the setting that decides the address.
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

/// Runs a listener, and names the address when it cannot bind.
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
