#include <stdio.h>
#include <string.h>

#include "truth.h"

const size_t HUGE_TEXT_BYTES = 200 * 1024;

static const char *const CHARACTERS[] = {"\xc3\xa4", "\xe4\xbd\xa0", "\xf0\x9f\xa6\x8a", "e\xcc\x81"};

/** The first two tokens say which stream it is, so that a client that keeps only the text can be paired with the log. */
size_t token_text(char *target, const struct answer *answer, uint32_t index) {
  uint32_t stream = answer->log->stream;
  if (answer->profiles & HUGE_EVENT && index == answer->wanted_tokens / 2) {
    memset(target, 'x', HUGE_TEXT_BYTES);
    return HUGE_TEXT_BYTES;
  }
  uint32_t word = index == 0 ? stream % 1000 : index == 1 ? stream / 1000 : (stream * 31 + index * 7) % 1000;
  if (answer->profiles & (UTF8 | SPLIT) && index >= 2)
    return (size_t)sprintf(target, " %s%s", CHARACTERS[index % 4], CHARACTERS[(index + 1) % 4]);
  return (size_t)sprintf(target, " w%u", word);
}

static size_t open_chunk(char *target, const struct answer *answer, int64_t stamp_ns) {
  const char *space = answer->profiles & NO_SPACE ? "" : " ";
  const char *kind = answer->is_chat ? "chatcmpl" : "cmpl";
  const char *object = answer->is_chat ? "chat.completion.chunk" : "text_completion";
  return (size_t)sprintf(target, "data:%s{\"id\":\"%s-%u-%u-%lld\",\"object\":\"%s\",\"created\":1700000000,\"model\":\"%s\",",
                         space, kind, answer->log->stream, answer->sequence, (long long)stamp_ns, object,
                         answer->log->model);
}

static size_t close_event(char *target, const struct answer *answer) {
  return (size_t)sprintf(target, "%s", answer->profiles & CRLF ? "\r\n\r\n" : "\n\n");
}

static size_t usage_field(char *target, const struct answer *answer, uint32_t tokens) {
  uint32_t prompt = answer->log->prompt_tokens;
  return (size_t)sprintf(target, ",\"usage\":{\"prompt_tokens\":%u,\"total_tokens\":%u,\"completion_tokens\":%u}", prompt,
                         prompt + tokens, tokens);
}

static const char *field_of(const struct answer *answer, uint32_t first) {
  if (!answer->is_chat) return "\"text\":\"";
  if (answer->profiles & TOOL_CALL) return "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"";
  bool is_reasoning = answer->profiles & REASONING && first < answer->wanted_tokens / 2;
  return is_reasoning ? "\"delta\":{\"reasoning_content\":\"" : "\"delta\":{\"content\":\"";
}

static const char *end_of_field(const struct answer *answer) {
  if (!answer->is_chat) return "\"";
  return answer->profiles & TOOL_CALL ? "\"}}]}" : "\"}";
}

size_t token_event(char *target, const struct answer *answer, uint32_t first, uint32_t tokens, int64_t stamp_ns) {
  bool is_last = first + tokens == answer->wanted_tokens;
  const char *finish = !is_last ? "null" : answer->profiles & EARLY_EOS ? "\"stop\"" : "\"length\"";
  size_t at = open_chunk(target, answer, stamp_ns);
  at += (size_t)sprintf(target + at, "\"choices\":[{\"index\":0,%s", field_of(answer, first));
  for (uint32_t index = first; index < first + tokens; index++) at += token_text(target + at, answer, index);
  at += (size_t)sprintf(target + at, "%s,\"logprobs\":null,\"finish_reason\":%s}]", end_of_field(answer), finish);
  if (answer->wants_usage_each && !(answer->profiles & NO_USAGE)) at += usage_field(target + at, answer, first + tokens);
  target[at++] = '}';
  return at + close_event(target + at, answer);
}

size_t role_event(char *target, const struct answer *answer, int64_t stamp_ns) {
  size_t at = open_chunk(target, answer, stamp_ns);
  const char *choice = answer->is_chat ? "\"delta\":{\"role\":\"assistant\",\"content\":\"\"}" : "\"text\":\"\"";
  at += (size_t)sprintf(target + at, "\"choices\":[{\"index\":0,%s,\"logprobs\":null,\"finish_reason\":null}]}", choice);
  return at + close_event(target + at, answer);
}

size_t error_event(char *target, const struct answer *answer) {
  const char *space = answer->profiles & NO_SPACE ? "" : " ";
  size_t at = (size_t)sprintf(
      target, "data:%s{\"error\":{\"message\":\"EngineCore encountered an issue.\",\"type\":\"InternalServerError\",\"code\":500}}",
      space);
  at += close_event(target + at, answer);
  at += (size_t)sprintf(target + at, "data:%s[DONE]", space);
  return at + close_event(target + at, answer);
}

size_t closing_events(char *target, const struct answer *answer, int64_t stamp_ns) {
  size_t at = 0;
  if (answer->wants_usage && !(answer->profiles & NO_USAGE)) {
    at += open_chunk(target, answer, stamp_ns);
    at += (size_t)sprintf(target + at, "\"choices\":[]");
    at += usage_field(target + at, answer, answer->log->sent_tokens);
    target[at++] = '}';
    at += close_event(target + at, answer);
  }
  at += (size_t)sprintf(target + at, "data:%s[DONE]", answer->profiles & NO_SPACE ? "" : " ");
  return at + close_event(target + at, answer);
}

size_t whole_answer(char *target, const struct answer *answer) {
  const char *kind = answer->is_chat ? "chatcmpl" : "cmpl";
  const char *before = answer->is_chat ? "\"message\":{\"role\":\"assistant\",\"content\":\"" : "\"text\":\"";
  size_t at = (size_t)sprintf(target, "{\"id\":\"%s-%u\",\"object\":\"%s\",\"model\":\"%s\",\"choices\":[{\"index\":0,%s", kind,
                              answer->log->stream, answer->is_chat ? "chat.completion" : "text_completion",
                              answer->log->model, before);
  // The same words for every request: a greedy answer to one prompt does not change.
  for (uint32_t index = 0; index < answer->wanted_tokens; index++)
    at += (size_t)sprintf(target + at, " w%u", index * 7 % 1000);
  at += (size_t)sprintf(target + at, "%s,\"finish_reason\":\"length\"}]", answer->is_chat ? "\"}" : "\"");
  at += usage_field(target + at, answer, answer->wanted_tokens);
  target[at++] = '}';
  target[at] = '\0';
  return at;
}
