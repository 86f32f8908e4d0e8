public import HypervisorAPI
public import Time

/// How patient a control instance is.
public struct ControlOptions: Hashable, Sendable {
    /// Of one prepare: it launches and loads machines.
    public var prepareTimeout = Span.seconds(300)
    /// Of one execute, cancel, status query…: answered at once or not at all.
    public var answerTimeout = Span.seconds(10)
    /// From the instant until a hypervisor has reported: RAM is written in it.
    public var reportTimeout = Span.seconds(900)
    /// Of one commit or rollback.
    public var decisionTimeout = Span.seconds(30)
    /// How often a commit or rollback is told before its outcome counts as unknown.
    public var decisionAttempts = 3
    /// Between two attempts; doubles with each.
    public var decisionPause = Span.milliseconds(100)
    /// Around the instant of what was armed, when a host that says it has not begun may have by the time that it hears a decision.
    public var armedMargin = Span.seconds(1)
    /// Before an operation whose outcome is unknown is settled again by itself; doubles each time, up to ``longestSettlePause``.
    public var settlePause = Span.seconds(2)
    public var longestSettlePause = Span.seconds(60)
    /// From the instant on, how long a database that cannot be reached is waited for before what was done is undone.
    public var databasePatience = Span.seconds(30)
    public var databasePause = Span.milliseconds(100)
    /// Before operations of other control instances are looked after, and hosts that they added.
    public var peerPause = Span.seconds(5)
    /// Of one piece of a file that goes from host to host.
    public var pieceTimeout = Span.seconds(60)
    /// How long a host may be away in the middle of a file.
    public var transferPatience = Span.seconds(30)
    /// Before it is asked again.
    public var transferPause = Span.milliseconds(500)
    /// Of what is being sealed, when the process is asked to end.
    public var sealPatience = Span.seconds(30)
    /// How long a verb waits for it, in steps of 50 ms.
    var settlingPatience = 600
    /// Added to the latest `earliest` of all handles, for the record of it and the way of `execute` to every host.
    public var asapMargin = Span.milliseconds(20)
    /// The same when its own host is the only one.
    public var ownAsapMargin = Span.milliseconds(5)
    /// Of an operation of more machines only stages of whole hosts are told while it runs: nobody watches tens of thousands of them, and to tell
    /// them takes longer than the rest. The result has all.
    public var mostMachinesTold = 1000
    /// From the decision to roll back until the machines go on together.
    public var rollbackLead = Span.milliseconds(50)
    /// How long whoever reads the metrics waits for hosts; Prometheus gives up after ten seconds.
    public var metricsPatience = Span.seconds(2)
    /// How long whoever holds a simulation has to come back to a daemon that was started anew.
    public var leaseGrace = Span.seconds(30)
    /// How often, in steps of 100 ms, a checkpoint is tried to be removed that others stand on, which may be ending too.
    var leaseAttempts = 10
    /// Of links between hosts.
    public var linkPorts = LinkPorts.usual

    /// What all checkpoints together may take of the disk; nil: as much as there is.
    public var quotaBytes: UInt64?

    public init() {}
}
