import ClusterModel
import Operations

/// The bodies of the guide's changes (Q03): exactly these fields.
enum GuideBodies {
    struct AddPeer: Codable {
        var id: NodeName
        var address: String
        var learner: Bool?
    }
    struct RemovePeer: Codable {
        var id: NodeName
        var force: Bool?
    }
    struct Transfer: Codable {
        var to: NodeName?
        var from: NodeName?
    }
    struct Failover: Codable {
        var to: NodeName?
        var allowDataLoss: SizeValue?
    }
    struct Switchover: Codable {
        var to: NodeName?
        var maxLag: SizeValue?
    }
    struct Pause: Codable {
        var `for`: DurationValue?
        var reason: String?
    }
    struct Nothing: Codable {}
    struct Reinitialize: Codable {
        var node: NodeName?
        var from: NodeName?
        var method: ReinitializeMethod?
    }

    /// Reads a body whatever its `Content-Type` says (Q01); none at all is `{}` (Q02).
    static func read<Body: Decodable>(
        _ type: Body.Type, _ call: RouteCall, _ about: RouteAbout
    ) throws(BastionError) -> Body {
        let definition = OperationDefinition(name: "body", summary: "", parameters: about.body ?? [])
        let checked = try InputValidation.check(call.request.body, against: definition)
        return try JSONText.decode(type, from: checked)
    }
}
