#include "json.h"

#include <stdlib.h>
#include <string.h>

static const char *past_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

static const char *past_string(const char *at, const char *end) {
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\') at++;
  return at < end ? at + 1 : end;
}

/** Counts brackets outside of strings, which is all that the end of a value depends on. */
static const char *past_value(const char *at, const char *end) {
  int depth = 0;
  while (at < end) {
    if (*at == '"') {
      at = past_string(at, end);
    } else if (*at == '{' || *at == '[') {
      depth++, at++;
    } else if (*at == '}' || *at == ']') {
      if (depth == 0) return at;
      depth--, at++;
    } else if (depth == 0 && *at == ',') {
      return at;
    } else {
      at++;
      continue;
    }
    if (depth == 0) return at;
  }
  return end;
}

static struct span between(const char *at, const char *end) {
  return (struct span){at, (size_t)(end - at)};
}

struct span json_get(struct span object, const char *key) {
  const struct span none = {NULL, 0};
  if (object.at == NULL) return none;
  const char *end = object.at + object.length;
  const char *at = past_space(object.at, end);
  if (at == end || *at != '{') return none;
  size_t wanted = strlen(key);
  at++;
  while ((at = past_space(at, end)) < end && *at == '"') {
    const char *name = at + 1;
    const char *after = past_string(at, end);
    bool is_it = (size_t)(after - name) == wanted + 1 && memcmp(name, key, wanted) == 0;
    at = past_space(after, end);
    if (at == end || *at != ':') return none;
    at = past_space(at + 1, end);
    const char *value = at;
    at = past_value(at, end);
    if (is_it) return between(value, at);
    at = past_space(at, end);
    if (at < end && *at == ',') at++;
  }
  return none;
}

struct span json_next(struct span *rest) {
  const struct span none = {NULL, 0};
  if (rest->at == NULL) return none;
  const char *end = rest->at + rest->length;
  const char *at = past_space(rest->at, end);
  if (at < end && (*at == '[' || *at == ',')) at = past_space(at + 1, end);
  if (at == end || *at == ']') return none;
  const char *after = past_value(at, end);
  *rest = between(past_space(after, end), end);
  return between(at, after);
}

long json_integer(struct span value, long otherwise) {
  if (value.at == NULL || value.length == 0 || value.length > 20) return otherwise;
  char text[24] = {0};
  memcpy(text, value.at, value.length);
  char *end = text;
  long number = strtol(text, &end, 10);
  return end == text ? otherwise : number;
}

bool json_is_true(struct span value) {
  return value.at != NULL && value.length >= 4 && memcmp(value.at, "true", 4) == 0;
}

size_t json_text(struct span value, char *target, size_t size) {
  size_t length = 0;
  if (value.at != NULL && value.length >= 2 && value.at[0] == '"') {
    for (size_t at = 1; at + 1 < value.length && length + 1 < size; at++) {
      char byte = value.at[at];
      if (byte == '\\' && at + 2 < value.length) {
        byte = value.at[++at];
        if (byte != '"' && byte != '\\' && byte != '/') byte = ' ';
      }
      target[length++] = byte;
    }
  }
  if (size > 0) target[length] = '\0';
  return length;
}
