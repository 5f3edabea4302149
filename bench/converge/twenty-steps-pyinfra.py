"""Twenty steps for pyinfra; the same end state as in twenty-steps.yml."""

from io import StringIO

from pyinfra import host
from pyinfra.facts.server import Command
from pyinfra.operations import apt, files

FOLDER = "/tmp/arc-vllm-converge/state"
COMMANDS = [
    "getent group root",
    "test -x /usr/sbin/sshd && echo yes",
    "grep ^root /etc/passwd",
    "uname -s | grep -x Linux",
]

for i in range(1, 9):
    files.put(
        name=f"File {i}",
        src=StringIO(f"# File {i} of the converge benchmark\nsetting_{i} = value {i}\n"),
        dest=f"{FOLDER}/file-{i}.conf",
        mode="644",
    )
for i in range(1, 5):
    files.directory(name=f"Folder {i}", path=f"{FOLDER}/folder-{i}", mode="755")
for package in ["bash", "coreutils", "procps", "openssh-server"]:
    apt.packages(name=f"Package {package}", packages=[package])
# A command as an operation always counts as a change; as a fact it is a question.
for command in COMMANDS:
    if not host.get_fact(Command, command=command):
        raise ValueError(f"not as it must be: {command}")
