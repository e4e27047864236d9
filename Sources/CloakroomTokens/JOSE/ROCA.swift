/// The fingerprint of RSA moduli from a broken smart-card library (CVE-2017-15361): such keys can be factored.
///
/// Such a modulus is a power of 65537 modulo each of these primes; for a sound modulus the odds are 1 in 2^27.
package enum ROCA {
    package static func isVulnerable(_ modulus: [UInt8]) -> Bool {
        primes.allSatisfy { prime in
            let remainder = modulus.reduce(UInt32(0)) { ($0 << 8 | UInt32($1)) % prime }
            return isPower(remainder, modulo: prime)
        }
    }

    private static let primes: [UInt32] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ]

    private static func isPower(_ value: UInt32, modulo prime: UInt32) -> Bool {
        var power: UInt32 = 1
        for _ in 0..<prime {
            if power == value { return true }
            power = power * (65537 % prime) % prime
        }
        return false
    }
}
