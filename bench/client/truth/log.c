#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "truth.h"

enum { BLOCK = 1024, BLOCKS = 4096 };
/** Logs never move: an answer keeps a pointer to its own. */
static struct request_log *blocks[BLOCKS];
static uint32_t count;

struct request_log *new_request_log(uint32_t tokens) {
  if (count == BLOCK * BLOCKS) {
    fprintf(stderr, "truth-server: more than %d requests\n", BLOCK * BLOCKS);
    exit(1);
  }
  struct request_log **block = &blocks[count / BLOCK];
  if (*block == NULL) *block = calloc(BLOCK, sizeof **block);
  struct request_log *log = *block + count % BLOCK;
  log->stream = count++;
  log->ending = "";
  log->asked_tokens = tokens;
  // Untouched pages cost nothing, so the longest answer may be reserved.
  log->events = malloc((size_t)tokens * sizeof *log->events);
  return log;
}

static struct request_log *log_at(uint32_t index) { return blocks[index / BLOCK] + index % BLOCK; }

static void write_request(FILE *file, const struct request_log *log) {
  fprintf(file,
          "{\"stream\":%u,\"connection\":%u,\"model\":\"%s\",\"rid\":\"%s\",\"acceptNs\":%" PRId64 ",\"firstByteNs\":%" PRId64
          ",\"lastByteNs\":%" PRId64 ",\"headersNs\":%" PRId64 ",\"endNs\":%" PRId64
          ",\"promptTokens\":%u,\"askedTokens\":%u,\"sentTokens\":%u,\"ending\":\"%s\",\"faulty\":%s,\"streamed\":%s,"
          "\"usageSent\":%s,\"blockedWrites\":%u,\"writeNs\":[",
          log->stream, log->connection, log->model, log->rid, log->accept_ns, log->first_byte_ns, log->last_byte_ns,
          log->headers_ns, log->end_ns, log->prompt_tokens, log->asked_tokens, log->sent_tokens, log->ending,
          log->faulty ? "true" : "false", log->streamed ? "true" : "false", log->usage_sent ? "true" : "false",
          log->blocked_writes);
  for (uint32_t at = 0; at < log->event_count; at++) fprintf(file, "%s%" PRId64, at == 0 ? "" : ",", log->events[at].write_ns);
  fprintf(file, "],\"lateNs\":[");
  for (uint32_t at = 0; at < log->event_count; at++)
    fprintf(file, "%s%" PRId64, at == 0 ? "" : ",", log->events[at].write_ns - log->events[at].due_ns);
  fprintf(file, "],\"tokens\":[");
  for (uint32_t at = 0; at < log->event_count; at++) fprintf(file, "%s%u", at == 0 ? "" : ",", log->events[at].tokens);
  fprintf(file, "]}\n");
}

void write_log(void) {
  if (options.log_path == NULL) return;
  FILE *file = fopen(options.log_path, "w");
  if (file == NULL) {
    perror(options.log_path);
    return;
  }
  for (uint32_t at = 0; at < count; at++) write_request(file, log_at(at));
  fclose(file);
}

/** Sums over what has ended, as vLLM counts: failed requests are in no histogram. */
static struct {
  uint64_t prompt_tokens, generation_tokens, successes, streamed, gaps, requests;
  double ttft_s, gap_s, e2e_s;
} totals;

void count_ended(const struct request_log *log) {
  totals.requests++;
  if (strcmp(log->ending, "complete") != 0) return;
  totals.successes++;
  totals.prompt_tokens += log->prompt_tokens;
  totals.generation_tokens += log->sent_tokens;
  // An answer in one piece has no first token that anybody could see.
  if (log->event_count == 0) return;
  totals.streamed++;
  const int64_t first_ns = log->events[0].write_ns;
  const int64_t last_ns = log->events[log->event_count - 1].write_ns;
  totals.ttft_s += (double)(first_ns - log->first_byte_ns) / 1e9;
  totals.e2e_s += (double)(last_ns - log->first_byte_ns) / 1e9;
  totals.gap_s += (double)(last_ns - first_ns) / 1e9;
  totals.gaps += log->sent_tokens - 1;
}

size_t metrics_text(char *target, size_t size) {
  const unsigned long long running = count - totals.requests;
  const unsigned long long streamed = totals.streamed;
  return (size_t)snprintf(
      target, size,
      "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running %llu\n"
      "# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting 0\n"
      "# TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc 0\n"
      "# TYPE vllm:prompt_tokens counter\nvllm:prompt_tokens_total %" PRIu64 "\n"
      "# TYPE vllm:generation_tokens counter\nvllm:generation_tokens_total %" PRIu64 "\n"
      "# TYPE vllm:request_success counter\nvllm:request_success_total{finished_reason=\"length\"} %llu\n"
      "# TYPE vllm:num_preemptions counter\nvllm:num_preemptions_total 0\n"
      "# TYPE vllm:prefix_cache_queries counter\nvllm:prefix_cache_queries_total 0\n"
      "# TYPE vllm:prefix_cache_hits counter\nvllm:prefix_cache_hits_total 0\n"
      "# TYPE vllm:time_to_first_token_seconds histogram\nvllm:time_to_first_token_seconds_bucket{le=\"+Inf\"} %llu\n"
      "vllm:time_to_first_token_seconds_sum %.9f\nvllm:time_to_first_token_seconds_count %llu\n"
      "# TYPE vllm:inter_token_latency_seconds histogram\nvllm:inter_token_latency_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
      "vllm:inter_token_latency_seconds_sum %.9f\nvllm:inter_token_latency_seconds_count %" PRIu64 "\n"
      "# TYPE vllm:e2e_request_latency_seconds histogram\nvllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} %llu\n"
      "vllm:e2e_request_latency_seconds_sum %.9f\nvllm:e2e_request_latency_seconds_count %llu\n",
      running, totals.prompt_tokens, totals.generation_tokens, (unsigned long long)totals.successes, streamed, totals.ttft_s, streamed, totals.gaps,
      totals.gap_s, totals.gaps, streamed, totals.e2e_s, streamed);
}
