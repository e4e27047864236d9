/// Counts tries for all instances on one store: how much of each allowance is spent. For limits that hold over all of
/// them, and over restarts.
///
/// Time restores allowances, by the clock of the store. A conforming store passes `AllowanceContract` of
/// CloakroomTesting.
public protocol AllowanceStore: Sendable {
    /// Charges tries, each by itself: all of its charges are taken, or none when one of the allowances is spent.
    /// - Returns: for each try a receipt, or the allowance that is spent.
    func charge(_ tries: [[AllowanceCharge]]) async throws -> [Result<AllowanceReceipt, AllowanceShortage>]

    /// Gives charges back, except the part that time has restored meanwhile. To give back more would restore the
    /// charges of other requesters.
    func giveBack(_ receipts: [AllowanceReceipt]) async throws
}

/// What one try takes of one allowance.
public struct AllowanceCharge: Hashable, Sendable {
    /// The SHA-256 of the allowance's name: the store sees no address.
    public let name: [UInt8]
    /// The time in which what the try takes is restored, in whole microseconds.
    public let cost: Duration
    /// The time in which a whole allowance is restored.
    public let interval: Duration

    /// - Parameter tries: the number of tries in a whole allowance.
    package init(name: [UInt8], tries: Double, interval: Duration) {
        self.name = name
        // Rounded down: that many tries must fit.
        cost = .microseconds(Int64(interval / .microseconds(1) / max(1, tries)))
        self.interval = interval
    }
}

/// The charges of a try that were taken, for a later `giveBack`.
public struct AllowanceReceipt: Hashable, Sendable {
    /// The charges of the try.
    public let charges: [AllowanceCharge]
    /// When they were taken, by the clock of the store, since a moment that it chooses.
    public let time: Duration

    /// Takes both.
    public init(charges: [AllowanceCharge], time: Duration) {
        self.charges = charges
        self.time = time
    }
}

/// The allowance that was spent, so that nothing was taken. An error, for results.
public struct AllowanceShortage: Error, Hashable {
    /// The index of the charge that has to wait longest.
    public let index: Int
    /// The time until one more try fits into the allowance, at most the cost of the charge.
    public let wait: Duration

    /// Takes both.
    public init(index: Int, wait: Duration) {
        self.index = index
        self.wait = wait
    }
}
