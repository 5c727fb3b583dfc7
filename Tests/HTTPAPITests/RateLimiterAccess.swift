@testable import HTTPAPI

extension RateLimiter {
    func takeForTest(_ address: String) -> Bool { take(address) }
    var countForTest: Int { count }
}
