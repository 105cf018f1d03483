"""How fast is Hookspan? `make bench` answers for the machine it runs on; docs/benchmarks.md keeps an answer.

    __main__    the command: which rows, how many pairs, print, write
    rows        what each row measures
    _bench      what rows measure with: scale, folders, a run under full load
    floor       the yardstick: the least program that does the same work
    _subject    starts and stops the two programs under measure
    _receiver   nginx as everybody's receiver; delivered events are counted here
    _load       wrk as the publishers
    _latency    an open-loop publisher and a receiver that read a time stamp in the content
    _process    child processes: their end, CPU time and memory
    _figures    medians and ratios
    _machine    where all this was measured
    _report     the page and its chart

A number of one run says little: machines differ, and a shared one swings by a third within minutes. So both programs
run in turn, A B A B, and only the ratio within each pair is quoted.
"""
