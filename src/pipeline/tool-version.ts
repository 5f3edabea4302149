/** Set by scripts/build.ts from package.json. */
declare const __ARC_VLLM_VERSION__: string | undefined;

/** Version of the tool, "source" when it runs unbundled. */
export const toolVersion: string = typeof __ARC_VLLM_VERSION__ === "string" ? __ARC_VLLM_VERSION__ : "source";
