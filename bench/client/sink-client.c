/*
 * The floor: a client that only reads and takes the time. It knows just enough of HTTP to see where an answer ends, and
 * looks at bytes only to tell a token from the rest; what it logs is written when everything is over. Usage:
 *   sink-client --port N --streams N --requests N --tokens N [--rate PER_S] [--seed N] [--model NAME] --out FILE
 * FILE gets JSON lines with the fields that `arc-vllm bench --save-requests` has. With --rate arrivals are Poisson.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int port = 18080, streams = 1, requests = 1, tokens = 128;
static double rate = 0;
static uint64_t seed = 1;
static const char *model = "m", *out_path = NULL;

struct request {
  char id[64];
  int64_t scheduled_ns, sent_ns, end_ns;
  int events;
  bool is_complete;
  int64_t *event_ns;
};

struct connection {
  int fd;
  struct request *request;
  struct connection *next_idle;
};

static struct request *all;
static int started, ended, epoll_fd, timer_fd;
static struct connection *idle;
static char body[512], wire[1024];
static int wire_length;

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static double next_uniform(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static struct connection *connect_new(void) {
  struct connection *connection = calloc(1, sizeof *connection);
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  // On loopback the connection is made when connect() returns, although it is not said to be.
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
    perror("sink-client: cannot connect");
    exit(1);
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
  return connection;
}

static void send_next(struct connection *connection, int64_t scheduled_ns) {
  struct request *request = connection->request = &all[started++];
  request->event_ns = malloc(sizeof *request->event_ns * (size_t)(tokens + 16));
  request->sent_ns = now_ns();
  request->scheduled_ns = scheduled_ns == 0 ? request->sent_ns : scheduled_ns;
  if (send(connection->fd, wire, (size_t)wire_length, MSG_NOSIGNAL) != wire_length) {
    perror("sink-client: cannot send");
    exit(1);
  }
}

static void end_request(struct connection *connection, int64_t at_ns, bool is_complete) {
  connection->request->end_ns = at_ns;
  connection->request->is_complete = is_complete;
  connection->request = NULL;
  ended++;
  if (!is_complete) {
    close(connection->fd);
    connection = connect_new();
  }
  if (rate == 0 && started < requests) return send_next(connection, 0);
  connection->next_idle = idle;
  idle = connection;
}

static void read_answer(struct connection *connection) {
  static char bytes[256 * 1024];
  ssize_t got = recv(connection->fd, bytes, sizeof bytes, 0);
  int64_t at_ns = now_ns();
  struct request *request = connection->request;
  if (got < 0 && errno == EAGAIN) return;
  if (request == NULL) {
    if (got <= 0) close(connection->fd);
    return;
  }
  if (got <= 0) return end_request(connection, at_ns, false);
  const char *at = bytes, *end = bytes + got;
  // Every counted event has one of these, and nothing else has.
  while ((at = memmem(at, (size_t)(end - at), "\"finish_reason\"", 15)) != NULL) {
    if (request->events == 0) {
      const char *id = memmem(bytes, (size_t)got, "\"id\":\"", 6);
      if (id != NULL) snprintf(request->id, sizeof request->id, "%.*s", (int)strcspn(id + 6, "\""), id + 6);
    }
    if (request->events < tokens + 16) request->event_ns[request->events++] = at_ns;
    at += 15;
  }
  if (got >= 7 && memcmp(end - 7, "\r\n0\r\n\r\n", 7) == 0) end_request(connection, at_ns, true);
}

static void write_log(void) {
  FILE *file = fopen(out_path, "w");
  if (file == NULL) {
    perror(out_path);
    exit(1);
  }
  for (int at = 0; at < started; at++) {
    const struct request *request = &all[at];
    int64_t first = request->events > 0 ? request->event_ns[0] : 0;
    int64_t last = request->events > 0 ? request->event_ns[request->events - 1] : 0;
    fprintf(file,
            "{\"id\":\"%s\",\"scheduledNs\":%" PRId64 ",\"sentNs\":%" PRId64 ",\"firstNs\":%" PRId64 ",\"lastNs\":%" PRId64
            ",\"endNs\":%" PRId64 ",\"tokens\":%d,\"outcome\":\"%s\",\"chunkNs\":[",
            request->id, request->scheduled_ns, request->sent_ns, first, last, request->end_ns, request->events,
            request->is_complete ? "ok" : "reset");
    for (int event = 0; event < request->events; event++)
      fprintf(file, "%s%" PRId64, event == 0 ? "" : ",", request->event_ns[event]);
    fprintf(file, "]}\n");
  }
  fclose(file);
}

static int64_t next_arrival(int64_t before_ns) {
  return before_ns + (int64_t)(-log(1 - next_uniform(&seed)) / rate * 1e9);
}

static void run_closed(void) {
  struct epoll_event events[256];
  for (int at = 0; at < streams && at < requests; at++) send_next(connect_new(), 0);
  while (ended < requests) {
    int count = epoll_wait(epoll_fd, events, 256, -1);
    for (int at = 0; at < count; at++) read_answer(events[at].data.ptr);
  }
}

static void run_open(void) {
  struct epoll_event events[256];
  int64_t due_ns = next_arrival(now_ns());
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
  while (ended < requests) {
    while (started < requests && due_ns <= now_ns()) {
      struct connection *connection = idle;
      if (connection != NULL) idle = connection->next_idle;
      send_next(connection != NULL ? connection : connect_new(), due_ns);
      due_ns = next_arrival(due_ns);
    }
    struct itimerspec at_due = {.it_value = {due_ns / 1000000000, due_ns % 1000000000}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at_due, NULL);
    int count = epoll_wait(epoll_fd, events, 256, -1);
    uint64_t ignored;
    for (int at = 0; at < count; at++) {
      if (events[at].data.ptr != NULL) read_answer(events[at].data.ptr);
      else if (read(timer_fd, &ignored, sizeof ignored) < 0) continue;
    }
  }
}

int main(int count, char **words) {
  for (int at = 1; at + 1 < count; at += 2) {
    const char *name = words[at], *value = words[at + 1];
    if (strcmp(name, "--port") == 0) port = atoi(value);
    else if (strcmp(name, "--streams") == 0) streams = atoi(value);
    else if (strcmp(name, "--requests") == 0) requests = atoi(value);
    else if (strcmp(name, "--tokens") == 0) tokens = atoi(value);
    else if (strcmp(name, "--rate") == 0) rate = atof(value);
    else if (strcmp(name, "--seed") == 0) seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--model") == 0) model = value;
    else if (strcmp(name, "--out") == 0) out_path = value;
  }
  if (out_path == NULL) {
    fprintf(stderr, "usage: see the top of sink-client.c\n");
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  prctl(PR_SET_TIMERSLACK, 1);
  int body_length = snprintf(body, sizeof body,
                             "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"w1 w2 w3 w4 w5 w6 w7 w8\"}],"
                             "\"max_tokens\":%d,\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
                             model, tokens);
  wire_length = snprintf(wire, sizeof wire,
                         "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
                         "content-length: %d\r\n\r\n%s",
                         port, body_length, body);
  all = calloc((size_t)requests, sizeof *all);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (rate == 0) run_closed();
  else run_open();
  write_log();
  return 0;
}
