"""Other machines for tests: network namespaces, each with an address, a host name and a cable of its own to this one.

Making them needs root and Debian's `iproute2`. A namespace lives as long as the process that holds it, and that ends
with the test process, so nothing is left behind however that ends. Only the network and the name are another machine's:
files are shared, and a process gets in by its number (`WorkerProcess(machine=...)`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType

import pytest

WITHOUT = "CODETETHER_SKIP_NETWORK_TESTS"
_NETWORK = (198, 18)  # set aside for tests of networks (RFC 2544)
_SUBNETS = 2**14  # of four addresses each


def need_machines() -> None:
    """Skip the test where somebody has said so; else what is missing fails it."""
    if os.environ.get(WITHOUT) == "1":
        pytest.skip(f"{WITHOUT}=1")
    lacking = [name for name in ("ip", "nsenter", "unshare") if shutil.which(name) is None]
    if lacking or os.geteuid() != 0:
        wanted = f"missing: {', '.join(lacking)} (make test-deps installs iproute2)" if lacking else "needs root"
        pytest.fail(f"network namespaces cannot be made, {wanted}; {WITHOUT}=1 leaves this test out")


class Machine:
    """A network namespace called `name`; `number` tells the machines of one test process apart.

    `address` is its own, `gateway` is where it finds the machine of the test.
    """

    def __init__(self, name: str, number: int) -> None:
        subnet = (os.getpid() * 4 + number) % _SUBNETS * 4
        self.name = name
        self.gateway, self.address = (_address(subnet + host) for host in (1, 2))
        self._cable = f"ct{os.getpid()}n{number}"

    def __enter__(self) -> Machine:
        begin = 'hostname "$0" && ip link set lo up && echo here && exec cat'
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "sh", "-c", begin, self.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._holder.stdout is not None
        if not self._holder.stdout.readline():
            _, error = self._holder.communicate()
            pytest.fail(f"a network namespace cannot be made: {error.decode()}; {WITHOUT}=1 leaves this test out")
        self._plug_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _run("ip", "link", "delete", self._cable)
        self._holder.communicate()

    @property
    def pid(self) -> int:
        """A process inside, by which others get in."""
        return self._holder.pid

    def cut(self) -> None:
        """Pull the cable on our side: connections neither work nor end."""
        _run("ip", "link", "set", self._cable, "down")

    def mend(self) -> None:
        _run("ip", "link", "set", self._cable, "up")

    def _plug_in(self) -> None:
        _run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", str(self.pid))
        _run("ip", "address", "add", f"{self.gateway}/30", "dev", self._cable)
        _run("ip", "link", "set", self._cable, "up")
        self._run_inside("ip", "address", "add", f"{self.address}/30", "dev", "eth0")
        self._run_inside("ip", "link", "set", "eth0", "up")

    def _run_inside(self, *command: str) -> None:
        _run("nsenter", f"--target={self.pid}", "--net", *command)


def enter(pid: int) -> None:
    """Make the calling process live on the machine that the process `pid` holds."""
    for kind in ("net", "uts"):
        handle = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.setns(handle)
        finally:
            os.close(handle)


def _address(offset: int) -> str:
    return ".".join(str(part) for part in (*_NETWORK, *divmod(offset, 256)))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
