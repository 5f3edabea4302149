/* What the parts of the truth server share. One thread, so nothing is locked. */
#ifndef TRUTH_H
#define TRUTH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

/** What is done to an answer; `m@split+crlf` asks for two. */
enum profile {
  ROLE_FIRST = 1 << 0,
  MULTI = 1 << 1,
  REASONING = 1 << 2,
  TOOL_CALL = 1 << 3,
  CRLF = 1 << 4,
  NO_SPACE = 1 << 5,
  COMMENTS = 1 << 6,
  SPLIT = 1 << 7,
  COALESCE = 1 << 8,
  EARLY_EOS = 1 << 9,
  NO_USAGE = 1 << 10,
  MIDSTREAM_ERROR = 1 << 11,
  STALL = 1 << 12,
  RESET = 1 << 13,
  UNAVAILABLE = 1 << 14,
  SLOW_HEADERS = 1 << 15,
  UTF8 = 1 << 16,
  HUGE_EVENT = 1 << 17,
};

struct options {
  const char *log_path;
  int port;
  double ttft_ms;
  double itl_ms;
  /** Sigma of the lognormal factor on the TTFT and on every gap; its mean is 1. */
  double jitter;
  uint64_t seed;
};
extern struct options options;

/** One counted event: when it was due, the clock right before its write(), and how many tokens are in it. */
struct event_log {
  int64_t due_ns;
  int64_t write_ns;
  uint32_t tokens;
};

/** Everything that is known about one completion request. Times are CLOCK_MONOTONIC; 0: did not happen. */
struct request_log {
  uint32_t stream;
  uint32_t connection;
  char model[64];
  char rid[80];
  int64_t accept_ns;
  int64_t first_byte_ns;
  int64_t last_byte_ns;
  int64_t headers_ns;
  int64_t end_ns;
  uint32_t prompt_tokens;
  uint32_t asked_tokens;
  uint32_t sent_tokens;
  /** "" while under way. */
  const char *ending;
  /** The profile's fault was done to this request (1 in 50 stalls and so on). */
  bool faulty;
  bool streamed;
  bool usage_sent;
  /** write() took less than it was given: the client did not read. */
  uint32_t blocked_writes;
  uint32_t event_count;
  struct event_log *events;
};

/** A request that is being answered. */
struct answer {
  struct request_log *log;
  unsigned profiles;
  bool is_chat;
  bool wants_usage;
  bool wants_usage_each;
  uint64_t random;
  uint32_t wanted_tokens;
  /** When the next event is due, and how many tokens are in it (with COALESCE: how many events). */
  int64_t token_due_ns;
  uint32_t next_tokens;
  /** Sequence number of the next SSE event, counted or not. */
  uint32_t sequence;
  bool role_sent;
  bool ping_sent;
  /** Pieces of a split event that have not gone out yet. */
  char *pieces;
  size_t piece_at;
  size_t pieces_length;
  size_t cuts[4];
  int cut_count;
  int cut_next;
};

struct connection {
  int fd;
  uint32_t serial;
  int64_t accept_ns;
  int64_t first_byte_ns;
  char *in;
  size_t in_length, in_size;
  char *out;
  size_t out_length, out_size;
  bool is_closing;
  bool is_dead;
  /** Position in the heap of deadlines, -1 when it waits for nothing. */
  int heap_at;
  int64_t due_ns;
  struct answer *answer;
  struct connection *next_dead;
};

/* clock and chance */
int64_t now_ns(void);
double next_uniform(uint64_t *state);
/** A factor with mean 1. */
double next_jitter(uint64_t *state);

/* truth-server.c: connections */
void send_bytes(struct connection *connection, const char *bytes, size_t length);
void send_text(struct connection *connection, int status, const char *type, const char *text, const char *extra);
void close_connection(struct connection *connection, bool reset);
void wake_at(struct connection *connection, int64_t due_ns);
void wake_never(struct connection *connection);

/* request.c */
struct http_request {
  struct span method, path, rid, body;
  bool keep_alive;
  size_t size;
};
/** 1: a whole request is there, 0: bytes are missing, -1: not HTTP as we speak it. */
int parse_request(const char *bytes, size_t length, struct http_request *request);
void handle_request(struct connection *connection, const struct http_request *request, int64_t last_byte_ns);

/* answer.c */
void start_answer(struct connection *connection, const struct http_request *request, bool is_chat, int64_t last_byte_ns);
void continue_answer(struct connection *connection);
/** The client went away, or everything was sent. */
void end_answer(struct connection *connection, const char *ending);

/* chunk.c */
size_t token_text(char *target, const struct answer *answer, uint32_t index);
/** One SSE event with `tokens` tokens from `first` on, stamped with `stamp_ns`. Returns its length. */
size_t token_event(char *target, const struct answer *answer, uint32_t first, uint32_t tokens, int64_t stamp_ns);
size_t role_event(char *target, const struct answer *answer, int64_t stamp_ns);
size_t error_event(char *target, const struct answer *answer);
/** Usage (when asked for and allowed) and [DONE]. */
size_t closing_events(char *target, const struct answer *answer, int64_t stamp_ns);
size_t whole_answer(char *target, const struct answer *answer);
extern const size_t HUGE_TEXT_BYTES;

/* vocabulary.c: one word is one token, ` w<id>` is the token <id> */
uint32_t count_tokens(struct span json_text_value);
uint32_t count_prompt_tokens(struct span body);
void answer_tokenize(struct connection *connection, struct span body);
void answer_detokenize(struct connection *connection, struct span body);

/* log.c */
struct request_log *new_request_log(uint32_t tokens);
void count_ended(const struct request_log *log);
void write_log(void);
/** Fills in the Prometheus text. Returns its length. */
size_t metrics_text(char *target, size_t size);
#endif
