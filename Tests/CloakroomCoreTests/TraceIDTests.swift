import CloakroomCore
import Testing

@Suite struct TraceIDTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"
    private static let noTrace = String(repeating: "0", count: 32)

    @Test(
        "the id of a valid header is read",
        arguments: [
            "00-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-ff", "01-\(trace)-\(parent)-00",
            "cc-\(trace)-\(parent)-00-x",
        ])
    func valid(_ value: String) {
        #expect(TraceID(traceparent: [value])?.description == Self.trace)
    }

    @Test(
        "a malformed header is none",
        arguments: [
            "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-1", "00-\(trace)-\(parent)-01-",
            "00-\(trace)-\(parent)-01-x", "ff-\(trace)-\(parent)-01", "00-\(trace.uppercased())-\(parent)-01",
            "00-\(trace)-\(parent.uppercased())-01", "0G-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-0x",
            "00-\(noTrace)-\(parent)-01", "00-\(trace)-\(noTrace.prefix(16))-01", "00_\(trace)_\(parent)_01",
            "01-\(trace)-\(parent)-01x", " 00-\(trace)-\(parent)-01", "00-\(trace.dropLast())é-\(parent)-01",
            "00-\(trace.dropLast(2))é-\(parent)-01",
        ])
    func malformed(_ value: String) {
        #expect(TraceID(traceparent: [value]) == nil)
    }

    @Test("a repeated header is none")
    func repeated() {
        let value = "00-\(Self.trace)-\(Self.parent)-01"
        #expect(TraceID(traceparent: [value, value]) == nil && TraceID(traceparent: []) == nil)
    }
}
