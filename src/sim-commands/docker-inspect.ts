import { type Container, type DockerImage, repositoryOf } from "../sim-machine/docker-state.ts";

/** The fields of `docker image inspect` that are read in practice. */
export function imageFields(image: DockerImage): Record<string, unknown> {
  return {
    Id: image.id,
    RepoTags: [image.reference],
    RepoDigests: [`${repositoryOf(image.reference)}@${image.digest}`],
    Created: "2025-06-03T08:12:44.000000000Z",
    Architecture: "amd64",
    Os: "linux",
    Size: image.sizeBytes,
    Config: {
      Entrypoint: image.holds === "vllm" ? ["/bin/bash", "/llm/start-vllm-service.sh"] : ["/hello"],
      Env: image.holds === "vllm" ? ["IPEX_LLM_FORCE_BATCH_FORWARD=1", "VLLM_RPC_TIMEOUT=100000"] : [],
      Labels: { "simulated-by": "arc-vllm" },
    },
  };
}

/** The fields of `docker container inspect` that are read in practice. */
export function containerFields(container: Container): Record<string, unknown> {
  const { status } = container;
  return {
    Id: container.id,
    Name: `/${container.name}`,
    Created: container.createdAt,
    Path: container.argv[0] ?? "",
    Args: container.argv.slice(1),
    Image: container.image.id,
    RestartCount: 0,
    State: {
      Status: status,
      Running: status === "running",
      Paused: false,
      Restarting: false,
      OOMKilled: container.oomKilled,
      Dead: false,
      Pid: container.pid,
      ExitCode: container.exitCode,
      Error: container.error,
      StartedAt: container.startedAt,
      FinishedAt: container.finishedAt,
    },
    Config: {
      Image: container.image.reference,
      Env: Object.entries(container.env).map(([name, value]) => `${name}=${value}`),
      Cmd: container.argv,
      Labels: container.labels,
    },
    HostConfig: {
      NetworkMode: container.network,
      Memory: container.memoryBytes ?? 0,
      RestartPolicy: { Name: container.restart, MaximumRetryCount: 0 },
    },
    Mounts: container.mounts.map(({ source, target }) => ({
      Type: "bind",
      Source: source,
      Destination: target,
      RW: false,
    })),
  };
}
