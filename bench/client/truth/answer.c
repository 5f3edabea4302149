#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "truth.h"

enum { STALL_EVERY = 50, RESET_EVERY = 20, UNAVAILABLE_EVERY = 10, PING_EVERY = 5, COALESCED_EVENTS = 5 };
static const int64_t MS = 1000000;
static const int64_t ROLE_AHEAD_NS = 30 * 1000000;
/** Chance that a token of the profile "multi" is the last one in its event: 2.5 tokens on average. */
static const double LAST_IN_EVENT = 0.4;

static const struct {
  const char *name;
  unsigned bit;
} PROFILES[] = {
    {"plain", 0},
    {"role-first", ROLE_FIRST},
    {"multi", MULTI},
    {"reasoning", REASONING},
    {"toolcall", TOOL_CALL},
    {"crlf", CRLF},
    {"nospace", NO_SPACE},
    {"comments", COMMENTS},
    {"split", SPLIT},
    {"coalesce", COALESCE},
    {"early-eos", EARLY_EOS},
    {"no-usage", NO_USAGE},
    {"midstream-error", MIDSTREAM_ERROR},
    {"stall", STALL},
    {"rst", RESET},
    {"503", UNAVAILABLE},
    {"slow-headers", SLOW_HEADERS},
    {"utf8", UTF8},
    {"huge-event", HUGE_EVENT},
};

/** A frame that is being built: HTTP's chunk size goes before it, so it starts a little inside. */
static char frame[2 * 1024 * 1024];
enum { FRAME_HEAD = 16 };
static char *const payload = frame + FRAME_HEAD;

/** Sends `length` bytes of the payload as one HTTP chunk with one write(). */
static void send_chunk(struct connection *connection, size_t length, bool is_last) {
  char head[FRAME_HEAD];
  size_t head_length = (size_t)sprintf(head, "%zx\r\n", length);
  memcpy(payload - head_length, head, head_length);
  memcpy(payload + length, "\r\n0\r\n\r\n", 7);
  send_bytes(connection, payload - head_length, head_length + length + (is_last ? 7 : 2));
}

/** Bits of the words after "@" in a model name, joined by "+"; -1 when one is unknown. */
static int64_t profiles_of(const char *model) {
  const char *at = strchr(model, '@');
  unsigned bits = 0;
  while (at != NULL && *++at != '\0') {
    size_t length = strcspn(at, "+");
    size_t found = 0;
    const size_t count = sizeof PROFILES / sizeof *PROFILES;
    while (found < count && (strlen(PROFILES[found].name) != length || memcmp(PROFILES[found].name, at, length) != 0))
      found++;
    if (found == count) return -1;
    bits |= PROFILES[found].bit;
    at = strchr(at, '+');
  }
  return bits;
}

static bool is_faulty(unsigned profiles, uint32_t stream) {
  return profiles & MIDSTREAM_ERROR || (profiles & STALL && stream % STALL_EVERY == STALL_EVERY / 2) ||
         (profiles & RESET && stream % RESET_EVERY == RESET_EVERY / 2) ||
         (profiles & UNAVAILABLE && stream % UNAVAILABLE_EVERY == UNAVAILABLE_EVERY / 2);
}

static int64_t gap_ns(struct answer *answer, double ms) {
  return (int64_t)(ms * 1e6 * next_jitter(&answer->random));
}

static uint32_t tokens_left(const struct answer *answer) { return answer->wanted_tokens - answer->log->sent_tokens; }

/** Decides what comes next and when: never from when the last event really went out, so lateness does not add up. */
static void schedule_next(struct connection *connection) {
  struct answer *answer = connection->answer;
  const bool is_first = answer->log->sent_tokens == 0;
  uint32_t count = 1;
  if (answer->profiles & MULTI)
    while (count < tokens_left(answer) && next_uniform(&answer->random) > LAST_IN_EVENT) count++;
  if (answer->profiles & COALESCE) count = COALESCED_EVENTS < tokens_left(answer) ? COALESCED_EVENTS : tokens_left(answer);
  // The first token is due at the TTFT; all others of this write are waited for.
  const int64_t before_ns = answer->token_due_ns;
  for (uint32_t token = is_first ? 1 : 0; token < count; token++) answer->token_due_ns += gap_ns(answer, options.itl_ms);
  answer->next_tokens = count;
  answer->ping_sent = !(answer->profiles & COMMENTS && !is_first && answer->log->event_count % PING_EVERY == 0);
  if (!answer->role_sent)
    wake_at(connection, answer->token_due_ns - ROLE_AHEAD_NS);
  else
    wake_at(connection, answer->ping_sent ? answer->token_due_ns : (before_ns + answer->token_due_ns) / 2);
}

static void send_headers(struct connection *connection) {
  const struct request_log *log = connection->answer->log;
  char head[512];
  int length = snprintf(head, sizeof head,
                        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n"
                        "x-request-id: %s\r\n%s\r\n",
                        log->rid, connection->is_closing ? "connection: close\r\n" : "");
  connection->answer->log->headers_ns = now_ns();
  send_bytes(connection, head, (size_t)length);
}

/** Model and request id go back to the client inside JSON and headers. */
static void make_harmless(char *text) {
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\') *text = '_';
}

static struct answer *new_answer(struct connection *connection, const struct http_request *request, bool is_chat) {
  const struct span body = request->body;
  long asked = json_integer(json_get(body, "max_tokens"), json_integer(json_get(body, "max_completion_tokens"), 16));
  if (asked < 1) asked = 1;
  if (asked > 1000000) asked = 1000000;
  struct request_log *log = new_request_log((uint32_t)asked);
  log->connection = connection->serial;
  log->accept_ns = connection->accept_ns;
  log->first_byte_ns = connection->first_byte_ns;
  log->prompt_tokens = count_prompt_tokens(body);
  json_text(json_get(body, "model"), log->model, sizeof log->model);
  make_harmless(log->model);
  size_t rid_length = request->rid.length < sizeof log->rid ? request->rid.length : sizeof log->rid - 1;
  if (rid_length > 0) memcpy(log->rid, request->rid.at, rid_length);
  make_harmless(log->rid);

  struct answer *answer = calloc(1, sizeof *answer);
  answer->log = log;
  answer->is_chat = is_chat;
  answer->wanted_tokens = (uint32_t)asked;
  answer->random = options.seed * 0x9e3779b97f4a7c15u + log->stream * 0xbf58476d1ce4e5b9u + 1;
  struct span usage = json_get(body, "stream_options");
  answer->wants_usage_each = json_is_true(json_get(usage, "continuous_usage_stats"));
  answer->wants_usage = answer->wants_usage_each || json_is_true(json_get(usage, "include_usage"));
  return answer;
}

void start_answer(struct connection *connection, const struct http_request *request, bool is_chat, int64_t last_byte_ns) {
  struct answer *answer = connection->answer = new_answer(connection, request, is_chat);
  struct request_log *log = answer->log;
  log->last_byte_ns = last_byte_ns;
  log->streamed = json_is_true(json_get(request->body, "stream"));
  int64_t profiles = profiles_of(log->model);
  if (profiles < 0) {
    send_text(connection, 404, "application/json", "{\"error\":{\"message\":\"The model does not exist.\",\"code\":404}}", "");
    return end_answer(connection, "refused");
  }
  answer->profiles = (unsigned)profiles;
  log->faulty = is_faulty(answer->profiles, log->stream);
  if (answer->profiles & UNAVAILABLE && log->faulty) {
    const char *words = "{\"error\":{\"message\":\"no slot is free\",\"code\":503}}";
    send_text(connection, 503, "application/json", words, "retry-after: 1\r\n");
    return end_answer(connection, "refused");
  }
  if (!log->streamed) {
    log->sent_tokens = answer->wanted_tokens;
    whole_answer(payload, answer);
    send_text(connection, 200, "application/json", payload, "");
    return end_answer(connection, "complete");
  }
  if (answer->profiles & EARLY_EOS && answer->wanted_tokens > 1) answer->wanted_tokens /= 2;
  answer->role_sent = !(answer->profiles & ROLE_FIRST);
  if (!(answer->profiles & SLOW_HEADERS)) send_headers(connection);
  if (connection->is_dead) return;
  answer->token_due_ns = log->first_byte_ns + gap_ns(answer, options.ttft_ms);
  schedule_next(connection);
}

void end_answer(struct connection *connection, const char *ending) {
  struct answer *answer = connection->answer;
  if (answer == NULL) return;
  answer->log->ending = ending;
  if (answer->log->end_ns == 0) answer->log->end_ns = now_ns();
  count_ended(answer->log);
  connection->answer = NULL;
  wake_never(connection);
  free(answer->pieces);
  free(answer);
}

static void log_event(struct answer *answer, int64_t write_ns, uint32_t tokens) {
  struct request_log *log = answer->log;
  log->events[log->event_count++] = (struct event_log){answer->token_due_ns, write_ns, tokens};
  log->sent_tokens += tokens;
}

static void finish_or_go_on(struct connection *connection) {
  struct answer *answer = connection->answer;
  if (connection->is_dead) return;
  if (tokens_left(answer) > 0) return schedule_next(connection);
  answer->log->end_ns = now_ns();
  answer->log->usage_sent = answer->wants_usage && !(answer->profiles & NO_USAGE);
  send_chunk(connection, closing_events(payload, answer, answer->log->end_ns), true);
  if (!connection->is_dead) end_answer(connection, "complete");
}

static void fail(struct connection *connection) {
  struct answer *answer = connection->answer;
  if (answer->profiles & MIDSTREAM_ERROR) {
    send_chunk(connection, error_event(payload, answer), true);
    if (!connection->is_dead) end_answer(connection, "error");
  } else if (answer->profiles & RESET) {
    end_answer(connection, "reset");
    close_connection(connection, true);
  } else {
    // Only the client can end this.
    answer->log->ending = "stalled";
    wake_never(connection);
  }
}

static size_t after_text(const char *event, size_t length, const char *text) {
  const char *found = memmem(event, length, text, strlen(text));
  return found == NULL ? 0 : (size_t)(found - event) + strlen(text);
}

/** Cuts an event before the space of its text, inside its first long character, and inside its last line end. */
static void cut_event(struct answer *answer, size_t length) {
  size_t character = 0;
  while (character < length && (unsigned char)payload[character] < 0x80) character++;
  size_t text = after_text(payload, length, answer->is_chat ? "content\":\"" : "text\":\"");
  // A lone CR ends a line too, so with CRLF the event would be whole before the very last byte.
  size_t cuts[] = {text, character + 1, length - (answer->profiles & CRLF ? 3 : 1)};
  answer->pieces = malloc(length);
  memcpy(answer->pieces, payload, length);
  answer->pieces_length = length;
  answer->piece_at = 0;
  answer->cut_count = answer->cut_next = 0;
  for (size_t at = 0, last = 0; at < sizeof cuts / sizeof *cuts; at++)
    if (cuts[at] > last && cuts[at] < length) answer->cuts[answer->cut_count++] = last = cuts[at];
  answer->cuts[answer->cut_count++] = length;
}

static void send_piece(struct connection *connection) {
  struct answer *answer = connection->answer;
  size_t end = answer->cuts[answer->cut_next++];
  bool is_last = end == answer->pieces_length;
  memcpy(payload, answer->pieces + answer->piece_at, end - answer->piece_at);
  size_t length = end - answer->piece_at;
  answer->piece_at = end;
  if (is_last) {
    free(answer->pieces);
    answer->pieces = NULL;
    log_event(answer, now_ns(), answer->next_tokens);
  }
  send_chunk(connection, length, false);
  if (connection->is_dead) return;
  if (is_last) return finish_or_go_on(connection);
  wake_at(connection, now_ns() + MS);
}

static void send_tokens(struct connection *connection) {
  struct answer *answer = connection->answer;
  const bool coalesces = answer->profiles & COALESCE;
  const uint32_t events = coalesces ? answer->next_tokens : 1;
  const uint32_t tokens = coalesces ? 1 : answer->next_tokens;
  const int64_t stamp_ns = now_ns();
  size_t length = 0;
  for (uint32_t event = 0; event < events; event++) {
    length += token_event(payload + length, answer, answer->log->sent_tokens, tokens,
                          stamp_ns);
    answer->sequence++;
    if (answer->profiles & SPLIT) {
      cut_event(answer, length);
      return send_piece(connection);
    }
    log_event(answer, stamp_ns, tokens);
  }
  send_chunk(connection, length, false);
  finish_or_go_on(connection);
}

void continue_answer(struct connection *connection) {
  struct answer *answer = connection->answer;
  if (answer->pieces != NULL) return send_piece(connection);
  if (answer->log->headers_ns == 0) send_headers(connection);
  if (connection->is_dead) return;
  if (!answer->role_sent) {
    answer->role_sent = true;
    send_chunk(connection, role_event(payload, answer, now_ns()), false);
    answer->sequence++;
    if (!connection->is_dead) wake_at(connection, answer->token_due_ns);
    return;
  }
  if (!answer->ping_sent) {
    answer->ping_sent = true;
    const char *end = answer->profiles & CRLF ? "\r\n\r\n" : "\n\n";
    send_chunk(connection, (size_t)sprintf(payload, ": ping%s", end), false);
    if (!connection->is_dead) wake_at(connection, answer->token_due_ns);
    return;
  }
  if (answer->log->faulty && answer->log->sent_tokens >= answer->wanted_tokens / 2) return fail(connection);
  send_tokens(connection);
}
