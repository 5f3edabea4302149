/*
 * Runs a command on one core and says what it and all its descendants cost. Usage:
 *   meter --core N [--nice N] [--policy fifo|rr] --out FILE -- COMMAND…
 * FILE gets one JSON object when the last descendant is gone: exit code, CPU time of the whole tree (orphans are adopted
 * and waited for, so nothing is missed), and ten samples a second of CPU time,
 * memory, and of how long the processes waited for their core. The meter itself stays on
 * another core. TERM is passed on.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLE_MS = 100, MAX_SAMPLES = 100000 };

struct sample {
  long long at_ns, cpu_ms, rss_kib, waited_ms;
  int processes;
};
static struct sample samples[MAX_SAMPLES];
static int sample_count;
static pid_t child;
static int exit_status = -1;
/** CPU time of descendants that are gone and were waited for by us. */
static long long reaped_ms(void) {
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000LL + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/** CPU of a process and of its dead children (fields 14 to 17), and its resident pages (field 24). */
static void add_process(int pid, struct sample *sample) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  const char *after_name = strrchr(text, ')');
  long long times[4], pages;
  if (after_name == NULL || sscanf(after_name + 2,
                                   "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld %*d %*d %*d %*d %*u %*u %lld",
                                   &times[0], &times[1], &times[2], &times[3], &pages) != 5)
    return;
  sample->cpu_ms += (times[0] + times[1] + times[2] + times[3]) * 1000 / sysconf(_SC_CLK_TCK);
  sample->rss_kib += pages * (sysconf(_SC_PAGESIZE) / 1024);
  sample->processes++;
}

/** Time that a process was ready to run and did not: the second number of its schedstat, of its first thread. */
static void add_wait(int pid, struct sample *sample) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  long long ran_ns, waited_ns;
  if (fscanf(file, "%lld %lld", &ran_ns, &waited_ns) == 2) sample->waited_ms += waited_ns / 1000000;
  fclose(file);
}

static void add_descendants(int pid, struct sample *sample) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return;
  for (int each; fscanf(file, "%d", &each) == 1;) {
    add_process(each, sample);
    add_wait(each, sample);
    add_descendants(each, sample);
  }
  fclose(file);
}

static void take_sample(void) {
  if (sample_count == MAX_SAMPLES) return;
  struct sample *sample = &samples[sample_count++];
  *sample = (struct sample){.at_ns = now_ns(), .cpu_ms = reaped_ms()};
  add_descendants(getpid(), sample);
}

static void pass_on(int signal_number) { kill(child, signal_number); }

static void run(int core, int nice_value, const char *policy, char **command) {
  // A session of its own is a scheduling group of its own, to which the nice value applies.
  setsid();
  if (nice_value != 0 && setpriority(PRIO_PROCESS, 0, nice_value) == 0) {
    FILE *group = fopen("/proc/self/autogroup", "w");
    if (group != NULL) {
      fprintf(group, "%d", nice_value);
      fclose(group);
    }
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET((size_t)core, &cores);
  if (core >= 0) sched_setaffinity(0, sizeof cores, &cores);
  // Before everything else on its core: on a shared machine the nearest thing to a core of its own.
  int number = policy == NULL ? SCHED_OTHER : strcmp(policy, "fifo") == 0 ? SCHED_FIFO : SCHED_RR;
  if (number != SCHED_OTHER) sched_setscheduler(0, number, &(struct sched_param){.sched_priority = 1});
  execvp(command[0], command);
  perror(command[0]);
  _exit(127);
}

static void write_result(const char *path, long long started_ns) {
  FILE *file = fopen(path, "w");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  int code = WIFEXITED(exit_status) ? WEXITSTATUS(exit_status) : 128 + WTERMSIG(exit_status);
  fprintf(file, "{\"exitCode\":%d,\"startedNs\":%lld,\"endedNs\":%lld,\"cpuMs\":%.3f,\"largestRssKib\":%ld,\"samples\":[", code,
          started_ns, now_ns(),
          (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3,
          usage.ru_maxrss);
  for (int at = 0; at < sample_count; at++)
    fprintf(file, "%s[%lld,%lld,%lld,%d,%lld]", at == 0 ? "" : ",", samples[at].at_ns, samples[at].cpu_ms, samples[at].rss_kib,
            samples[at].processes, samples[at].waited_ms);
  fprintf(file, "]}\n");
  fclose(file);
}

/** Collects what has ended. False when nothing is left. */
static int reap(void) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) return 1;
    if (pid < 0) return errno == EINTR;
    if (pid == child) exit_status = status;
  }
}

int main(int count, char **words) {
  int core = -1, nice_value = 0, at = 1;
  const char *out = NULL, *policy = NULL;
  for (; at + 1 < count && strcmp(words[at], "--") != 0; at += 2) {
    if (strcmp(words[at], "--core") == 0) core = atoi(words[at + 1]);
    else if (strcmp(words[at], "--nice") == 0) nice_value = atoi(words[at + 1]);
    else if (strcmp(words[at], "--policy") == 0) policy = words[at + 1];
    else if (strcmp(words[at], "--out") == 0) out = words[at + 1];
  }
  if (out == NULL || at + 1 >= count) {
    fprintf(stderr, "usage: meter --core N [--nice N] --out FILE -- COMMAND...\n");
    return 2;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  long long started_ns = now_ns();
  child = fork();
  if (child == 0) run(core, nice_value, policy, words + at + 1);
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = pass_on}, NULL);
  sigaction(SIGINT, &(struct sigaction){.sa_handler = pass_on}, NULL);
  while (reap()) {
    take_sample();
    nanosleep(&(struct timespec){0, SAMPLE_MS * 1000000L}, NULL);
  }
  write_result(out, started_ns);
  return WIFEXITED(exit_status) ? WEXITSTATUS(exit_status) : 128 + WTERMSIG(exit_status);
}
