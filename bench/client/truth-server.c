/*
 * A model server whose every event is known to the nanosecond: it answers OpenAI completions on an absolute schedule and
 * logs what it really did. One thread, epoll, no dependencies. Usage:
 *   truth-server [--port N] [--log FILE] [--ttft-ms X] [--itl-ms X] [--jitter SIGMA] [--seed N]
 * Prints "listening on PORT". The model name picks a profile: m, m@crlf, m@split+crlf, … Writes FILE as JSON lines on
 * TERM, INT and on a request to /log.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
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

#include "truth/truth.h"

struct options options = {.port = 18080, .ttft_ms = 200, .itl_ms = 20, .jitter = 0, .seed = 1};

static int epoll_fd, listen_fd, timer_fd;
static volatile sig_atomic_t stopping;
static uint32_t connections_made;
static struct connection *dead;

int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/** splitmix64 */
double next_uniform(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

double next_jitter(uint64_t *state) {
  if (options.jitter == 0) return 1;
  double normal = sqrt(-2 * log(1 - next_uniform(state))) * cos(6.283185307179586 * next_uniform(state));
  return exp(options.jitter * normal - options.jitter * options.jitter / 2);
}

/* The deadlines: a binary heap, and one timer set to the earliest. */

static struct connection **heap;
static int heap_length, heap_size;

static void heap_put(struct connection *connection, int at) {
  heap[at] = connection;
  connection->heap_at = at;
}

static void sift(int at) {
  struct connection *moving = heap[at];
  while (at > 0 && heap[(at - 1) / 2]->due_ns > moving->due_ns) {
    heap_put(heap[(at - 1) / 2], at);
    at = (at - 1) / 2;
  }
  for (int child; (child = 2 * at + 1) < heap_length; at = child) {
    if (child + 1 < heap_length && heap[child + 1]->due_ns < heap[child]->due_ns) child++;
    if (heap[child]->due_ns >= moving->due_ns) break;
    heap_put(heap[child], at);
  }
  heap_put(moving, at);
}

void wake_at(struct connection *connection, int64_t due_ns) {
  connection->due_ns = due_ns;
  if (connection->heap_at < 0) {
    if (heap_length == heap_size) heap = realloc(heap, sizeof *heap * (size_t)(heap_size = heap_size * 2 + 64));
    heap_put(connection, heap_length++);
  }
  sift(connection->heap_at);
}

void wake_never(struct connection *connection) {
  int at = connection->heap_at;
  if (at < 0) return;
  connection->heap_at = -1;
  struct connection *last = heap[--heap_length];
  if (last == connection) return;
  heap_put(last, at);
  sift(at);
}

static void handle_input(struct connection *connection);

static void run_due(void) {
  while (heap_length > 0 && heap[0]->due_ns <= now_ns()) {
    struct connection *connection = heap[0];
    continue_answer(connection);
    if (!connection->is_dead && connection->answer == NULL) handle_input(connection);
  }
}

static void arm_timer(void) {
  static int64_t armed_ns;
  int64_t due_ns = heap_length > 0 ? heap[0]->due_ns : 0;
  if (due_ns == armed_ns) return;
  armed_ns = due_ns;
  struct itimerspec at = {.it_value = {due_ns / 1000000000, due_ns % 1000000000}};
  timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Connections */

static void watch(struct connection *connection, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  epoll_ctl(epoll_fd, operation, connection->fd, &event);
}

void close_connection(struct connection *connection, bool reset) {
  if (connection->is_dead) return;
  connection->is_dead = true;
  // A stalled answer has its ending already.
  if (connection->answer != NULL)
    end_answer(connection, *connection->answer->log->ending != '\0' ? connection->answer->log->ending : "aborted");
  if (reset) setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
  close(connection->fd);
  wake_never(connection);
  connection->next_dead = dead;
  dead = connection;
}

/** Freed only between rounds: the events of one round may name a connection that an earlier one closed. */
static void bury(void) {
  while (dead != NULL) {
    struct connection *connection = dead;
    dead = connection->next_dead;
    free(connection->in);
    free(connection->out);
    free(connection);
  }
}

static void keep_for_later(struct connection *connection, const char *bytes, size_t length) {
  if (connection->out_length + length > connection->out_size) {
    connection->out_size = (connection->out_length + length) * 2;
    connection->out = realloc(connection->out, connection->out_size);
  }
  memcpy(connection->out + connection->out_length, bytes, length);
  connection->out_length += length;
}

void send_bytes(struct connection *connection, const char *bytes, size_t length) {
  if (connection->is_dead) return;
  ssize_t sent = 0;
  if (connection->out_length == 0) {
    sent = send(connection->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return close_connection(connection, false);
    if (sent == (ssize_t)length) return;
    if (sent < 0) sent = 0;
    watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
  }
  if (connection->answer != NULL) connection->answer->log->blocked_writes++;
  keep_for_later(connection, bytes + sent, length - (size_t)sent);
}

static void send_kept(struct connection *connection) {
  ssize_t sent = send(connection->fd, connection->out, connection->out_length, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK) close_connection(connection, false);
    return;
  }
  connection->out_length -= (size_t)sent;
  memmove(connection->out, connection->out + sent, connection->out_length);
  if (connection->out_length > 0) return;
  watch(connection, EPOLL_CTL_MOD, EPOLLIN);
  handle_input(connection);
}

static const char *reason_of(int status) {
  return status == 200 ? "OK" : status == 404 ? "Not Found" : status == 503 ? "Service Unavailable" : "Bad Request";
}

void send_text(struct connection *connection, int status, const char *type, const char *text, const char *extra) {
  char head[512];
  size_t length = strlen(text);
  int head_length = snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %zu\r\n%s%s\r\n", status,
                             reason_of(status), type, length, extra, connection->is_closing ? "connection: close\r\n" : "");
  char *whole = malloc((size_t)head_length + length);
  memcpy(whole, head, (size_t)head_length);
  memcpy(whole + head_length, text, length);
  send_bytes(connection, whole, (size_t)head_length + length);
  free(whole);
}

/** Answers what has come in, one request at a time: the next one waits until the answer before it is over. */
static void handle_input(struct connection *connection) {
  while (!connection->is_dead && connection->answer == NULL && !connection->is_closing && connection->in_length > 0) {
    struct http_request request;
    int state = parse_request(connection->in, connection->in_length, &request);
    if (state == 0) return;
    if (state < 0) {
      connection->is_closing = true;
      send_text(connection, 400, "text/plain", "not a request that this server reads", "");
      return close_connection(connection, false);
    }
    handle_request(connection, &request, now_ns());
    if (connection->is_dead) return;
    connection->in_length -= request.size;
    memmove(connection->in, connection->in + request.size, connection->in_length);
    // What is left has arrived by now.
    connection->first_byte_ns = now_ns();
  }
  bool is_over = connection->is_closing && connection->answer == NULL && connection->out_length == 0;
  if (!connection->is_dead && is_over) close_connection(connection, false);
}

static void read_input(struct connection *connection) {
  if (connection->in_length == connection->in_size) {
    connection->in_size = connection->in_size * 2 + 16384;
    connection->in = realloc(connection->in, connection->in_size);
  }
  ssize_t got = recv(connection->fd, connection->in + connection->in_length, connection->in_size - connection->in_length, 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (got <= 0) return close_connection(connection, false);
  if (connection->in_length == 0) connection->first_byte_ns = now_ns();
  connection->in_length += (size_t)got;
  handle_input(connection);
}

static void accept_some(void) {
  // A storm of connections must not delay the events that fall due meanwhile.
  for (int left = 8; left > 0; left--) {
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct connection *connection = calloc(1, sizeof *connection);
    connection->fd = fd;
    connection->serial = connections_made++;
    connection->accept_ns = now_ns();
    connection->heap_at = -1;
    watch(connection, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static void on_event(const struct epoll_event *event) {
  if (event->data.ptr == &listen_fd) return accept_some();
  if (event->data.ptr == &timer_fd) {
    uint64_t expirations;
    if (read(timer_fd, &expirations, sizeof expirations) < 0) return;
    return;
  }
  struct connection *connection = event->data.ptr;
  if (!connection->is_dead && event->events & EPOLLOUT) send_kept(connection);
  if (!connection->is_dead && event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_input(connection);
}

static void serve(void) {
  struct epoll_event events[64];
  while (!stopping) {
    arm_timer();
    int count = epoll_wait(epoll_fd, events, 64, -1);
    for (int at = 0; at < count; at++) {
      run_due();
      on_event(&events[at]);
    }
    run_due();
    bury();
  }
}

static void listen_on(int port) {
  listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(listen_fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(listen_fd, 8192) != 0) {
    perror("truth-server: cannot listen");
    exit(1);
  }
  socklen_t length = sizeof address;
  getsockname(listen_fd, (struct sockaddr *)&address, &length);
  printf("listening on %d\n", ntohs(address.sin_port));
  fflush(stdout);
}

static void read_options(int count, char **words) {
  for (int at = 1; at < count; at += 2) {
    const char *name = words[at];
    const char *value = at + 1 < count ? words[at + 1] : NULL;
    if (value != NULL && strcmp(name, "--port") == 0) options.port = atoi(value);
    else if (value != NULL && strcmp(name, "--log") == 0) options.log_path = value;
    else if (value != NULL && strcmp(name, "--ttft-ms") == 0) options.ttft_ms = atof(value);
    else if (value != NULL && strcmp(name, "--itl-ms") == 0) options.itl_ms = atof(value);
    else if (value != NULL && strcmp(name, "--jitter") == 0) options.jitter = atof(value);
    else if (value != NULL && strcmp(name, "--seed") == 0) options.seed = strtoull(value, NULL, 10);
    else {
      fprintf(stderr, "truth-server: unknown option \"%s\"; see the top of truth-server.c\n", name);
      exit(2);
    }
  }
}

static void stop(int signal_number) {
  (void)signal_number;
  stopping = 1;
}

int main(int count, char **words) {
  read_options(count, words);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  // The default slack of 50 us would be lateness of every event.
  prctl(PR_SET_TIMERSLACK, 1);
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);
  sigaction(SIGINT, &(struct sigaction){.sa_handler = stop}, NULL);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  listen_on(options.port);
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listen_fd});
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &timer_fd});
  serve();
  write_log();
  return 0;
}
