#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "truth.h"

static bool names(struct span line, const char *name) {
  size_t length = strlen(name);
  return line.length > length && line.at[length] == ':' && strncasecmp(line.at, name, length) == 0;
}

static struct span value_of(struct span line) {
  const char *at = memchr(line.at, ':', line.length) + 1;
  const char *end = line.at + line.length;
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  return (struct span){at, (size_t)(end - at)};
}

static bool is_word(struct span value, const char *word) {
  return value.length == strlen(word) && strncasecmp(value.at, word, value.length) == 0;
}

int parse_request(const char *bytes, size_t length, struct http_request *request) {
  const char *head_end = memmem(bytes, length, "\r\n\r\n", 4);
  if (head_end == NULL) return length > 64 * 1024 ? -1 : 0;
  const char *line_end = memmem(bytes, length, "\r\n", 2);
  const char *space = memchr(bytes, ' ', (size_t)(line_end - bytes));
  if (space == NULL) return -1;
  const char *path_end = memchr(space + 1, ' ', (size_t)(line_end - space - 1));
  if (path_end == NULL) return -1;
  *request = (struct http_request){.method = {bytes, (size_t)(space - bytes)},
                                   .path = {space + 1, (size_t)(path_end - space - 1)},
                                   .keep_alive = memcmp(line_end - 3, "1.1", 3) == 0};
  long body_length = 0;
  for (const char *at = line_end + 2; at < head_end;) {
    const char *end = memmem(at, (size_t)(head_end + 2 - at), "\r\n", 2);
    struct span line = {at, (size_t)(end - at)};
    if (names(line, "content-length")) body_length = json_integer(value_of(line), -1);
    if (names(line, "connection") && is_word(value_of(line), "close")) request->keep_alive = false;
    if (names(line, "x-request-id")) request->rid = value_of(line);
    // Every client compared here sends the length of its body.
    if (names(line, "transfer-encoding")) return -1;
    at = end + 2;
  }
  if (body_length < 0) return -1;
  request->body = (struct span){head_end + 4, (size_t)body_length};
  request->size = (size_t)(head_end + 4 - bytes) + (size_t)body_length;
  return request->size <= length ? 1 : 0;
}

static bool path_is(const struct http_request *request, const char *path) {
  size_t length = strcspn(request->path.at, "? ");
  if (length > request->path.length) length = request->path.length;
  return length == strlen(path) && memcmp(request->path.at, path, length) == 0;
}

void handle_request(struct connection *connection, const struct http_request *request, int64_t last_byte_ns) {
  if (!request->keep_alive) connection->is_closing = true;
  if (path_is(request, "/v1/chat/completions")) return start_answer(connection, request, true, last_byte_ns);
  if (path_is(request, "/v1/completions")) return start_answer(connection, request, false, last_byte_ns);
  if (path_is(request, "/tokenize")) return answer_tokenize(connection, request->body);
  if (path_is(request, "/detokenize")) return answer_detokenize(connection, request->body);
  if (path_is(request, "/health") || path_is(request, "/ping") || path_is(request, "/reset_prefix_cache"))
    return send_text(connection, 200, "application/json", "", "");
  if (path_is(request, "/version")) return send_text(connection, 200, "application/json", "{\"version\":\"0.32.0\"}", "");
  if (path_is(request, "/v1/models")) {
    const char *models =
        "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\",\"created\":1700000000,\"owned_by\":\"truth\",\"max_model_len\":1000000}]}";
    return send_text(connection, 200, "application/json", models, "");
  }
  if (path_is(request, "/metrics")) {
    char text[8192];
    metrics_text(text, sizeof text);
    return send_text(connection, 200, "text/plain; version=0.0.4", text, "");
  }
  if (path_is(request, "/log")) {
    write_log();
    return send_text(connection, 200, "application/json", "{}", "");
  }
  send_text(connection, 404, "application/json", "{\"detail\":\"Not Found\"}", "");
}
