// `AllowanceStore` documents these methods.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import CloakroomStores

extension PostgresStore: AllowanceStore {
    public var sharedAllowances: (any AllowanceStore)? { self }

    public func charge(_ tries: [[AllowanceCharge]]) async throws -> [Result<AllowanceReceipt, AllowanceShortage>] {
        let work = AllowanceWork(.charge(tries))
        try await allowances.commit(work)
        return work.result.committed
    }

    public func giveBack(_ receipts: [AllowanceReceipt]) async throws {
        try await allowances.commit(AllowanceWork(.giveBack(receipts)))
    }
}
