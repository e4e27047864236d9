package import CloakroomCore
import HTTPTypes
package import Hummingbird
import NIOCore

extension Request {
    /// The body as a JSON object; an empty body is an empty object.
    /// - Throws: `Denial.unsupportedMediaType`, `.contentTooLarge`, `.invalidRequest`.
    package func jsonObject(upTo maximumSize: Int) async throws(Denial) -> JSONObject {
        let bytes = try await jsonBytes(upTo: maximumSize)
        guard !bytes.isEmpty else { return [:] }
        let value: JSONValue
        do { value = try JSONReader.read(bytes) } catch {
            throw .invalidRequest(fields: ["body": "is not strict JSON: \(error.reason)"])
        }
        guard let object = value.objectValue else { throw .invalidRequest(fields: ["body": "is not an object"]) }
        return object
    }

    private func jsonBytes(upTo maximumSize: Int) async throws(Denial) -> [UInt8] {
        let types = headers[values: .contentType]
        let isExpected = types.count == 1 && Self.isJSON(types[0])
        // Refuses a wrong media type before it reads the body.
        if !isExpected, !types.isEmpty, (announcedLength ?? 0) > 0 { throw .unsupportedMediaType }
        let bytes = try await bodyBytes(upTo: maximumSize)
        // htmx, jQuery and sendBeacon send a media type with an empty body: ignore it.
        guard bytes.isEmpty || isExpected else { throw .unsupportedMediaType }
        return bytes
    }

    /// The whole body.
    /// - Throws: `Denial.contentTooLarge`, or `.invalidRequest` for an incomplete body.
    package func bodyBytes(upTo maximumSize: Int) async throws(Denial) -> [UInt8] {
        if let length = announcedLength, length > maximumSize { throw .contentTooLarge }
        do {
            return Array(try await body.collect(upTo: maximumSize).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw .contentTooLarge
        } catch {
            // A malformed chunk, or a connection that closed early.
            throw .invalidRequest(fields: ["body": "cannot be read"])
        }
    }

    private var announcedLength: Int? { headers[.contentLength].flatMap { Int($0) } }

    /// Whether the type is `application/json`, alone or with `charset=utf-8`. HTML forms send other types.
    private static func isJSON(_ type: String) -> Bool {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let parts = type.lowercased().split(separator: ";", omittingEmptySubsequences: false).map { part in
            String(part.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
        }
        return parts == ["application/json"] || parts == ["application/json", "charset=utf-8"]
    }
}
