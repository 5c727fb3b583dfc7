/// The duties D1 to D69 (failover.md, section 11).
extension RuleTable {
    static let duties = """
        D1 A node is writable only under a lease for the highest token, granted after the previous one provably ended
        D2 The holder is stopped before its lease ends
        D3 A lease counts from before its request was sent
        D4 A missed renewal inside the lease only causes another try
        D5 At lease loss client traffic is cut first, then the immediate kill; never a smart stop
        D6 The stop path needs no SQL, no PGDATA I/O and no thread that does database work
        D7 No fence is confirmed before the last backend is gone
        D8 A configured watchdog is armed before promotion and fed only under a valid lease
        D9 Wall time influences no decision and no replicated state
        D10 There is one failure detector, the lease
        D11 A primary without a majority's answer within the lease is fenced
        D12 Proxies route by committed epoch and end sessions of older ones
        D13 The address is held only under its lease, probed before, announced after
        D14 After a reboot PostgreSQL starts as standby and becomes writable only by a new token
        D15 The fenced state and its reason survive restarts and end by a completed rejoin or an explicit order
        D16 At every instant every possible acknowledging set meets every set of answers that suffices for promotion
        D17 A stronger rule counts only when settled; a weaker one is committed before PostgreSQL is told
        D18 A new member counts only after it flushed past F
        D19 In quorum and strict only a node with proof is promoted automatically
        D20 strict uses a placeholder name, never *, never empty
        D21 Proof compares with what standbys confirmed, not with the primary's current LSN
        D22 A new primary's set has no node that cannot stream from it
        D23 After a restart in place in strict clients wait for the set
        D24 A stopping member leaves the set first
        D25 application_name is unique; logical and foreign receivers never count
        D26 Whoever is promoted meets SE5
        D27 Position is max(flushed, replayed), asked at decision time, compared as (timeline, LSN)
        D28 Receivers are stopped before positions are compared, within a deadline
        D29 While a writable server is seen elsewhere nobody is promoted
        D30 A silent member blocks automatic promotion unless the others prove the bound; the override prints it in bytes
        D31 No promotion waits for a node that waits for it
        D32 A promotion is verified by new timeline, history file and recovery flag
        D33 A failed promotion or start gives the lease up
        D34 Promotion blocks no thread that renews, and no checkpoint precedes it
        D35 Ties: priority, then name; one decider
        D36 Orders carry term, token and remaining time and are refused when any is stale
        D37 Phases run in the order of section 7, and nobody is promoted before it has the shutdown checkpoint
        D38 The archiver is not waited for
        D39 Slow backends and dead subscribers delay it at most by the budgets, then it is undone
        D40 Before the point of no return every failure restores the old primary
        D41 Other replicas follow by reload on 13+ and keep their sessions
        D42 Divergence is decided by lineage, fork point and true end of WAL, also on equal timelines
        D43 A diverged former primary is not started before rewind
        D44 No rewind starts while a precondition of AG19 fails; the failing one is named
        D45 An unclean target is recovered first, without archiving
        D46 Unarchived WAL is archived before a rewind
        D47 After a rewind local configuration files are byte-identical and slots copied from the source are gone
        D48 The marker precedes the rewind and outlives it until streaming; an interrupted rewind ends in a clone
        D49 Nothing is wiped automatically; it goes to quarantine
        D50 One clone at a time, into a fresh directory
        D51 Clone sources are clonefrom, then primary, never a lagging node
        D52 An empty data directory at the lease holder releases the lease
        D53 Member slots exist on every data node
        D54 Foreign slots are never dropped; lost own ones are recreated
        D55 A slot with a stale xmin is recreated
        D56 A logical slot counts as failover-safe only by proof
        D57 A replica runs with recovery_target_timeline=latest, no other recovery target, and the conninfo of AG22
        D58 The settings that must not be smaller on a replica are raised there first and lowered on the primary first
        D59 A timeline number is never used twice; an archive_command that overwrites is reported
        D60 A different system identifier is refused
        D61 A pid file alone proves nothing
        D62 The control file's state decides the next step of a stopped server
        D63 A timed-out check is not a dead server
        D64 A stalled disk ends a primary, a full one does not
        D65 While paused nothing is promoted, started, stopped or wiped automatically; a lapsed lease still fences
        D66 Scheduled actions expire
        D67 A removed node or one of an old cluster id is refused
        D68 Restored metadata is a claim until observed
        D69 Every refusal names its rule
        """
}
