import CLibFuzzer
import Foundation

// GRAMMAR=requests|responses CloakroomFuzz [libFuzzer's arguments]: compares the gateway's grammar with NIO's decoders
// GRAMMAR=requests|responses CloakroomFuzz readings FOLDER: prints what the gateway reads in the files of a folder
//
// The grammar is in the environment because libFuzzer starts this program again with arguments of its own.

private func check(
    _ data: UnsafePointer<UInt8>?, _ size: Int, by compare: ([UInt8]) throws(Comparison.Difference) -> Void
) -> Int32 {
    do throws(Comparison.Difference) {
        try compare(Array(UnsafeBufferPointer(start: data, count: size)))
    } catch {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        // libFuzzer keeps the input of a process that aborts.
        abort()
    }
    return 0
}

private func fuzz(_ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32) -> Never {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(LLVMFuzzerRunDriver(&count, &arguments, test))
}

let arguments = Array(CommandLine.arguments.dropFirst())
let folder = arguments.first == "readings" ? arguments.dropFirst().first.map { URL(filePath: $0) } : nil
switch (ProcessInfo.processInfo.environment["GRAMMAR"], folder) {
case ("requests", let folder?): print(try Readings.list(folder, ReadRequests.init), terminator: "")
case ("responses", let folder?): print(try Readings.list(folder, ReadResponses.init), terminator: "")
case ("requests", nil): fuzz { data, size in check(data, size, by: Comparison.requests) }
case ("responses", nil): fuzz { data, size in check(data, size, by: Comparison.responses) }
default:
    FileHandle.standardError.write(Data("GRAMMAR must be requests or responses\n".utf8))
    exit(64)
}
