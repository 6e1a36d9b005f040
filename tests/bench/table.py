# SPDX-License-Identifier: Apache-2.0 - the standard table: what is measured, in sections of points along one axis.
"""A section changes one thing and leaves the rest alone. Nobody but this file says what is measured."""

from dataclasses import dataclass, field

# What points need, rounded up: a point that does not fit is left out, and the page says so. Nodes keep in memory what fits their bounds, the rest in LMDB; the bench keeps two
# numbers for each account. On disk a node has some 250 bytes for each claim's id, 500 for each account, and what the run itself writes.
NODE_MEMORY_BYTES = 1200 << 20
BENCH_ACCOUNT_BYTES = 16
ID_DISK_BYTES = 270
ACCOUNT_DISK_BYTES = 550
RUN_DISK_BYTES = 2 << 30
LITTLE_HISTORY = "history_bytes = 64M\n"  # for space on the disk
MORE_MEMORY = "memory_bytes = 2G\ncheckpoint_bytes = 1G\n"
FILLED = 100000  # accounts or ids from which on a point is looked at, and warms up longer: nodes are still writing what filled them

# Few clients with much to do, which is what throughput is measured with where nothing else is said.
BATCHED = ("--clients", "16", "--batch", "1000")
ONE_BY_ONE = ("--clients", "256", "--batch", "1")
# Enough that calls which are due find a client free, also while a busy cluster answers late; and what they get done in a closed loop is what the shares of the offered load are shares of.
MANY_CLIENTS = ("--clients", "8000", "--connections", "8", "--batch", "1")


@dataclass(frozen=True)
class Point:
    x: object  # its place on the axis, or its name
    args: tuple = ()  # of ordain bench
    nodes: int = 3
    partitions: int = 8
    shards: int = 1
    accounts: int = 10000
    ids: int = 0  # request ids of claims that are stored before
    configuration: str = ""  # lines for each node's ordaind.conf
    node_memory_bytes: int = NODE_MEMORY_BYTES
    times: int = 1  # so many times as long as others, warm-up and measured
    share: float = 0  # of the throughput at saturation that is offered; 0: closed loop

    def is_filled(self):
        return self.accounts >= FILLED or self.ids >= FILLED

    def warmup_s(self, seconds):
        return seconds * self.times * (3 if self.is_filled() else 1)

    def memory_bytes(self):
        return self.nodes * self.node_memory_bytes + self.accounts * BENCH_ACCOUNT_BYTES

    def disk_bytes(self):
        return self.nodes * (self.ids * ID_DISK_BYTES + self.accounts * ACCOUNT_DISK_BYTES + RUN_DISK_BYTES)


@dataclass(frozen=True)
class Section:
    name: str  # of its plot's file
    title: str
    axis: str
    what: str  # a line for the page
    points: list = field(default_factory=list)
    plot: str = "throughput"  # "throughput", "latency", or "none" where x are names
    log: bool = True  # the axis of x
    of_accounts: bool = False  # it is about many accounts: --accounts-max bounds it


LARGE = ("--clients", "4", "--batch", "8000")


def works():
    return [
        Point("transfers, 4 clients with 8,000 each", LARGE),
        Point("the same, ten times as long", LARGE, times=10),
        Point("transfers, 256 clients with one each", ONE_BY_ONE),
        Point("transfers, one client with one at a time", ("--clients", "1", "--batch", "1")),
        Point("transfers, all with one hot account, batched", BATCHED + ("--hot-share", "100")),
        Point("transfers, accounts by Zipf's law, batched", BATCHED + ("--skew", "zipf")),
        Point("claims, 16 clients with 1,000 each", ("--workload", "claims") + BATCHED),
        Point("claims, 256 clients with one each", ("--workload", "claims") + ONE_BY_ONE),
        Point("linearizable reads, 256 clients with one each", ("--workload", "reads") + ONE_BY_ONE),
        Point("stale reads, 256 clients with one each", ("--workload", "reads", "--stale") + ONE_BY_ONE),
        Point("mixed, 256 clients with one each", ("--workload", "mixed") + ONE_BY_ONE),
    ]


def batch(n):
    return Point(n, ("--clients", "16", "--batch", str(n)))


def clients(n):
    return Point(n, ("--clients", str(n), "--batch", "1"))


SECTIONS = [
    Section("work", "Each kind of work", "work", "Three nodes, eight partitions, 10,000 accounts.", works(), plot="none"),
    Section("batch", "Batch size", "transfers of one call", "16 clients.", [batch(n) for n in (1, 10, 100, 1000, 4000, 8000)]),
    Section("clients", "Clients", "clients with one transfer each", "One transfer a call.", [clients(n) for n in (1, 4, 16, 64, 256, 1024)]),
    Section("partitions", "Partitions", "partitions", "16 clients with 1,000 transfers a call.", [Point(n, BATCHED, partitions=n) for n in (1, 2, 4, 8, 16, 32, 64)]),
    Section("shards", "Shards", "shards of each node", "16 clients with 1,000 transfers a call. Shards are threads, and three nodes have two cores here.", [Point(n, BATCHED, shards=n) for n in (1, 2, 4)], log=False),
    Section("nodes", "Nodes", "nodes", "16 clients with 1,000 transfers a call.", [Point(n, BATCHED, nodes=n) for n in (1, 3, 5)], log=False),
    Section("accounts", "Accounts", "accounts", "16 clients with 1,000 transfers a call, all accounts alike. From 100,000 on the load before the clock starts lasts three times as long.", [Point(n, BATCHED, accounts=n) for n in (1000, 10000, 100000, 1000000, 10000000)], of_accounts=True),
    Section("memory", "Memory for many accounts", "settings of each node", "16 clients with 1,000 transfers a call, 10 million accounts, which do not fit the bounds that a node has by itself (256M and 128M, the last line above).",
            [Point("memory_bytes 2G, checkpoint_bytes 1G", BATCHED, accounts=10000000, configuration=MORE_MEMORY, node_memory_bytes=6 << 30)], plot="none", of_accounts=True),
    Section("ids", "Request ids already stored", "millions of request ids stored before", "16 clients with 1,000 transfers a call, after so many claims, whose request ids are remembered like those of transfers. History is kept to 64 MiB a partition, so that more ids fit a disk.", [Point(n, BATCHED, ids=n, configuration=LITTLE_HISTORY) for n in (0, 1000000, 10000000, 50000000)], log=False),
    Section("hot", "A hot account", "% of transfers with the hot account", "16 clients with 1,000 transfers a call.", [Point(n, BATCHED + ("--hot-share", str(n))) for n in (0, 1, 10, 50, 100)], log=False),
    Section("load", "Latency against offered load", "transfers per second offered",
            "One transfer a call, due by the clock whether or not the ones before are answered; latency from the moment at which it was due. What is offered is a share of what 8,000 clients with one transfer each got done just before, in a closed loop.",
            [Point(s, MANY_CLIENTS, share=s / 100) for s in (10, 25, 50, 75, 90, 100, 125, 150, 200)], plot="latency", log=False),
]
