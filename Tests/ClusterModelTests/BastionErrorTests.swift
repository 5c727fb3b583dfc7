import FoundationEssentials
import Testing

@testable import ClusterModel

@Suite struct BastionErrorTests {
    @Test func `every code has an exit status and an HTTP status of an error`() {
        for code in ErrorCode.allCases {
            #expect((1...143).contains(code.exitStatus), "\(code)")
            #expect((400...599).contains(code.httpStatus), "\(code)")
        }
    }

    @Test func `a refusal is exit 3 and HTTP 409`() {
        for code in [ErrorCode.preconditionFailed, .notLeader, .foreignState, .removed, .onlyVoter, .nodeRunning] {
            #expect(code.exitStatus == 3)
            #expect(code.httpStatus == 409)
        }
        #expect(ErrorCode.locked.httpStatus == 409)
        #expect(ErrorCode.invalidConfiguration.exitStatus == 78)
    }

    @Test func `codes on the wire are lower case words`() {
        for code in ErrorCode.allCases {
            #expect(code.rawValue.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "_") })
        }
    }

    @Test func `an error survives JSON and prints on one line`() throws {
        let error = BastionError(
            .preconditionFailed, "cannot remove \"n1\"", detail: "it is the primary",
            hint: "run `pgbastion switchover`",
            checks: [FailedCheck(id: "node.not_primary")])
        #expect(error.description == "cannot remove \"n1\"; it is the primary; hint: run `pgbastion switchover`")
        let back = try JSONDecoder().decode(BastionError.self, from: JSONEncoder().encode(error))
        #expect(back == error)
    }
}
