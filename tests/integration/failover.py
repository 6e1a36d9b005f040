#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 - how long is a partition without an answer when its leader is killed with SIGKILL?
#
#   failover.py --addresses a:1,b:2,c:3 --victim NODE --pid PID
#
# Writes to every partition that NODE leads, through the other nodes, one request after the other; kills PID; goes on until each partition
# has answered a request that was begun after the kill. Prints "failover MS MS ..." for the partitions, the longest last.
import argparse
import os
import signal
import sys
import threading
import time

from rpc import Cluster, Node, RpcError, must, new_id

DEADLINE_SECONDS = 30
kill_time = None
lock = threading.Lock()


def accounts_by_partition(cluster, partitions):
    """{partition: an account that lives there}"""
    found = {}
    number = 0
    while len(found) < partitions:
        name = "failover-%d" % number
        must(cluster.call("open_account", id=new_id(), account=name, asset="EUR"))
        found.setdefault(cluster.call("account", account=name)["partition"], name)
        number += 1
    return found


def write_until_answered(address, account, times, begun):
    node = None
    while True:
        start = time.monotonic()
        try:
            node = node or Node(address)
            must(node.call("set_account", id=new_id(), account=account, state="open", timeout_ms=500))
        except RpcError:
            continue
        except OSError:
            node = None
            continue
        begun.release()
        if kill_time is not None and start >= kill_time:
            with lock:
                times.append(time.monotonic() - kill_time)
            return


def main():
    global kill_time
    parser = argparse.ArgumentParser()
    parser.add_argument("--addresses", required=True, type=lambda text: text.split(","))
    parser.add_argument("--victim", required=True, type=int)
    parser.add_argument("--pid", required=True, type=int)
    options = parser.parse_args()
    cluster = Cluster(options.addresses)
    shape = cluster.call("cluster")
    accounts = accounts_by_partition(cluster, shape["partitions"])
    led = [p for p, leader in enumerate(cluster.call("cluster")["leaders"]) if leader == options.victim]
    if not led:
        sys.exit("node %d leads no partition" % options.victim)
    others = [address for node, address in zip(sorted(n["node"] for n in shape["nodes"]), options.addresses) if node != options.victim]
    times = []
    begun = threading.Semaphore(0)
    threads = [threading.Thread(target=write_until_answered, args=(others[i % len(others)], accounts[p], times, begun), daemon=True)
               for i, p in enumerate(led)]
    for thread in threads:
        thread.start()
    for _ in range(20 * len(led)):
        begun.acquire()
    os.kill(options.pid, signal.SIGKILL)
    kill_time = time.monotonic()
    for thread in threads:
        thread.join(DEADLINE_SECONDS)
    if len(times) != len(led):
        sys.exit("only %d of %d partitions answered within %d s" % (len(times), len(led), DEADLINE_SECONDS))
    print("failover", *("%.0f" % (seconds * 1000) for seconds in sorted(times)))


main()
