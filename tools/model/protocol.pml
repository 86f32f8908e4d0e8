/*
 * How several hypervisors carry out one operation, all or none: the two-phase protocol as the Swift sources have it.
 *
 * One operation of one simulation, one control instance, N hypervisors (-DN=2, -DN=3). Without -DRESUME it is a suspend, with it a
 * resume (a start is the same). FAULTS faults of any kind may happen, and STORE failures of the state database; nothing else
 * bounds the order of things. docs/protocol.md says the same in words, check.sh runs it.
 *
 * Each step that the protocol knows is T(role, from, event, to), and transitions.txt lists exactly these. A step leaves from
 * `from` or the model is wrong. The roles:
 *
 *   control      phase, in memory                       ControlInstance/Operation/OperationState.swift, OperationPhase
 *   store        phase in the state database            ControlInstance/Store/Records.swift
 *   decision     decision in the state database         OperationState.Decision
 *   hypervisor   Progress of the operation, in memory   Hypervisor/LocalHypervisor.swift
 *   journal      JournalEntry.Phase, durable            Hypervisor/Operations/JournalEntry.swift
 *   suspend      the machines of one host               Hypervisor/Operations/SuspendOperation.swift
 *   resume       the same, of a resume                  Hypervisor/Operations/LaunchOperation.swift
 *   checkpoint   the folder in its final place          ControlInstance/Checkpoints/CheckpointSet.swift
 *
 * A daemon that dies loses control and hypervisor (they become `none`); all else outlives it, QEMU processes too.
 *
 * -DONE_DAEMON: all are in one process, as `fermata serve` has them: they die together, and no call is lost or repeated.
 * -DM_… makes one deliberate mistake; check.sh proves that it is found.
 */

#ifndef N
#define N 2
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef STORE
#define STORE 0
#endif

mtype = {
    none,
    /* phases of OperationPhase, JournalEntry.Phase and Progress; some names are in several */
    preparing, prepared, arming, armed, executed, found, happened, deciding, settling, finished, committing, rollingBack,
    /* machines of one host: all as it says, or only some of them */
    running, somePaused, paused, saved, someEnded, ended, absent, loaded, someRunning,
    published,
    /* calls of the protocol Hypervisor */
    prepare, execute, cancel, report, commit, rollback, undecided,
    /* answers; `silent` is none at all */
    ready, refused, isArmed, done, failed, missed, ok, listed, listedHappened, silent,
    /* where OperationRun is */
    enlisting, asking, asked, recordingArm, executing, awaitingArmed, reporting, awaitingReports, publishing, recordingCommit,
    recordingRollback, withdrawing, telling, awaitingTold, recordingEnd, closing, recovering, awaitingUndecided, over
};

/* The control instance: what is durable, then what is not. */
mtype stored = none;
mtype decision = none;
mtype checkpoint = none;
bool isUp = true;
mtype phase = none;
mtype step = enlisting;
mtype aim = none;       /* what is being told */
byte waiting = 0;       /* set of hosts that have not confirmed it */
bool tellsAll = false;  /* all that took part are being told, not only those that may be armed */
bool strangers = false; /* the operation has ended already: settleStrangers */
bool inDoubt = false;   /* a commit may be recorded */

/* The hypervisors. */
typedef Host {
    bool up;
    bool unarmed;   /* what is being given back was only prepared */
    mtype progress;
    mtype result;   /* of an executed operation: its report */
    mtype told;     /* what is being settled */
    mtype before;   /* what it was until then */
    bool heldHandle; /* the handle that is out is the one that the control instance has */
    mtype journal;  /* durable */
    mtype machines; /* QEMU processes */
    /* The network. */
    mtype call;     /* what the control instance waits for */
    mtype wire;     /* … as long as it has not arrived */
    mtype answer;
    byte ghosts     /* calls that are on their way and whose answers nobody hears: repeated, given up, of a dead instance */
};
Host host[N];

byte faults = FAULTS;
byte storeFaults = STORE;
/* What never may be true of two hypervisors. */
bool someCommitted = false;
bool someWentBack = false;

#define ALL ((1 << N) - 1)
#define IN(set, i) (((set) >> (i)) & 1)
#define PREPARE 1
#define EXECUTE 2
#define CANCEL 4
#define COMMIT 8
#define ROLLBACK 16

#if N == 2
#define EVERY(p) (p(0) && p(1))
#define ANY(p) (p(0) || p(1))
#else
#define EVERY(p) (p(0) && p(1) && p(2))
#define ANY(p) (p(0) || p(1) || p(2))
#endif

#define AT_control phase
#define AT_store stored
#define AT_decision decision
#define AT_checkpoint checkpoint
#define AT_hypervisor host[me].progress
#define AT_journal host[me].journal
#define AT_suspend host[me].machines
#define AT_resume host[me].machines
#ifdef COVER
/* Which steps are ever taken, by line. */
c_decl {
    static char covered[4096];
    static void tellCovered(void) { for (int line = 0; line < 4096; line++) if (covered[line]) printf("covered %d\n", line); }
};
#define T(role, from, event, to) assert(AT_##role == from); c_code { covered[__LINE__] = 1; }; AT_##role = to
#else
#define T(role, from, event, to) assert(AT_##role == from); AT_##role = to
#endif

#define ANSWERED(i) (host[i].call == none || host[i].answer != none)
#define READY(i) (host[i].answer == ready)
#define ARMED(i) (host[i].answer == isArmed)
#define DONE(i) (host[i].answer == done)
#define BAD(i) (host[i].answer != none && host[i].answer != done)
#define SILENT(i) (host[i].answer == silent)
#define LISTED_HAPPENED(i) (host[i].answer == listedHappened)
#define IS_SAVED(i) (host[i].machines == saved || host[i].machines == someEnded || host[i].machines == ended)
#define RUNS(i) (host[i].machines == running)
#define CONCERNED_AND_UP(i) (IN(waiting, i) && host[i].up)
#define IS_SETTLED(i) (host[i].up && host[i].progress == none && host[i].journal == none)
#define IS_ENDED(i) (host[i].machines == ended)
#define IS_ABSENT(i) (host[i].machines == absent)
#define NO_CANCEL(i) (!(host[i].ghosts & CANCEL))
#ifdef ONE_DAEMON
#define CANCELS_ARE_OVER EVERY(NO_CANCEL)
#else
#define CANCELS_ARE_OVER true
#endif
#define IS_UP(i) (host[i].up)
#define WORKS(i) (host[i].up && (host[i].progress == preparing || host[i].progress == arming || host[i].progress == settling))

#ifdef RESUME
#define EFFECT_EVERYWHERE EVERY(RUNS)
#define WHOLE \
    ((EVERY(RUNS) && decision == commit) || (EVERY(IS_ABSENT) && decision != commit))
#else
#define EFFECT_EVERYWHERE EVERY(IS_SAVED)
#define WHOLE \
    ((EVERY(IS_ENDED) && decision == commit && checkpoint == published) || \
     (EVERY(RUNS) && decision != commit && checkpoint == none))
#endif
#define SETTLED (isUp && step == over && EVERY(IS_SETTLED) && WHOLE && (STORE > 0 || stored == none || stored == finished))

/* ---- Calls ------------------------------------------------------------------------------------------------------------- */

inline hangUp() {
    for (h : 0 .. N - 1) { host[h].call = none; host[h].answer = none; host[h].wire = none }
    h = 0
}

/* Asks all of a set at once. */
inline send(what, set) {
    for (h : 0 .. N - 1) {
        host[h].answer = none;
        host[h].call = (IN(set, h) -> what : none);
        host[h].wire = host[h].call
    }
    h = 0
}

inline haunt(i, what) {
    if
    :: what == prepare -> host[i].ghosts = host[i].ghosts | PREPARE
    :: what == execute -> host[i].ghosts = host[i].ghosts | EXECUTE
    :: what == commit -> host[i].ghosts = host[i].ghosts | COMMIT
    :: what == rollback -> host[i].ghosts = host[i].ghosts | ROLLBACK
    :: else /* report and undecided change nothing */
    fi
}

/* cancel(_:) has no answer that matters, so it is on its way and no more: OperationRun+Asking.swift, cancel. */
inline cancelThose(set) {
    for (h : 0 .. N - 1) {
        if
        :: IN(set, h) -> host[h].ghosts = host[h].ghosts | CANCEL
        :: else
        fi
    }
    h = 0
}

/* The set of hosts that gave one of two answers. */
inline those(set, one, other) {
    set = 0;
    for (h : 0 .. N - 1) {
        if
        :: host[h].answer == one || host[h].answer == other -> set = set | (1 << h)
        :: else
        fi
    }
    h = 0
}

/* What a daemon knows is gone; machines and journal stay. */
inline die(i) {
    host[i].up = false;
    host[i].progress = none;
    host[i].result = none;
    host[i].told = none;
    host[i].before = none;
    host[i].heldHandle = false
}

/* ---- The control instance ---------------------------------------------------------------------------------------------- */

/* OperationState.decide(.rollback): from anywhere before a decision. */
inline decideRollback() {
    if
    :: phase == preparing -> T(control, preparing, rollback, deciding)
    :: phase == armed -> T(control, armed, rollback, deciding)
    :: phase == happened -> T(control, happened, rollback, deciding)
    fi
}

/* The same in the database, whose phase may be behind when a write of it failed. */
inline storeRollback() {
    if
    :: stored == preparing -> T(store, preparing, rollback, deciding); T(decision, none, rollback, rollback)
    :: stored == armed -> T(store, armed, rollback, deciding); T(decision, none, rollback, rollback)
    :: stored == happened -> T(store, happened, rollback, deciding); T(decision, none, rollback, rollback)
    /* It has a commit that could not be read back (no step of the protocol, so no T). */
    :: stored == deciding -> decision = rollback
    fi
}

inline storeCommit() {
    if
    :: stored == armed -> T(store, armed, commit, deciding)
    :: stored == happened -> T(store, happened, commit, deciding)
    fi;
    T(decision, none, commit, commit)
}

inline storeFinish() {
    if
    :: stored == preparing -> T(store, preparing, finish, finished)
    :: stored == armed -> T(store, armed, finish, finished)
    :: stored == happened -> T(store, happened, finish, finished)
    :: stored == deciding -> T(store, deciding, finish, finished)
    fi
}

#ifdef RESUME
#define MAY_BE_COMMITTED true
#define WAITS_FOR_ALL true
#else
#define MAY_BE_COMMITTED inDoubt
#define WAITS_FOR_ALL false
#endif
#ifdef M_TELLS_UNRECORDED
#define TELLS_UNRECORDED true
#else
#define TELLS_UNRECORDED false
#endif

proctype Control()
{
    byte h = 0;
    byte set = 0;

    end:
    do
    /* ControlInstance+Operations.swift, enlist: recorded before anybody is asked. */
    :: atomic { isUp && step == enlisting ->
        T(store, none, enlist, preparing);
        T(control, none, enlist, preparing);
        step = asking }

    /* OperationRun+Asking.swift, prepareAll. */
    :: atomic { isUp && step == asking -> send(prepare, ALL); step = asked }
    :: atomic { isUp && step == asked && EVERY(ANSWERED) ->
        those(set, ready, ready);
        if
        :: set == ALL -> T(control, preparing, ready, prepared); step = recordingArm
        /* Somebody cannot, or it was called off, or there is no instant that suits all. */
        :: cancelThose(set); step = closing
        fi;
        set = 0;
        hangUp() }
    /* Ending.nothing: OperationRun.close. A cancel is awaited, but not longer than a call that may be lost. */
    :: atomic { isUp && step == closing && CANCELS_ARE_OVER ->
        T(control, preparing, close, finished);
        if
        :: storeFinish()
        :: storeFaults > 0 -> storeFaults--
        fi;
        step = over }

    /* OperationRun.carryOut: `armed` is in the database before the first execute(_:at:) leaves. */
    :: atomic { isUp && step == recordingArm ->
        T(control, prepared, arm, armed);
        if
        :: T(store, preparing, arm, armed); step = executing
        :: storeFaults > 0 -> storeFaults--;
            if
            :: T(store, preparing, arm, armed)
            :: skip
            fi;
            cancelThose(ALL);
            waiting = 0;
            step = recordingRollback
        fi }

    /* OperationRun.executeAll: who refused or is silent is cancelled; a rollback is told to all, since a call may have come twice. */
    :: atomic { isUp && step == executing -> send(execute, ALL); step = awaitingArmed }
    :: atomic { isUp && step == awaitingArmed && EVERY(ANSWERED) ->
        if
        :: EVERY(ARMED) -> step = reporting
        :: else ->
            those(set, refused, silent);
            cancelThose(set);
#ifdef M_TELLS_ARMED_ONLY
            those(waiting, isArmed, silent);
#else
            waiting = ALL;
#endif
            set = 0;
            step = recordingRollback
        fi;
        hangUp() }

    /* OperationRun.collectReports: the first bad one ends the waiting. */
    :: atomic { isUp && step == reporting -> send(report, ALL); step = awaitingReports }
#ifdef M_FIRST_REPORT
    :: atomic { isUp && step == awaitingReports && ANY(DONE) ->
#else
    :: atomic { isUp && step == awaitingReports && EVERY(DONE) ->
#endif
        T(control, armed, happen, happened);
        if
        :: T(store, armed, happen, happened); step = publishing
        :: storeFaults > 0 -> storeFaults--;
            if
            :: T(store, armed, happen, happened)
            :: skip
            fi;
            waiting = ALL;
            step = recordingRollback
        fi;
        hangUp() }
    /* Bad, or called off. */
    :: atomic { isUp && step == awaitingReports && (ANY(BAD) || EVERY(DONE)) ->
        waiting = ALL;
        step = recordingRollback;
        hangUp() }

    /* OperationRun.decideCommit: the manifest is durable and in its place, then the decision. */
    :: atomic { isUp && step == publishing ->
#ifndef RESUME
        assert(EFFECT_EVERYWHERE);
        T(checkpoint, none, publish, published);
#endif
        step = recordingCommit }
    :: atomic { isUp && step == recordingCommit ->
        if
        /* Called off. */
        :: waiting = ALL; step = recordingRollback
#ifdef M_EARLY_COMMIT
        :: T(control, happened, commit, deciding); aim = commit; waiting = ALL; tellsAll = true; step = telling
#else
        :: assert(EFFECT_EVERYWHERE);
            storeCommit();
            T(control, happened, commit, deciding);
            aim = commit;
            waiting = ALL;
            tellsAll = true;
            step = telling
#endif
        /* Not written, and read back so. */
        :: storeFaults > 0 -> storeFaults--; waiting = ALL; step = recordingRollback
        /* Not written, and nothing is read back. */
        :: storeFaults > 1 -> storeFaults = storeFaults - 2; inDoubt = true; waiting = ALL; step = recordingRollback
        /* Written, though the database says that it failed. */
        :: storeFaults > 0 -> storeFaults--;
            storeCommit();
            waiting = ALL;
            if
#ifdef M_NO_READ_BACK
            :: step = recordingRollback
#else
            :: T(control, happened, commit, deciding); aim = commit; tellsAll = true; step = telling
            /* It cannot be read back, either. */
            :: storeFaults > 0 -> storeFaults--; inDoubt = true; step = recordingRollback
#endif
            fi
        fi }

    /* OperationRun.rollBack: where a recovery may find something else, nobody is told before it is recorded. settleLater then goes by
       what the database has. */
    :: atomic { isUp && step == recordingRollback && CANCELS_ARE_OVER ->
        if
        :: storeRollback(); decideRollback(); aim = rollback; step = withdrawing
        :: storeFaults > 0 -> storeFaults--;
            if
#ifndef M_TELLS_UNRECORDED
            :: waiting != 0 && MAY_BE_COMMITTED -> waiting = 0; step = recovering
#endif
            :: waiting == 0 || !MAY_BE_COMMITTED || TELLS_UNRECORDED -> decideRollback(); aim = rollback; step = withdrawing
            fi
        fi }
    /* CheckpointSet.unpublish, before anybody goes on. */
    :: atomic { isUp && step == withdrawing ->
#if !defined(RESUME) && !defined(M_NO_WITHDRAW)
        if
        :: checkpoint == published -> T(checkpoint, published, withdraw, none)
        :: else
        fi;
#endif
        step = telling }

    /* ControlInstance+Recovery.swift, tell: again and again to those that have not confirmed. To tell while nobody listens changes nothing:
       it waits until somebody does. */
    :: atomic { isUp && step == telling && (waiting == 0 || ANY(CONCERNED_AND_UP)) -> send(aim, waiting); step = awaitingTold }
    :: atomic { isUp && step == awaitingTold && EVERY(ANSWERED) ->
        those(set, ok, ok);
        waiting = waiting & ~set;
        set = 0;
        hangUp();
        if
        :: waiting == 0 && strangers -> aim = none; strangers = false; step = over
        :: waiting == 0 && !strangers -> step = recordingEnd
        :: waiting != 0 -> step = telling;
            if
            :: skip
            /* Attempts are used up; nobody asks after a stranger again before the next start. */
            :: strangers -> waiting = 0; aim = none; strangers = false; step = over
            /* Outcome unknown: conclude records once more what is decided; settleLater goes by the database, and tells all. */
            :: !strangers && decision == aim && !tellsAll -> waiting = ALL; tellsAll = true
            :: !strangers && decision != aim ->
                if
                :: storeRollback(); waiting = ALL; tellsAll = true
                :: storeFaults > 0 -> storeFaults--; aim = none; waiting = 0; step = recovering
                fi
            fi
        fi }
    /* OperationRun.conclude */
    :: atomic { isUp && step == recordingEnd ->
        T(control, deciding, finish, finished);
        if
        :: storeFinish();
            if
            :: decision == none -> T(decision, none, rollback, rollback)
            :: decision == commit && aim == rollback -> decision = rollback
            :: else
            fi
        :: storeFaults > 0 -> storeFaults--
        fi;
        aim = none;
        tellsAll = false;
        step = over }

    /* ControlInstance+Recovery.swift, recover and settle. To ask again while somebody who has to answer does not listen changes nothing. */
    :: atomic { isUp && step == recovering && (!WAITS_FOR_ALL || stored != armed || EVERY(IS_UP)) ->
        phase = stored;
        tellsAll = false;
        if
        :: stored == none -> step = over
        :: stored != none && decision != none && stored != finished ->
            aim = decision;
            waiting = ALL;
            tellsAll = true;
            step = (decision == rollback -> withdrawing : telling)
        :: else -> send(undecided, ALL); step = awaitingUndecided
        fi }
    :: atomic { isUp && step == awaitingUndecided && EVERY(ANSWERED) ->
        if
        /* ControlInstance+Alignment.swift, settleStrangers: it is recorded how it ended, or everybody who has it says. */
        :: stored == finished ->
            those(waiting, listed, listedHappened);
            if
            :: waiting == 0 -> step = over
            :: else ->
                those(set, listedHappened, listedHappened);
                aim = (decision != none -> decision : (set == waiting -> commit : rollback));
                set = 0;
                strangers = true;
                step = telling
            fi
#ifdef RESUME
        /* Somebody does not answer yet: machines that run everywhere must not end for that. settleLater asks again. */
        :: stored != finished && phase == armed && ANY(SILENT) -> aim = none; step = recovering
#endif
        :: stored != finished && !(WAITS_FOR_ALL && phase == armed && ANY(SILENT)) ->
#ifdef RESUME
            if
            /* Machines that run everywhere stay. */
            :: phase == happened || (EVERY(LISTED_HAPPENED) && phase == armed) -> aim = commit
            :: else -> aim = rollback
            fi;
#else
#ifdef M_PRESUMED_COMMIT
            aim = (phase == happened -> commit : rollback);
#else
            aim = rollback;
#endif
#endif
            if
            :: aim == commit && phase == armed -> T(control, armed, recover, happened)
            :: else
            fi;
            if
            /* Not recorded, so not told: settleLater tries again. */
            :: storeFaults > 0 -> storeFaults--; aim = none; step = recovering
            :: aim == commit -> storeCommit(); T(control, happened, commit, deciding); step = telling
            :: aim == rollback -> storeRollback(); decideRollback(); step = withdrawing
            fi;
            if
            :: step == recovering
            :: else -> waiting = ALL; tellsAll = true
            fi
        fi;
        hangUp() }

    /* It can die between any two steps. What it has sent goes on its way. */
    :: atomic { isUp && faults > 0 -> faults--;
        isUp = false;
        for (h : 0 .. N - 1) {
#ifdef ONE_DAEMON
            die(h);
            host[h].ghosts = 0
#else
            haunt(h, host[h].wire)
#endif
        }
        hangUp();
        phase = none; aim = none; waiting = 0; tellsAll = false; strangers = false; inDoubt = false;
        step = recovering }
#ifdef ONE_DAEMON
    /* Daemon.run: the hypervisor has read its journal before the control instance recovers. */
    :: atomic { !isUp && EVERY(IS_UP) -> isUp = true }
#else
    :: atomic { !isUp -> isUp = true }
#endif
    od
}

/* ---- The network ------------------------------------------------------------------------------------------------------- */

proctype Network(byte me)
{
    end:
    do
#ifndef ONE_DAEMON
    /* Lost on the way there. */
    :: atomic { faults > 0 && host[me].wire != none -> faults--; host[me].wire = none }
    /* Lost on the way back. */
    :: atomic { faults > 0 && host[me].answer != none && host[me].answer != silent -> faults--; host[me].answer = silent }
    /* Repeated: only one of the answers is heard, and the copy may be the first to arrive. */
    :: atomic { faults > 0 && host[me].wire != none && host[me].wire != report && host[me].wire != undecided -> faults--;
        haunt(me, host[me].wire) }
#endif
    /* So slow that nobody waits for it any more; it arrives all the same. */
    :: atomic { faults > 0 && host[me].call != none && host[me].answer == none -> faults--;
        haunt(me, host[me].wire);
        host[me].wire = none;
        host[me].answer = silent }
    /* Nobody listens. */
    :: atomic { !host[me].up && host[me].wire != none -> host[me].wire = none }
    /* Nothing will come: the time is over. (Race.swift) */
    :: atomic { host[me].call != none && host[me].answer == none && host[me].wire == none && !WORKS(me) ->
        host[me].answer = silent }
    od
}

/* ---- A hypervisor ------------------------------------------------------------------------------------------------------ */

#define HEARS(what, ghost) (host[me].wire == what || (host[me].ghosts & ghost))

/* A call that is answered at once. */
inline take(what, ghost, reply) {
    if
    :: host[me].wire == what -> host[me].wire = none; host[me].answer = reply
    :: host[me].ghosts & ghost -> host[me].ghosts = host[me].ghosts & ~ghost
    fi
}

/* … and one that is answered by `answerTo` when its work is done. */
inline accept(what, ghost) {
    if
    :: host[me].wire == what -> host[me].wire = none
    :: host[me].ghosts & ghost -> host[me].ghosts = host[me].ghosts & ~ghost
    fi
}

inline answerTo(what, reply) {
    if
    :: host[me].call == what && host[me].wire == none && host[me].answer == none -> host[me].answer = reply
    :: else
    fi
}

/* HostOperation.cancel: what prepare took is given back, the journal's entry is removed last. */
inline giveBack() {
#ifdef RESUME
    if
    :: host[me].machines == loaded -> T(resume, loaded, cancel, absent)
    :: else
    fi;
#endif
    host[me].heldHandle = false
}

inline letGo() {
    giveBack();
    T(journal, preparing, cancel, none)
}

/* What was never armed has not been undone when it is given back. */
inline wentBack() {
    if
    :: host[me].unarmed
    :: else -> someWentBack = true; assert(!someCommitted)
    fi
}

proctype Hypervisor(byte me)
{
    end:
    do
    /* LocalHypervisor.prepare */
    :: atomic { host[me].up && HEARS(prepare, PREPARE) ->
        if
        /* Busy, or something else is in the way. */
        :: take(prepare, PREPARE, refused)
#ifdef RESUME
        :: host[me].progress == none && host[me].machines == absent ->
#else
        :: host[me].progress == none && host[me].machines == running ->
#endif
            accept(prepare, PREPARE);
            T(hypervisor, none, prepare, preparing);
            host[me].unarmed = false;
            T(journal, none, prepare, preparing)
        fi }
    :: atomic { host[me].up && host[me].progress == preparing ->
        if
        :: T(hypervisor, preparing, ready, prepared);
#ifdef RESUME
            if
            :: host[me].machines == absent -> T(resume, absent, prepare, loaded)
            :: else
            fi;
#endif
            host[me].heldHandle = (host[me].call == prepare && host[me].wire == none && host[me].answer == none);
            answerTo(prepare, ready)
        :: T(hypervisor, preparing, refused, none);
            T(journal, preparing, cancel, none);
            answerTo(prepare, refused)
        fi }

    /* A handle for nobody: LocalHypervisor.expiry. It may end at any moment before it is used. */
    :: atomic { host[me].up && host[me].progress == prepared -> letGo(); T(hypervisor, prepared, expire, none) }
#ifdef M_EXPIRES_ARMED
    :: atomic { host[me].up && host[me].progress == executed && host[me].result != none ->
        T(hypervisor, executed, rollback, settling);
        host[me].before = executed;
        host[me].told = rollback }
#endif
    :: atomic { host[me].up && (host[me].ghosts & CANCEL) ->
        host[me].ghosts = host[me].ghosts & ~CANCEL;
        if
        :: host[me].progress == prepared && host[me].heldHandle -> letGo(); T(hypervisor, prepared, cancel, none)
        :: else /* used, withdrawn or unknown: nothing to undo */
        fi }

    /* LocalHypervisor.execute, HandleBook.redeem: a handle is good once. */
    :: atomic { host[me].up && HEARS(execute, EXECUTE) ->
        if
        :: host[me].progress == prepared && host[me].heldHandle ->
            accept(execute, EXECUTE);
            host[me].heldHandle = false;
            T(hypervisor, prepared, execute, arming)
        :: else -> take(execute, EXECUTE, refused)
        fi }
    /* HostOperation.arm: the journal first. */
    :: atomic { host[me].up && host[me].progress == arming && host[me].journal == preparing ->
        if
        :: T(journal, preparing, execute, armed)
        :: giveBack();
            T(hypervisor, arming, refused, none);
            T(journal, preparing, cancel, none);
            answerTo(execute, refused)
        fi }
    :: atomic { host[me].up && host[me].progress == arming && host[me].journal == armed ->
        if
        :: T(hypervisor, arming, armed, executed); answerTo(execute, isArmed)
        /* The instant is too near. */
        :: giveBack();
            T(hypervisor, arming, refused, none);
            T(journal, armed, cancel, none);
            answerTo(execute, refused)
        fi }

    /* The instant passes: SuspendOperation.run, LaunchOperation.run. Nobody has to be there but the daemon that was armed. */
    :: atomic { host[me].up && host[me].progress == executed && host[me].result == none ->
#ifdef RESUME
        if
        :: T(resume, loaded, cont, running); host[me].result = done
        :: T(resume, loaded, cont, someRunning); host[me].result = failed
        :: host[me].result = missed
        fi }
#else
        if
        :: host[me].machines == running ->
            if
            :: T(suspend, running, stop, paused)
            :: T(suspend, running, stop, somePaused); host[me].result = failed
            :: host[me].result = missed
            fi
        :: host[me].machines == paused ->
            if
            :: T(suspend, paused, save, saved); host[me].result = done
            :: host[me].result = failed
            fi
        fi }
#endif
    /* LocalHypervisor.report */
    :: atomic { host[me].up && host[me].wire == report && host[me].progress == executed && host[me].result != none ->
        host[me].wire = none;
        host[me].answer = host[me].result }
    :: atomic { host[me].up && host[me].wire == report && host[me].progress != executed ->
        host[me].wire = none;
        host[me].answer = refused }

    /* LocalHypervisor.undecided, HostOperation.happened */
    :: atomic { host[me].up && host[me].wire == undecided ->
        host[me].wire = none;
        if
        :: host[me].progress == found || host[me].progress == executed || host[me].progress == prepared ->
#ifdef RESUME
            host[me].answer = (host[me].machines == running || host[me].machines == someRunning -> listedHappened : listed)
#else
            host[me].answer = (host[me].progress == found && host[me].journal == committing -> listedHappened : listed)
#endif
        :: else -> host[me].answer = refused
        fi }

    /* LocalHypervisor.rollback. While it prepares it says so and is told again; while it arms or settles the teller waits. Both are to
       wait here. */
    :: atomic { host[me].up && HEARS(rollback, ROLLBACK) && !WORKS(me) ->
        if
        :: host[me].progress == none -> T(hypervisor, none, rollback, none); take(rollback, ROLLBACK, ok)
        :: host[me].progress == prepared -> letGo(); T(hypervisor, prepared, rollback, none); take(rollback, ROLLBACK, ok)
        :: host[me].progress == executed -> accept(rollback, ROLLBACK);
            T(hypervisor, executed, rollback, settling);
            host[me].before = executed;
            /* disarm: what has not left does not leave, and a save ends. */
            host[me].result = (host[me].result == none -> missed : host[me].result);
            host[me].told = rollback
        :: host[me].progress == found -> accept(rollback, ROLLBACK);
            T(hypervisor, found, rollback, settling);
            host[me].before = found;
            host[me].told = rollback
        fi }
    :: atomic { host[me].up && host[me].progress == settling && host[me].told == rollback ->
#ifdef RESUME
        /* LaunchOperation.undo: processes end, then the entry is removed. */
        wentBack();
        if
        :: host[me].machines == running -> T(resume, running, rollback, absent)
        :: host[me].machines == someRunning -> T(resume, someRunning, rollback, absent)
        :: host[me].machines == loaded -> T(resume, loaded, rollback, absent)
        :: host[me].machines == absent ->
            if
            :: host[me].journal == preparing -> T(journal, preparing, rollback, none)
            :: host[me].journal == armed -> T(journal, armed, rollback, none)
            fi;
            T(hypervisor, settling, rollback, none);
            host[me].told = none; host[me].before = none; host[me].result = none; host[me].unarmed = false;
            answerTo(rollback, ok)
        fi }
#else
        if
        :: host[me].journal == preparing -> T(journal, preparing, rollback, rollingBack)
        :: host[me].journal == armed -> T(journal, armed, rollback, rollingBack)
        :: host[me].journal == rollingBack ->
            /* SuspendOperation.goOn */
            wentBack();
            assert(decision != commit);
            /* What stands still goes on only when that is decided, and recorded unless the database fails. */
            assert(decision == rollback || STORE > 0 || host[me].machines == running);
            assert(checkpoint == none);
            if
            :: host[me].machines == paused -> T(suspend, paused, rollback, somePaused)
            :: host[me].machines == saved -> T(suspend, saved, rollback, somePaused)
            :: host[me].machines == somePaused -> T(suspend, somePaused, rollback, running)
            :: host[me].machines == running ->
                T(journal, rollingBack, finish, none);
                T(hypervisor, settling, rollback, none);
                host[me].told = none; host[me].before = none; host[me].result = none; host[me].unarmed = false;
                answerTo(rollback, ok)
            fi
        fi }
#endif

    /* LocalHypervisor.commit */
    :: atomic { host[me].up && HEARS(commit, COMMIT) && !WORKS(me) &&
            !(host[me].progress == executed && host[me].result == none) ->
        if
        :: host[me].progress == none -> T(hypervisor, none, commit, none); take(commit, COMMIT, ok)
        :: host[me].progress == prepared -> take(commit, COMMIT, refused)
        :: host[me].progress == executed -> accept(commit, COMMIT);
            T(hypervisor, executed, commit, settling);
            host[me].before = executed;
            host[me].told = commit
        :: host[me].progress == found -> accept(commit, COMMIT);
            T(hypervisor, found, commit, settling);
            host[me].before = found;
            host[me].told = commit
        fi }
    :: atomic { host[me].up && host[me].progress == settling && host[me].told == commit ->
        /* Nothing ends before all are saved and the decision is durable. */
        assert(decision == commit);
        assert(!someWentBack);
        someCommitted = true;
#ifdef RESUME
        /* LaunchOperation.commit: what still stands goes on. */
        if
#ifndef M_LEAVES_STANDING
        :: host[me].machines == someRunning -> T(resume, someRunning, commit, running)
#else
        :: host[me].machines == someRunning && host[me].before == found -> T(resume, someRunning, commit, running)
#endif
        :: else ->
            T(journal, armed, commit, none);
            T(hypervisor, settling, commit, none);
            host[me].told = none; host[me].before = none; host[me].result = none;
            answerTo(commit, ok)
        fi }
#else
        assert(EVERY(IS_SAVED));
        if
        :: host[me].journal == armed -> T(journal, armed, commit, committing)
        :: host[me].journal == committing ->
            if
            :: host[me].machines == saved -> T(suspend, saved, commit, someEnded)
            :: host[me].machines == someEnded -> T(suspend, someEnded, commit, ended)
            :: host[me].machines == ended ->
                T(journal, committing, finish, none);
                T(hypervisor, settling, commit, none);
                host[me].told = none; host[me].before = none; host[me].result = none;
                answerTo(commit, ok)
            fi
        fi }
#endif
#ifndef M_FORGETS_PREPARED
    /* LocalHypervisor.giveBackLater: the handle is gone with the daemon that gave it out, so nobody can execute it any more. */
    :: atomic { host[me].up && host[me].progress == found && (host[me].journal == preparing || host[me].journal == rollingBack) ->
        T(hypervisor, found, rollback, settling);
        host[me].before = found;
        host[me].unarmed = host[me].unarmed || host[me].journal == preparing;
        host[me].told = rollback }
#endif
    /* LocalHypervisor.settle: it went wrong and is as before, to be told again. */
    :: atomic { host[me].up && host[me].progress == settling && faults > 0 -> faults--;
        if
        :: host[me].before == executed -> T(hypervisor, settling, failed, executed)
        :: host[me].before == found -> T(hypervisor, settling, failed, found)
        fi;
        answerTo(host[me].told, failed);
        host[me].told = none; host[me].before = none }

#ifndef ONE_DAEMON
    :: atomic { host[me].up && faults > 0 -> faults--; die(me) }
#endif
    /* LocalHypervisor.init: what the journal has is found. */
    :: atomic { !host[me].up ->
        host[me].up = true;
        if
        :: host[me].journal == none
        :: host[me].journal == preparing -> T(hypervisor, none, restart, found)
        :: host[me].journal != none && host[me].journal != preparing ->
#ifndef M_FORGETS_ARMED
            T(hypervisor, none, restart, found)
#else
            skip
#endif
        fi }
    od
}

/* ---- Properties -------------------------------------------------------------------------------------------------------- */

/*
 * `timeout` is true when nobody can do anything any more. Then all must be as whole as it has to be; and check.sh proves with pan -l
 * that there is no cycle, that is that every run comes to that point, whatever the order of things.
 */
active proctype Monitor()
{
    end:
    timeout ->
#ifndef SAFETY_ONLY
        assert(SETTLED)
#else
        skip
#endif
}

#ifdef LTL
ltl settles { <> [] (SETTLED) }
#endif

init {
    atomic {
        byte i;
        for (i : 0 .. N - 1) {
            host[i].up = true;
            host[i].progress = none; host[i].result = none; host[i].told = none; host[i].before = none;
            host[i].journal = none;
            host[i].call = none; host[i].wire = none; host[i].answer = none;
#ifdef RESUME
            host[i].machines = absent;
#else
            host[i].machines = running;
#endif
            run Hypervisor(i);
            run Network(i)
        }
        i = 0;
        run Control()
#ifdef COVER
        ;
        c_code { atexit(tellCovered); }
#endif
    }
}
