// loadgen PORT CONNECTIONS WARM_UP SECONDS MOST RATE SPEC SESSIONS
//
// Loads an MCP server on 127.0.0.1 over HTTP/1.1 with keep-alive, from one thread. Every connection
// has one request in flight and sends the next when its answer is there (a closed loop); with a
// RATE above 0 all of them together send no more than that many a second. What finishes within the
// first WARM_UP seconds is checked and not counted. Ends after SECONDS more, on SIGTERM, or after
// MOST requests when that is not 0.
//
// SPEC: "HEAD <bytes>\n" and those bytes (request line and headers, each with its CRLF, without
// Content-Length), then for each kind of request "CALL <headers> <body> <expected>\n", the bytes of
// its own headers, those of its body, and for each expected text "<bytes>\n" and those bytes. Ten
// digits 1000000000 in a body are its id and become another one in each request. Kinds take turns.
// SESSIONS: a file with a value for Mcp-Session-Id on each line, dealt to the connections in turn;
// "-" for none.
//
// An answer is right when its status is 200 and its body (JSON, or a stream of events) holds the id
// and every expected text and no "isError":true. Prints one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  char* bytes;
  size_t size;
} Bytes;

typedef struct {
  Bytes headers, body;
  size_t id_at;  // in the body; SIZE_MAX without
  int expected_count;
  Bytes* expected;
} Call;

typedef struct {
  int socket;
  bool waiting;
  bool blocked;  // the socket takes no more for now
  const char* session;
  int call;
  uint64_t id;
  uint64_t sent_at;
  Bytes out;
  size_t out_size, out_sent;
  Bytes in;
  size_t in_size;
  size_t body_at;  // 0 while the head is incomplete
  long body_size;  // -1: chunked
} Connection;

enum { kIdDigits = 10, kPatience = 30 };
static const char kIdMark[] = "1000000000";

static int port;
static Bytes head;
static Call* calls;
static int call_count;
static uint64_t next_id = 1000000001;
static uint64_t begin_at, count_from, end_at;  // nanoseconds
static volatile sig_atomic_t told_to_end;
static long most, sent, done, right, counted;
static double rate;
static uint32_t* latencies;  // microseconds
static size_t latency_capacity;
static char first_wrong[400];
static uint64_t last_done_at;

static void on_term(int number) {
  (void)number;
  told_to_end = 1;
}

static void fail(const char* what) {
  fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
  exit(2);
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void grow(Bytes* bytes, size_t size) {
  if (bytes->size >= size) return;
  bytes->size = size * 2;
  bytes->bytes = realloc(bytes->bytes, bytes->size);
  if (!bytes->bytes) fail("memory");
}

static Bytes read_bytes(FILE* file, size_t size) {
  Bytes out = {calloc(1, size + 1), size};
  if (fread(out.bytes, 1, size, file) != size) fail("SPEC ends early");
  return out;
}

static void read_spec(const char* path) {
  FILE* file = fopen(path, "rb");
  size_t size, headers;
  int expected;
  if (!file || fscanf(file, "HEAD %zu", &size) != 1) fail(path);
  fgetc(file);
  head = read_bytes(file, size);
  while (fscanf(file, " CALL %zu %zu %d", &headers, &size, &expected) == 3) {
    fgetc(file);
    calls = realloc(calls, sizeof *calls * (size_t)(call_count + 1));
    Call* call = &calls[call_count++];
    call->headers = read_bytes(file, headers);
    call->body = read_bytes(file, size);
    const char* mark = memmem(call->body.bytes, size, kIdMark, kIdDigits);
    call->id_at = mark ? (size_t)(mark - call->body.bytes) : SIZE_MAX;
    call->expected_count = expected;
    call->expected = calloc((size_t)expected + 1, sizeof(Bytes));
    for (int i = 0; i < expected; ++i) {
      if (fscanf(file, "%zu", &size) != 1) fail("SPEC");
      fgetc(file);
      call->expected[i] = read_bytes(file, size);
    }
  }
  fclose(file);
  if (call_count == 0) fail("no CALL in SPEC");
}

static char** read_sessions(const char* path, int* count) {
  FILE* file = fopen(path, "r");
  if (!file) fail(path);
  char line[1024];
  char** sessions = NULL;
  for (*count = 0; fgets(line, sizeof line, file);) {
    line[strcspn(line, "\r\n")] = '\0';
    sessions = realloc(sessions, sizeof *sessions * (size_t)(*count + 1));
    sessions[(*count)++] = strdup(line);
  }
  fclose(file);
  if (*count == 0) fail("no line in SESSIONS");
  return sessions;
}

static void open_connection(Connection* c, int poll) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->socket = socket(AF_INET, SOCK_STREAM, 0);
  if (c->socket < 0 || connect(c->socket, (struct sockaddr*)&address, sizeof address) < 0) {
    fail("connect");
  }
  int one = 1;
  setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(c->socket, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poll, EPOLL_CTL_ADD, c->socket, &event);
  c->in_size = c->body_at = 0;
  c->blocked = false;
}

static void flush(Connection* c, int poll) {
  while (c->out_sent < c->out_size) {
    ssize_t n =
        send(c->socket, c->out.bytes + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);
    if (n < 0) break;
    c->out_sent += (size_t)n;
  }
  bool blocked = c->out_sent < c->out_size;
  if (blocked == c->blocked) return;
  c->blocked = blocked;
  struct epoll_event event = {.events = EPOLLIN | (blocked ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poll, EPOLL_CTL_MOD, c->socket, &event);
}

static void put(Connection* c, const char* bytes, size_t size) {
  memcpy(c->out.bytes + c->out_size, bytes, size);
  c->out_size += size;
}

// Whether there was something to send, and time for it.
static bool send_next(Connection* c, int poll, uint64_t at) {
  if (at >= end_at || (most && sent >= most)) return false;
  if (rate > 0 && (double)sent > rate * ((double)(at - begin_at) / 1e9)) return false;
  const Call* call = &calls[c->call];
  grow(&c->out, head.size + call->headers.size + call->body.size + 1400);
  c->out_size = c->out_sent = 0;
  put(c, head.bytes, head.size);
  put(c, call->headers.bytes, call->headers.size);
  if (c->session[0] != '-') {
    put(c, "Mcp-Session-Id: ", 16);
    put(c, c->session, strlen(c->session));
    put(c, "\r\n", 2);
  }
  char text[64];
  put(c, text, (size_t)snprintf(text, sizeof text, "Content-Length: %zu\r\n\r\n", call->body.size));
  put(c, call->body.bytes, call->body.size);
  c->id = next_id++;
  if (call->id_at != SIZE_MAX) {
    snprintf(text, sizeof text, "%010llu", (unsigned long long)c->id);
    memcpy(c->out.bytes + c->out_size - call->body.size + call->id_at, text, kIdDigits);
  }
  ++sent;
  c->waiting = true;
  c->sent_at = at;
  flush(c, poll);
  return true;
}

// The whole response is there, chunks are joined. 0: not yet.
static int status_of_complete(Connection* c) {
  char* in = c->in.bytes;
  if (c->body_at == 0) {
    char* end = memmem(in, c->in_size, "\r\n\r\n", 4);
    if (!end) return 0;
    c->body_at = (size_t)(end - in) + 4;
    c->body_size = 0;
    for (char* line = in; line < end; line = memmem(line, (size_t)(end + 2 - line), "\r\n", 2)) {
      if (line != in) line += 2;
      if (strncasecmp(line, "content-length:", 15) == 0) c->body_size = atol(line + 15);
      if (strncasecmp(line, "transfer-encoding: chunked", 26) == 0) c->body_size = -1;
      if (line == in) line += 1;
    }
  }
  if (c->body_size >= 0) {
    if (c->in_size < c->body_at + (size_t)c->body_size) return 0;
  } else {
    size_t at = c->body_at;
    for (;;) {
      char* end = memmem(in + at, c->in_size - at, "\r\n", 2);
      if (!end) return 0;
      size_t size = strtoul(in + at, NULL, 16);
      at = (size_t)(end - in) + 2 + size + 2;
      if (at > c->in_size) return 0;
      if (size == 0) break;
    }
  }
  return atoi(in + 9);
}

static const char* mistake(Connection* c, const Call* call, int status) {
  const char* body = c->in.bytes + c->body_at;
  size_t size = c->in_size - c->body_at;
  char id[16];
  snprintf(id, sizeof id, "%010llu", (unsigned long long)c->id);
  if (status != 200) return "status";
  if (call->id_at != SIZE_MAX && !memmem(body, size, id, kIdDigits)) return "id";
  for (int i = 0; i < call->expected_count; ++i) {
    if (!memmem(body, size, call->expected[i].bytes, call->expected[i].size)) return "content";
  }
  const char* error = memmem(body, size, "\"isError\"", 9);
  if (error) {
    for (error += 9; *error == ' ' || *error == ':'; ++error) {
    }
    if (*error == 't') return "isError";
  }
  return NULL;
}

static void note_wrong(Connection* c, const char* why) {
  if (first_wrong[0]) return;
  int n = snprintf(first_wrong, 40, "%s: ", why);
  for (size_t i = 0; i < c->in_size && n < (int)sizeof first_wrong - 1; ++i) {
    char byte = c->in.bytes[i];
    first_wrong[n++] = byte == '"' || byte == '\\' ? '\'' : byte < ' ' || byte > '~' ? ' ' : byte;
  }
  first_wrong[n] = '\0';
}

static void finish(Connection* c, int status) {
  uint64_t at = now();
  const char* wrong = mistake(c, &calls[c->call], status);
  if (wrong) note_wrong(c, wrong);
  ++done;
  right += wrong == NULL;
  if (at >= count_from && at <= end_at) {
    if ((size_t)counted >= latency_capacity) {
      latency_capacity = latency_capacity ? latency_capacity * 2 : 1 << 16;
      latencies = realloc(latencies, latency_capacity * sizeof *latencies);
      if (!latencies) fail("memory");
    }
    latencies[counted++] = (uint32_t)((at - c->sent_at) / 1000);
  }
  last_done_at = at;
  c->waiting = false;
  c->call = (c->call + 1) % call_count;
  c->in_size = c->body_at = 0;
}

static int by_size(const void* a, const void* b) {
  uint32_t x = *(const uint32_t*)a, y = *(const uint32_t*)b;
  return x < y ? -1 : x > y;
}

static double percentile(double share) {
  return counted ? latencies[(size_t)((double)(counted - 1) * share)] / 1000.0 : 0;
}

int main(int argc, char** argv) {
  if (argc != 9) {
    fprintf(stderr, "usage: loadgen PORT CONNECTIONS WARM_UP SECONDS MOST RATE SPEC SESSIONS\n");
    return 2;
  }
  port = atoi(argv[1]);
  int connections = atoi(argv[2]);
  most = atol(argv[5]);
  rate = atof(argv[6]);
  read_spec(argv[7]);
  int session_count;
  char** sessions = read_sessions(argv[8], &session_count);
  int poll = epoll_create1(0);
  Connection* all = calloc((size_t)connections, sizeof *all);
  for (int i = 0; i < connections; ++i) {
    all[i].session = sessions[i % session_count];
    all[i].call = i * 7 % call_count;
    open_connection(&all[i], poll);
  }
  struct sigaction action = {.sa_handler = on_term};
  sigaction(SIGTERM, &action, NULL);
  begin_at = now();
  count_from = begin_at + (uint64_t)(atof(argv[3]) * 1e9);
  end_at = count_from + (uint64_t)(atof(argv[4]) * 1e9);
  long waiting = 0;
  for (int i = 0; i < connections; ++i) waiting += send_next(&all[i], poll, now());
  struct epoll_event events[256];
  // What is in flight at the end may still arrive.
  while (now() < end_at + kPatience * 1000000000ull) {
    uint64_t at = now();
    if (told_to_end && at < end_at) end_at = at;
    bool over = at >= end_at || (most && sent >= most);
    if (waiting == 0 && over) break;
    int timeout = rate > 0 && !over ? 1 : 1000;
    int n = epoll_wait(poll, events, 256, timeout);
    for (int i = 0; i < n; ++i) {
      Connection* c = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) flush(c, poll);
      bool closed = false;
      for (;;) {
        grow(&c->in, c->in_size + 32768);
        ssize_t got = recv(c->socket, c->in.bytes + c->in_size, c->in.size - c->in_size - 1, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN)) closed = true;
        if (got <= 0) break;
        c->in_size += (size_t)got;
        c->in.bytes[c->in_size] = '\0';
        if ((size_t)got < c->in.size / 2) break;
      }
      int status = c->waiting && c->in_size > 0 ? status_of_complete(c) : 0;
      if (status) {
        finish(c, status);
        --waiting;
      }
      if (closed) {
        if (c->waiting) {
          note_wrong(c, "the connection was closed");
          c->waiting = false;
          --waiting;
        }
        close(c->socket);
        open_connection(c, poll);
      }
      if (!c->waiting && rate <= 0) waiting += send_next(c, poll, now());
    }
    if (rate > 0) {
      for (int i = 0; i < connections; ++i) {
        if (!all[i].waiting) waiting += send_next(&all[i], poll, now());
      }
    }
  }
  if (waiting > 0 && !first_wrong[0])
    snprintf(first_wrong, sizeof first_wrong, "no answer in time");
  uint64_t until = most && last_done_at < end_at ? last_done_at : end_at;
  double seconds = until > count_from ? (double)(until - count_from) / 1e9 : 0;
  qsort(latencies, (size_t)counted, sizeof *latencies, by_size);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf(
      "{\"sent\":%ld,\"right\":%ld,\"wrong\":%ld,\"counted\":%ld,\"seconds\":%.4f,\"rate\":%.2f,"
      "\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"most\":%.3f,\"cpu_us\":%.2f,\"first_wrong\":\"%s\"}"
      "\n",
      sent, right, sent - right, counted, seconds, seconds > 0 ? (double)counted / seconds : 0,
      percentile(.5), percentile(.9), percentile(.99), percentile(1),
      done ? cpu * 1e6 / (double)done : 0, first_wrong);
  return 0;
}
