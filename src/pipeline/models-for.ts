import type { ServeSpec } from "../config/run-config.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import type { World } from "./world.ts";

/** The client for a model server: the usual one, or one that trusts other certificates. */
export function modelsFor(serve: ServeSpec, world: World): ModelStream {
  return serve.engine === "url" && serve.caFile !== undefined
    ? world.openModels({ caFile: serve.caFile })
    : world.models;
}
