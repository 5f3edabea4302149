/* Just enough JSON to read an OpenAI request: values are found by key and stay where they are in the body. */
#ifndef TRUTH_JSON_H
#define TRUTH_JSON_H
#include <stdbool.h>
#include <stddef.h>

/** A piece of somebody else's memory. `at` is NULL when there is none. */
struct span {
  const char *at;
  size_t length;
};

/** The value of `key` in the object that `object` starts with; strings keep their quotes and escapes. */
struct span json_get(struct span object, const char *key);
/** The next element of an array: start with `rest` at the whole array; ends with a NULL span. */
struct span json_next(struct span *rest);
long json_integer(struct span value, long otherwise);
bool json_is_true(struct span value);
/** Copies a string's characters; escapes other than \" \\ \/ become a space. Returns the length, cut to fit. */
size_t json_text(struct span value, char *target, size_t size);
#endif
