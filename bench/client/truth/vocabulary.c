#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "truth.h"

/** What a chat template adds. */
enum { TEMPLATE_TOKENS = 4, SMALL_IDS = 1000, OTHER_IDS = 29000 };

/** Steps to the next word of a JSON string's inside; escapes such as \n separate words. */
static bool next_word(const char **at, const char *end, struct span *word) {
  const char *p = *at;
  while (p < end && (isspace((unsigned char)*p) || *p == '\\')) p += *p == '\\' ? 2 : 1;
  if (p >= end) return false;
  const char *start = p;
  while (p < end && !isspace((unsigned char)*p) && *p != '\\') p++;
  *word = (struct span){start, (size_t)(p - start)};
  *at = p;
  return true;
}

static uint32_t id_of(struct span word) {
  if (word.length >= 2 && word.length <= 4 && word.at[0] == 'w') {
    uint32_t id = 0;
    size_t at = 1;
    for (; at < word.length && isdigit((unsigned char)word.at[at]); at++) id = id * 10 + (uint32_t)(word.at[at] - '0');
    if (at == word.length) return id;
  }
  uint32_t hash = 2166136261u;
  for (size_t at = 0; at < word.length; at++) hash = (hash ^ (unsigned char)word.at[at]) * 16777619u;
  return SMALL_IDS + hash % OTHER_IDS;
}

static bool is_string(struct span value) { return value.at != NULL && value.length >= 2 && value.at[0] == '"'; }
static bool is_array(struct span value) { return value.at != NULL && value.length >= 2 && value.at[0] == '['; }

static void each_id(struct span value, void (*use)(uint32_t id, void *context), void *context) {
  if (!is_string(value)) return;
  const char *at = value.at + 1;
  const char *end = value.at + value.length - 1;
  struct span word;
  while (next_word(&at, end, &word)) use(id_of(word), context);
}

static void count_one(uint32_t id, void *context) {
  (void)id;
  ++*(uint32_t *)context;
}

uint32_t count_tokens(struct span value) {
  uint32_t count = 0;
  each_id(value, count_one, &count);
  return count;
}

/** Calls `use` for every token of a request's `prompt` or `messages`. */
static void each_prompt_id(struct span body, void (*use)(uint32_t id, void *context), void *context) {
  struct span prompt = json_get(body, "prompt");
  each_id(prompt, use, context);
  if (is_array(prompt))
    for (struct span item; (item = json_next(&prompt)).at != NULL;)
      is_string(item) ? each_id(item, use, context) : use((uint32_t)json_integer(item, 0), context);
  struct span messages = json_get(body, "messages");
  if (!is_array(messages)) return;
  for (uint32_t id = 1; id <= TEMPLATE_TOKENS; id++) use(id, context);
  for (struct span message; (message = json_next(&messages)).at != NULL;) {
    struct span content = json_get(message, "content");
    each_id(content, use, context);
    if (is_array(content))
      for (struct span part; (part = json_next(&content)).at != NULL;) each_id(json_get(part, "text"), use, context);
  }
}

uint32_t count_prompt_tokens(struct span body) {
  uint32_t count = 0;
  each_prompt_id(body, count_one, &count);
  return count;
}

struct id_list {
  char *text;
  size_t length;
  uint32_t count;
};

static void append_id(uint32_t id, void *context) {
  struct id_list *list = context;
  list->length += (size_t)sprintf(list->text + list->length, "%s%u", list->count == 0 ? "" : ",", id);
  list->count++;
}

void answer_tokenize(struct connection *connection, struct span body) {
  // A token takes at least two bytes of the body and at most six of the answer.
  struct id_list list = {malloc(body.length * 4 + 256), 0, 0};
  list.length = (size_t)sprintf(list.text, "{\"tokens\":[");
  each_prompt_id(body, append_id, &list);
  sprintf(list.text + list.length, "],\"count\":%u,\"max_model_len\":1000000}", list.count);
  send_text(connection, 200, "application/json", list.text, "");
  free(list.text);
}

void answer_detokenize(struct connection *connection, struct span body) {
  char *text = malloc(body.length * 8 + 64);
  size_t length = (size_t)sprintf(text, "{\"prompt\":\"");
  struct span tokens = json_get(body, "tokens");
  if (is_array(tokens))
    for (struct span item; (item = json_next(&tokens)).at != NULL;)
      length += (size_t)sprintf(text + length, " w%ld", json_integer(item, 0));
  strcpy(text + length, "\"}");
  send_text(connection, 200, "application/json", text, "");
  free(text);
}
