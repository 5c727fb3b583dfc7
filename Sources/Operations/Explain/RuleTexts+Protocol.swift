/// The rules of the protocol (failover.md, sections 1 to 10).
extension RuleTable {
    static let protocolRules = """
        PR1 at no instant can two servers of one cluster commit
        PR2 no acknowledged commit is lost in modes quorum and strict while synchronous replication is not degraded
        PR3 a committed change of the cluster state survives the loss of any minority of voters
        PR4 no silent loss: every failover leaves a certificate with a proven zero, a bound, or the reason why it is unknown
        PR5 a stale order, of an old term or token or from before a restart, is never executed
        PR6 stop, crash within the lease, restart and upgrade of the daemon do not stop PostgreSQL
        PR7 with a majority and one provable candidate the cluster recovers; every wait has a deadline and an explanation
        PR8 every decision, also a refusal, is recorded with its rules and inputs
        AS1 the raw monotonic clock of every machine runs within 1 % of real time, and a suspension shows
        AS2 near the deadline the guard or the daemon gets processor time whenever PostgreSQL does
        AS3 machines and networks fail in every way but forgery; what fsync confirmed survives
        AS4 only pgbastion starts PostgreSQL writable or promotes it; a breach is detected and fenced
        AS5 PostgreSQL keeps its promises with fsync and full_page_writes on, and takes a reloaded setting over within 1 s
        AS6 no two running machines share a Raft directory or a copy of one
        RA1 terms, election restriction, log matching; only entries of the own term are committed by counting
        RA2 a pre-vote goes before every election except after a transfer
        RA3 who heard a leader lately ignores requests for votes, unless they belong to a transfer
        RA4 a leader without answers from a majority for 1 s becomes a follower
        RA5 a new leader confirms, grants and decides nothing before an entry of its own term is applied
        RA6 a linearizable read waits for a completed round and for the commit index of its beginning
        RA7 a round counts when a majority of the voters of the latest membership answered it in the leader's term
        RA8 a transfer stops proposals, levels the target and is given up after one election timeout
        RA9 new nodes are learners and become voters when they have caught up
        RA10 membership changes one voter at a time, at most one uncommitted
        RA11 a leader that removes itself leads until that is committed; a removed member is told and stays out
        RA12 snapshots replace the log behind them and are verified before they are used
        RA13 persist, then send, then act
        RA14 after a start nothing later than the snapshot is applied before a leader confirms it
        RA15 a new commit index is sent at once
        RA16 after a split vote a candidate tries again after a random time
        RA17 a leader on the primary's node hands over to a healthy voter elsewhere
        RA18 a leader with a stalled disk hands over; one that was paused waits one lease before it decides
        RA19 every handshake carries the cluster's and the member's identity, and strangers are refused
        RA20 an entry that this version cannot read is never applied
        RA21 every queue of consensus has a limit, and urgent messages have a lane of their own
        ST1 entries, vote and snapshots lie in files of their own, written with full synchronisation
        ST2 one write is the vote first and the entries second, finished after both reached the disk
        ST3 every row has a checksum, verified when it is read
        ST4 indexes have no gaps and terms never fall
        ST5 a corrupt log takes no part and is never shortened to make it readable
        ST6 a snapshot is written aside, flushed and renamed; the log is cut only behind a verified one
        ST7 on a full disk nothing is acknowledged and nothing is deleted
        ST8 after an input or output error the process ends without trying the flush again
        ST9 a write that takes longer than 1 s is a stall; no lease or timer waits for it
        ST10 a clean stop leaves a directory that can be copied
        ST11 an old copy of a Raft directory takes no part: it would have forgotten votes
        CS1 applying an entry depends on the state and the entry only
        CS2 an entry proposed in one term and committed in another changes nothing
        CS3 commands of the policy are made only by the leader's own policy
        CS4 a precondition that does not hold is an answer and changes nothing
        CS5 a repeated request returns its first result
        CS6 all members compute digests of the state, and a difference raises an alarm
        CS7 durations are measured by the leader that commits them, and by each later one from its election
        CS8 a committed directive is permission: a node acts when the present leader tells it to
        LE1 time is counted on the raw clock; a suspension of the holder ends its lease
        LE2 what is sent is stamped early, what is received is stamped late
        LE3 a lease counts from before its request was sent
        LE4 fencing begins before the lease ends and cannot be taken back
        LE5 a lease belongs to one life of one guard
        LE6 a leader accepts a request only of the present holder with the present token
        LE7 a lease is granted after a majority answered a round that began after the request
        LE8 a primary is appointed only when the last one was released, has expired, is the same node, or was attested as off
        LE9 a leader that is deposed in between loses nothing but time
        LE10 a node gives its lease up when its server ended and will not run again under this token
        LE11 a fence is confirmed only when no process of the server exists
        LE12 what lets a leader wait less is committed only after the guard has lowered its own limit
        GU1 fencing is an immediate stop, then killing every process of the server until none is left
        GU2 a timer and a reading of the clocks every 50 ms decide about the deadline
        GU3 a promotion that the guard did not order is fenced
        GU4 a guard arms no token that it has fenced
        GU5 on shutdown of the machine the server stops fast within the lease
        DE1 the postmaster ended
        DE2 the lease of the primary has ended
        DE3 the server does not answer although its process is alive
        DE4 the disk of the primary stalls
        DE5 the disk is full, which is no reason for a failover
        DE6 the disk is broken
        DE7 a replica is silent or does not stream
        DE8 a server is writable without the present token
        DE9 a pid file, an open port or pg_isready mean nothing by themselves
        DE10 a crashed backend ends the server, because it is not restarted by itself
        DE11 receivers still stream from a silent node; the lease decides
        SE1 a rule of acknowledgement names the nodes and how many of them hold every acknowledged commit
        SE2 a proof must cover every rule that may still hold
        SE3 a candidate first stops following the old primary, durably, and then tells its position
        SE4 a candidate is proven lossless when its position reaches the bound of all rules
        SE5 only a registered, ready, following, healthy data node that is not drained or tagged nofailover is eligible
        SE6 proven lossless first, then the higher position, less to replay, priority, not the leader's node, the name
        SE7 members of the synchronous set stream directly; a lost one is taken out after a while
        SE8 a new primary begins with a set of nodes that can stream from it
        SE9 a change of the set is settled when enough members have flushed what was written before it
        SE10 a failed promotion is given up, its node fenced and left out, and the next candidate is tried
        SE11 every failover leaves its evidence: answers, silent nodes, positions, what may be lost
        SW1 a switchover does not wait for the archiver
        SW2 undoing a switchover ends with the old primary writable under its lease
        SW3 a new leader goes on from the committed phase
        SW4 the operator's disconnection changes nothing
        SW5 the old primary's own answer is the bound, so no pledges are needed
        SW6 a scheduled switchover that cannot begin in time expires
        AG1 a writable server without the present lease is fenced
        AG2 data of another system identifier are never started
        AG3 an interrupted rewind or clone is never started
        AG4 an empty data directory is cloned; a holder with one gives its lease up
        AG5 the bootstrapping node's data become the cluster's
        AG6 the appointed node starts as standby and is promoted under its lease
        AG7 the primary keeps settings, slots and synchronous names as the state wants them
        AG8 a node compares its data with the primary's history before it follows
        AG9 the number of a new timeline is fixed before the promotion
        AG10 without a primary replicas keep running and a former primary stays stopped
        AG11 a replica that cannot get its WAL any more is restored or cloned
        AG12 while paused a node only protects and serves
        AG13 while processes cannot die nothing is started
        AG14 a start is always as standby
        AG15 one job runs per node at a time
        AG16 a clone goes into a new directory, and the old one is kept aside
        AG17 adoption takes the layout as it is found
        AG18 divergence is decided by lineage and the true end of WAL
        AG19 a rewind needs its preconditions, among them a checkpoint on the new timeline
        AG20 every data node has a slot for every other one
        AG21 settings that must not be smaller on a replica are raised there first and lowered on the primary first
        AG22 the connection to the primary has short timeouts and a name that is unique in the cluster
        AG23 service roles have the least rights, and their passwords never leave the peer link
        PX1 a proxy routes to a committed, serving primary and cuts sessions of older tokens
        PX2 without contact to a leader no new sessions go to the primary
        PX3 without a primary sessions are refused at once, and held only inside a switchover
        PX4 the replica port leads to streaming replicas with a small lag
        PX5 the start of a session is checked, and TLS is passed through
        PX6 errors of the proxy are PostgreSQL's own messages with a hint
        PX7 sessions, buffers and times of the proxy have limits
        PX8 a proxy never connects to itself
        PX9 on the holder's node bytes go to clients only before the deadline
        PX10 the proxy counts sessions, cuts and holds
        VI1 the address is held only under a lease
        VI2 the kernel removes the address when the daemon does not refresh it
        VI3 the address is probed before it is added and announced after
        VI4 every reason for not holding the address is named
        """
}
