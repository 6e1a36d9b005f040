# SPDX-License-Identifier: Apache-2.0 - a cluster of this machine, new for one run and gone after it.
import json
import os
import shutil
import subprocess
import sys
import tempfile


class Failed(Exception):
    """A run that says nothing: the cluster did not start, the bench did not end."""


class Cluster:
    """with Cluster(...) as c: nodes run; afterwards they are stopped, by their pid files, and their directory is removed."""

    def __init__(self, build, parent, nodes, partitions, configuration="", shards=1):
        self.ordain = os.path.join(build, "ordain")
        self.home = tempfile.mkdtemp(prefix="ordain-bench-", dir=parent)
        self.dir = os.path.join(self.home, "cluster")
        self.nodes = nodes
        self.partitions = partitions
        self.shards = shards
        self.configuration = configuration  # lines for each node's ordaind.conf

    def __enter__(self):
        try:
            self.start()
            if self.configuration:
                self.run("cluster", "stop")
                for node in range(1, self.nodes + 1):
                    with open(os.path.join(self.dir, f"node-{node}", "ordaind.conf"), "a", encoding="utf-8") as out:
                        out.write(self.configuration)
                self.start()
        except BaseException:
            self.close()
            raise
        return self

    def start(self):
        self.run("cluster", "start", "--nodes", str(self.nodes), "--partitions", str(self.partitions), "--shards", str(self.shards), "--timeout", "60s")

    def __exit__(self, *ignored):
        self.close()

    def run(self, *words):
        done = subprocess.run([self.ordain, *words, "--dir", self.dir], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"ordain {' '.join(words)}: exit status {done.returncode}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def bench(self, *words):
        """What the bench found. Refusals and unknown outcomes are figures like others; that nothing was found is a failure."""
        done = subprocess.run([self.ordain, "bench", "--json", "--dir", self.dir, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failed(f"ordain bench {' '.join(words)}: exit status {done.returncode}: {done.stderr.strip()[-500:]}") from None

    def close(self):
        if os.path.exists(os.path.join(self.dir, "cluster.conf")):
            stop = subprocess.run([self.ordain, "cluster", "stop", "--force", "--dir", self.dir], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            if stop.returncode != 0:
                print(f"the nodes in {self.dir} could not be stopped, and it is left: {stop.stderr.strip()}", file=sys.stderr)
                return
        shutil.rmtree(self.home, ignore_errors=True)
