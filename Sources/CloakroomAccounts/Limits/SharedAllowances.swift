import CloakroomStores
import Crypto

/// The allowances in the store, which hold over all instances. Only tries that the sketch of this process admits are
/// charged here.
///
/// Without a store that shares allowances every try passes: there is one process, and its sketch decides.
struct SharedAllowances: Sendable {
    typealias Answer = Result<AllowanceReceipt, AllowanceShortage>

    private let store: (any AllowanceStore)?

    init(_ store: (any AllowanceStore)?) {
        self.store = store
    }

    /// Charges what the sketch has charged, each receipt by itself.
    func charge(_ receipts: [AllowanceSketch.Receipt]) async throws -> [Answer] {
        guard let store, receipts.contains(where: { !$0.charges.isEmpty }) else {
            return receipts.map { _ in .success(AllowanceReceipt(charges: [], time: .zero)) }
        }
        return try await store.charge(receipts.map(\.sharedCharges))
    }

    /// A failure is ignored: time restores what is not given back.
    func giveBack(_ receipts: [AllowanceReceipt]) async {
        let taken = receipts.filter { !$0.charges.isEmpty }
        guard let store, !taken.isEmpty else { return }
        try? await store.giveBack(taken)
    }
}

extension AllowanceSketch.Receipt {
    fileprivate var sharedCharges: [AllowanceCharge] {
        charges.map { charge in
            AllowanceCharge(
                name: Array(SHA256.hash(data: Array(charge.name.utf8))), tries: charge.tries, interval: interval)
        }
    }
}
