// The floor: what a statement costs through DuckDB's C API when nothing else is done.
//
// Built into a shared object and loaded with ctypes by floor_process.py, because the wheel's
// library needs the symbols of a Python process. A call binds, executes and reads every value of a
// number of statements, prepared once; only the loop in floor_run is timed. Every function returns
// NULL or a message. The values read are summed up into a fingerprint that the caller compares with
// the expected one (fingerprint() in expected.py).
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint64_t idx_t;
typedef void* Handle;  // the API's opaque handles are all pointers

typedef struct {
  idx_t deprecated[3];
  void* deprecated_columns;
  char* deprecated_error;
  void* internal;
} Result;

typedef struct {
  uint32_t length;
  char prefix[4];
  union {
    char inlined[8];
    const char* pointer;
  } rest;
} Text;

enum { kInlinedText = 12 };
enum { kTypeInteger = 4, kTypeBigint = 5, kTypeDouble = 11, kTypeVarchar = 17 };

#define FUNCTIONS(X)                                               \
  X(int, create_config, (Handle*))                                 \
  X(int, set_config, (Handle, const char*, const char*))           \
  X(void, destroy_config, (Handle*))                               \
  X(int, open_ext, (const char*, Handle*, Handle, char**))         \
  X(void, close, (Handle*))                                        \
  X(int, connect, (Handle, Handle*))                               \
  X(void, disconnect, (Handle*))                                   \
  X(int, query, (Handle, const char*, Result*))                    \
  X(const char*, result_error, (Result*))                          \
  X(void, destroy_result, (Result*))                               \
  X(int, prepare, (Handle, const char*, Handle*))                  \
  X(const char*, prepare_error, (Handle))                          \
  X(void, destroy_prepare, (Handle*))                              \
  X(int, param_type, (Handle, idx_t))                              \
  X(int, bind_int32, (Handle, idx_t, int32_t))                     \
  X(int, bind_int64, (Handle, idx_t, int64_t))                     \
  X(int, bind_double, (Handle, idx_t, double))                     \
  X(int, bind_varchar_length, (Handle, idx_t, const char*, idx_t)) \
  X(int, execute_prepared, (Handle, Result*))                      \
  X(idx_t, column_count, (Result*))                                \
  X(int, column_type, (Result*, idx_t))                            \
  X(Handle, fetch_chunk, (Result))                                 \
  X(idx_t, data_chunk_get_size, (Handle))                          \
  X(Handle, data_chunk_get_vector, (Handle, idx_t))                \
  X(void, destroy_data_chunk, (Handle*))                           \
  X(void*, vector_get_data, (Handle))                              \
  X(uint64_t*, vector_get_validity, (Handle))                      \
  X(const char*, library_version, (void))

#define DECLARE(type, name, arguments) type(*name) arguments;
struct Floor {
  FUNCTIONS(DECLARE)
  Handle database;
  int borrowed;  // the database is another floor's
  Handle connection;
  Handle statement;
  int parameter;  // the type of the statement's parameter
  char message[512];
};
#undef DECLARE

// One argument of a statement: a text, or a number when there is no text.
struct Argument {
  const char* text;
  int64_t number;
};

// What one timed call read.
struct Read {
  uint64_t nanoseconds;
  uint64_t rows;
  int64_t fingerprint;
};

static const char* fail(struct Floor* floor, const char* what, const char* why) {
  snprintf(floor->message, sizeof floor->message, "%s: %s", what, why ? why : "unknown");
  return floor->message;
}

struct Floor* floor_new(void) {
  return calloc(1, sizeof(struct Floor));
}

const char* floor_open(struct Floor* floor, const char* library, const char* path,
                       const char* threads) {
  Handle handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return fail(floor, "dlopen", dlerror());
#define RESOLVE(type, name, arguments)                    \
  *(void**)&floor->name = dlsym(handle, "duckdb_" #name); \
  if (!floor->name) return fail(floor, "dlsym duckdb_" #name, dlerror());
  FUNCTIONS(RESOLVE)
#undef RESOLVE
  Handle config = NULL;
  floor->create_config(&config);
  if (threads[0] != '\0' && floor->set_config(config, "threads", threads) != 0) {
    return fail(floor, "threads", threads);
  }
  char* error = NULL;
  int status = floor->open_ext(path, &floor->database, config, &error);
  floor->destroy_config(&config);
  if (status != 0) return fail(floor, path, error);
  if (floor->connect(floor->database, &floor->connection) != 0) return fail(floor, path, "connect");
  return NULL;
}

// A connection of its own to the database of another floor, which has to outlive it.
const char* floor_share(struct Floor* floor, const struct Floor* with) {
  *floor = *with;
  floor->borrowed = 1;
  floor->statement = NULL;
  floor->connection = NULL;
  if (floor->connect(floor->database, &floor->connection) != 0)
    return fail(floor, "share", "connect");
  return NULL;
}

const char* floor_version(struct Floor* floor) {
  return floor->library_version();
}

const char* floor_execute(struct Floor* floor, const char* sql) {
  Result result;
  int status = floor->query(floor->connection, sql, &result);
  const char* problem = status == 0 ? NULL : fail(floor, "query", floor->result_error(&result));
  floor->destroy_result(&result);
  return problem;
}

const char* floor_prepare(struct Floor* floor, const char* sql) {
  if (floor->statement) floor->destroy_prepare(&floor->statement);
  if (floor->prepare(floor->connection, sql, &floor->statement) != 0) {
    return fail(floor, "prepare", floor->prepare_error(floor->statement));
  }
  floor->parameter = floor->param_type(floor->statement, 1);
  return NULL;
}

// With the type that the statement expects, so that it has no reason to be bound again.
static void bind(struct Floor* floor, const struct Argument* argument) {
  if (argument->text) {
    floor->bind_varchar_length(floor->statement, 1, argument->text, strlen(argument->text));
  } else if (floor->parameter == kTypeInteger) {
    floor->bind_int32(floor->statement, 1, (int32_t)argument->number);
  } else if (floor->parameter == kTypeDouble) {
    floor->bind_double(floor->statement, 1, (double)argument->number);
  } else {
    floor->bind_int64(floor->statement, 1, argument->number);
  }
}

static int64_t text_sum(const Text* text) {
  const char* bytes = text->length <= kInlinedText ? text->prefix : text->rest.pointer;
  int64_t sum = 0;
  for (uint32_t i = 0; i < text->length; ++i) sum += (unsigned char)bytes[i];
  return sum;
}

static int64_t vector_sum(struct Floor* floor, Handle vector, int type, idx_t rows) {
  void* data = floor->vector_get_data(vector);
  uint64_t* validity = floor->vector_get_validity(vector);
  int64_t sum = 0;
  for (idx_t row = 0; row < rows; ++row) {
    if (validity && !(validity[row / 64] >> (row % 64) & 1)) continue;
    switch (type) {
      case kTypeInteger: sum += ((int32_t*)data)[row]; break;
      case kTypeBigint: sum += ((int64_t*)data)[row]; break;
      case kTypeDouble: sum += (int64_t)(((double*)data)[row] * 100); break;
      case kTypeVarchar: sum += text_sum((Text*)data + row); break;
      default: return INT64_MIN;
    }
  }
  return sum;
}

static const char* read_result(struct Floor* floor, struct Read* read) {
  Result result;
  if (floor->execute_prepared(floor->statement, &result) != 0) {
    const char* problem = fail(floor, "execute", floor->result_error(&result));
    floor->destroy_result(&result);
    return problem;
  }
  idx_t columns = floor->column_count(&result);
  for (Handle chunk; (chunk = floor->fetch_chunk(result)) != NULL;) {
    idx_t rows = floor->data_chunk_get_size(chunk);
    for (idx_t column = 0; column < columns; ++column) {
      read->fingerprint += vector_sum(floor, floor->data_chunk_get_vector(chunk, column),
                                      floor->column_type(&result, column), rows);
    }
    read->rows += rows;
    floor->destroy_data_chunk(&chunk);
    if (rows == 0) break;
  }
  floor->destroy_result(&result);
  return NULL;
}

// One timed call: the prepared statement once for each of `count` arguments, or once without an
// argument when `count` is 0.
const char* floor_run(struct Floor* floor, const struct Argument* arguments, idx_t count,
                      struct Read* read) {
  struct timespec start, end;
  memset(read, 0, sizeof *read);
  const char* problem = NULL;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (idx_t i = 0; i < count && !problem; ++i) {
    bind(floor, &arguments[i]);
    problem = read_result(floor, read);
  }
  if (count == 0) problem = read_result(floor, read);
  clock_gettime(CLOCK_MONOTONIC, &end);
  read->nanoseconds = (uint64_t)(end.tv_sec - start.tv_sec) * 1000000000u + (uint64_t)end.tv_nsec -
                      (uint64_t)start.tv_nsec;
  return problem;
}

// A loop over the prepared statements of `floors`, each with the same argument, one argument after
// the other, for so many nanoseconds. For use by several threads at once, each with floors of its
// own.
const char* floor_loop(struct Floor* const* floors, idx_t floor_count,
                       const struct Argument* arguments, idx_t argument_count, uint64_t nanoseconds,
                       struct Read* read) {
  struct timespec start, now;
  memset(read, 0, sizeof *read);
  clock_gettime(CLOCK_MONOTONIC, &start);
  idx_t rounds = 0;
  do {
    for (idx_t i = 0; i < floor_count; ++i) {
      bind(floors[i], &arguments[rounds % argument_count]);
      const char* problem = read_result(floors[i], read);
      if (problem) return problem;
    }
    ++rounds;
    clock_gettime(CLOCK_MONOTONIC, &now);
    read->nanoseconds = (uint64_t)(now.tv_sec - start.tv_sec) * 1000000000u +
                        (uint64_t)now.tv_nsec - (uint64_t)start.tv_nsec;
  } while (read->nanoseconds < nanoseconds);
  read->rows = rounds;
  return NULL;
}

void floor_close(struct Floor* floor) {
  if (floor->statement) floor->destroy_prepare(&floor->statement);
  if (floor->connection) floor->disconnect(&floor->connection);
  if (floor->database && !floor->borrowed) floor->close(&floor->database);
  free(floor);
}
