import ClusterModel
import FailoverCore

/// What a node in a usual condition reports.
enum Condition { case primary, replica, catchingUp, crashed, stopped, silentServer }

func status(_ node: String, _ state: GuardState, token: UInt64? = nil, pid: Int32? = 100, life: Int = 1) -> GuardStatus {
    var status = GuardStatus(incarnation: guardOf(node, life: life))
    status.state = state
    status.token = token.map { FencingToken($0) }
    status.postmasterPID = pid
    status.mayBeWritable = state == .primary
    status.allProcessesGone = pid == nil
    return status
}

func server(inRecovery: Bool, timeline: UInt32, lsn: UInt64) -> ServerFacts {
    var server = ServerFacts(
        versionNumber: 170_004, systemIdentifier: systemID, isInRecovery: inRecovery, timeline: TimelineID(timeline))
    if inRecovery {
        server.receivedLSN = LSN(lsn)
        server.replayedLSN = LSN(lsn)
    } else {
        server.flushLSN = LSN(lsn)
    }
    return server
}

func controlFile(timeline: UInt32 = 2, state: ControlFile.State = .shutDown, checksums: Bool = true) -> ControlFile {
    ControlFile(
        systemIdentifier: systemID, state: state, timeline: TimelineID(timeline), checkpointLSN: .zero, redoLSN: .zero,
        minimumRecoveryLSN: .zero, minimumRecoveryTimeline: TimelineID(timeline), hasChecksums: checksums,
        logHints: false)
}

func stoppedServer(_ end: WALPosition, clean: Bool, wasStandby: Bool, checksums: Bool = true) -> StoppedServer {
    StoppedServer(
        control: controlFile(timeline: end.timeline.rawValue, checksums: checksums), end: end, isCleanShutdown: clean,
        wasStandby: wasStandby, history: [])
}

func facts(_ node: String, _ server: ServerFacts?) -> PostgresFacts {
    var facts = PostgresFacts(dataDirectory: .present)
    facts.control = controlFile()
    facts.server = server
    facts.dataID = dataOf(node)
    return facts
}

func report(
    _ node: String, _ condition: Condition, lsn: UInt64, timeline: UInt32 = 2, token: UInt64 = 1,
    replicas: [String] = ["b", "c"]
) -> NodeReport {
    var r = NodeReport(node: name(node), memberID: member(node), version: "1.0")
    switch condition {
    case .primary:
        var found = server(inRecovery: false, timeline: timeline, lsn: lsn)
        found.replicas = replicas.map {
            StreamingReplica(applicationName: applicationNameOf($0), state: "streaming", syncState: "quorum")
        }
        r.facts = facts(node, found)
        r.guardStatus = status(node, .primary, token: token)
        r.agentState = "running"
    case .replica, .catchingUp:
        var found = server(inRecovery: true, timeline: timeline, lsn: lsn)
        if condition == .replica { found.receiver = ReceiverFacts(status: "streaming") }
        r.facts = facts(node, found)
        r.guardStatus = status(node, .standby)
        r.agentState = condition == .replica ? "streaming" : "catching_up"
    case .crashed, .stopped:
        r.facts = facts(node, nil)
        r.guardStatus = status(node, .armed, token: token, pid: nil)
        r.guardStatus?.lastExit = PostmasterExit(cause: condition == .crashed ? .unexpected : .ordered, waitStatus: 0)
        r.stopped = stoppedServer(at(timeline, lsn), clean: condition == .stopped, wasStandby: false)
        r.agentState = "stopped"
    case .silentServer:
        r.facts = facts(node, nil)
        r.guardStatus = status(node, .primary, token: token)
    }
    return r
}

func applicationNameOf(_ node: String) -> String { applicationName(cluster: clusterID, node: name(node)) }
