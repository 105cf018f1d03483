"""Every bound of the engine, named. The defaults suit one machine with two cores."""

import msgspec


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in items, bytes and seconds. Tests set small ones to hit each bound."""

    # Intake: what may wait for a commit, and what goes into one. Beyond the first two: 503.
    intake_events_max: int = 20_000
    intake_bytes_max: int = 64 * 1024 * 1024
    commit_events_max: int = 512
    commit_bytes_max: int = 4 * 1024 * 1024
    commit_deliveries_max: int = 4_096

    # One publish.
    event_bytes_max: int = 256 * 1024
    batch_bytes_max: int = 5 * 1024 * 1024
    batch_events_max: int = 1_000

    # Lanes: what this node holds in memory. Beyond it deliveries stay in the store until there is room.
    lane_items_max: int = 4_096
    node_items_max: int = 65_536
    node_bytes_max: int = 128 * 1024 * 1024
    idle_lanes_max: int = 20_000
    in_flight_max: int = 2_048
    tests_max: int = 32  # under way at once
    tests_each_max: int = 4  # of one application: each may take as long as a receiver may
    tests_waiting_max: int = 64
    tests_wait_s: float = 10.0
    applications_max: int = 100_000  # in the subscription index

    logs_failures: bool = True  # a line at level info for each attempt that failed
    logs_successes: bool = (
        False  # a line for each attempt that went well, at level debug; failed ones have theirs at info
    )

    # Recorder: outcomes that wait for a commit; beyond it nothing more is sent.
    results_max: int = 8_192
    record_results_max: int = 1_024

    # Poller.
    claim_items_max: int = 512
    claim_per_webhook_max: int = 128
    claim_bytes_max: int = 16 * 1024 * 1024
    poll_interval_s: float = 1.0
    poll_interval_min_s: float = 0.02
    poll_interval_taken_s: float = 0.1  # where what is due is other nodes'

    # Nodes on one database.
    takes_in: bool = True  # False: it refuses to, and only sends
    delivers: bool = True  # False: it takes events in and leaves the sending to others
    start_paused: bool = False  # everything is on pause before the first claim
    cell: int = 0  # which of the databases whose ids never meet; see hookspan.ids
    trust_window_s: float = 30.0  # how long a node may stand still before another takes it for dead
    follow_interval_s: float = 1.0

    # The inbox: how often it is looked at, and how much of it is on its way into intake at once.
    inbox_interval_s: float = 0.5
    inbox_interval_min_s: float = 0.05  # after a look that found something, so that what comes close together shares
    inbox_applications_max: int = 64  # in one look
    inbox_walked_max: int = 1_000  # whose names one look passes
    inbox_each_max: int = 256  # rows of one application
    inbox_rows_max: int = 512
    inbox_bytes_max: int = 4 * 1024 * 1024
    inbox_resting_max: int = 1_000  # applications that are left alone for a while

    # Duties.
    beat_interval_s: float = 2.0
    unheld_interval_s: float = 30.0
    catch_up_events_max: int = 1_000
    retention_days: int = 30
    retention_chunk: int = 1_000
    retention_interval_s: float = 60.0
    statistics_interval_s: float = 5.0  # what a process that dies loses of them, at most
    statistics_chunk: int = 500  # hours of a subject in one commit
    statistics_cells_max: int = 50_000  # hours of a webhook in memory; at half of it they are written at once
    turn_age_max_s: float = 15.0  # a duty that has not turned for so long makes the node unready

    # Jobs: of one application, and how much of one at a time. Deliveries that were never tried are the backlog that a
    # live event of the same webhook may have to wait behind.
    jobs_running_max: int = 5
    jobs_queued_max: int = 100
    jobs_per_turn: int = 50
    job_chunk: int = 500
    job_untried_max: int = 1_000
    replay_events_max: int = 1_000_000  # in the window of one

    # A delivery that nodes died over is sent alone (store.contract.ORPHANS_ALONE), then given up: it can't take the
    # process down for ever.
    orphans_max: int = 5
    suspect_interval_s: float = 1.0
