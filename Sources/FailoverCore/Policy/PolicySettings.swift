import ClusterModel

/// The times and limits of the failover policy, from the configuration (acceptance.md 1.2, `failover.*`).
package struct PolicySettings: Sendable, Hashable {
    package enum CrashPolicy: String, Sendable, Hashable { case auto, restart, promote }

    package var confirmationPeriod: Duration = .zero
    /// Mode `off`: a replica further behind is not promoted automatically; 0 = unlimited.
    package var maxLagBytes: UInt64 = 1 << 20
    package var unresponsiveAfter: Duration = .seconds(30)
    package var primaryStartTimeout: Duration = .seconds(30)
    package var promoteTimeout: Duration = .seconds(10)
    package var degradeAfter: Duration = .seconds(3)
    /// `synchronous.mode` of this node's file, a proposal for the cluster; nil: `quorum` once two replicas are ready.
    package var synchronousMode: SynchronousMode?
    package var onPostmasterCrash = CrashPolicy.auto
    package var leaseMilliseconds: Int64 = 3000
    package var pauseLeaseMilliseconds: Int64 = 30_000
    package var replicaMaxLagBytes: UInt64 = 16 << 20
    package var switchoverMaxLagBytes: UInt64 = 10 << 20
    package var restartHoldMilliseconds: Int64 = 60_000
    /// `standby_cluster` of this node's file, a proposal for the cluster.
    package var standbyUpstream: StandbyUpstream?

    // Limits that are not configurable.
    /// SE6: how long to wait for more answers once a proven candidate exists.
    package var pledgeGrace: Duration = .milliseconds(300)
    /// SE6, mode `off`: after the first answer.
    package var pledgeWaitWithoutProof: Duration = .seconds(1)
    /// Asking again while there is no proof.
    package var pledgeRetry: Duration = .seconds(1)
    /// A node whose promotion failed may be tried again after this time without any other candidate (SE10).
    package var retryExcluded: Duration = .seconds(2)
    package var leaseTimeout: Duration = .seconds(3)
    package var checkpointTimeout: Duration = .seconds(60)
    package var holdTime: Duration = .milliseconds(30)
    /// Section 7, step 4: fast stop, then the backends are terminated.
    package var stopTimeout: Duration = .seconds(5)
    package var receiveTimeout: Duration = .seconds(2)
    package var settleTimeout: Duration = .seconds(30)
    /// 4.10: exactly one data node for this long makes the lease endless.
    package var soleAfter: Duration = .seconds(30)
    /// DE7: a report older than this says nothing.
    package var reportMaxAge: Duration = .milliseconds(1500)
    /// Another node streams from the followed cluster when the one that did is away for this long.
    package var sourceLostAfter: Duration = .seconds(5)
    /// How long the first promotion of a standby cluster waits for silent nodes.
    package var standbyAnswers: Duration = .seconds(5)

    package init() {}
}
