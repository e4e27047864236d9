import CloakroomCore
import CloakroomStores

extension StoreContract {
    static let oneTimeChecks = [
        check("an entry is taken once, by one of many concurrent callers") { store in
            try demand(try await store.put(entry("a", value: [1, 2, 3]), at: now), "not kept")
            let taken = try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                for _ in 0..<20 { group.addTask { try await store.take(key("a"), at: now) } }
                return try await group.reduce(into: [[UInt8]]()) { all, value in value.map { all.append($0) } }
            }
            try demand(taken == [[1, 2, 3]], "\(taken)")
        },
        check("an entry is found only by its purpose and its secret") { store in
            _ = try await store.put(entry("a", value: [1]), at: now)
            let others = [
                OneTimeKey(purpose: "other", digest: key("a").digest), OneTimeKey(purpose: "test", digest: []),
                key("b"),
            ]
            for other in others { try demand(try await store.take(other, at: now) == nil, "\(other)") }
            try demand(try await store.take(key("a"), at: now) == [1], "it was lost")
        },
        check("an entry with a key that is in use is refused, and the existing one is kept") { store in
            _ = try await store.put(entry("a", value: [1]), at: now)
            try demand(try await !store.put(entry("a", value: [2]), at: now), "replaced")
            try demand(try await store.take(key("a"), at: now) == [1], "it was changed")
            try demand(try await store.put(entry("a", value: [3]), at: now), "refused after it was taken")
        },
        check("an expired entry is not returned, and its key can be used again") { store in
            let end = now + .minutes(10)
            for (id, time, expected) in [("a", end - .seconds(1), true), ("b", end, false)] {
                _ = try await store.put(entry(id, until: end), at: now)
                try demand((try await store.take(key(id), at: time) != nil) == expected, id)
            }
            _ = try await store.put(entry("c", value: [1], until: end), at: now)
            try demand(try await store.put(entry("c", value: [2], until: end + .days(1)), at: end), "still in use")
            try demand(try await store.take(key("c"), at: end) == [2], "the old one")
        },
        check("sweeping deletes expired entries and no others") { store in
            for (id, end) in [("a", now), ("b", now + .days(9)), ("c", now - .days(1))] {
                _ = try await store.put(entry(id, until: end), at: now - .days(2))
            }
            try demand(try await store.sweep(at: now, under: policy, limit: 10) == 2, "not two")
            try demand(try await store.take(key("b"), at: now) != nil, "the live one is gone")
        },
    ]

    private static func key(_ id: String) -> OneTimeKey {
        OneTimeKey(purpose: "test", digest: Array(id.utf8))
    }

    private static func entry(
        _ id: String, value: [UInt8] = [], until end: Instant = now + .minutes(1)
    ) -> OneTimeEntry {
        OneTimeEntry(key: key(id), value: value, expiresAt: end)
    }
}
