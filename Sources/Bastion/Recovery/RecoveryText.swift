import ClusterModel
import FailoverCore

/// Words that the commands of this folder have in common.
enum RecoveryText {
    /// `8 h`, `3 d`, `12 min`
    static func age(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7200 { return "\(seconds / 60) min" }
        if seconds < 172_800 { return "\(seconds / 3600) h" }
        return "\(seconds / 86_400) d"
    }

    /// What is to be done after the directory is in its place, as commands.
    static func next(node: NodeName, claimed: NodeName?, others: [NodeRecord], ownPort: Int) -> [String] {
        // Which data counts is decided by a person, unless this node was the primary.
        var list = ["systemctl start pgbastion", "pgbastion resume --accept-primary \(claimed == node ? node.rawValue : "NODE")"]
        if !others.isEmpty { list.append("on the others: pgbastion node reset; systemctl start pgbastion") }
        list += others.map { "pgbastion peer add \($0.name) \(address($0, ownPort))" }
        return list
    }

    private static func address(_ record: NodeRecord, _ ownPort: Int) -> String {
        let host = record.host.contains(":") ? "[\(record.host)]" : record.host
        return record.raftPort == ownPort ? record.host : "\(host):\(record.raftPort)"
    }
}
