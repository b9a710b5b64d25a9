// timed OUT COMMAND [ARGUMENT...]: runs the command with its output in OUT and prints what it took,
// as one line of JSON. A child inherits its parent's peak memory, so the parent that measures has to
// be this small; a Python parent would be measured along with the command.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char** environ;

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: timed OUT COMMAND [ARGUMENT...]\n");
    return 2;
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);

  struct timespec start, end;
  pid_t child;
  clock_gettime(CLOCK_MONOTONIC, &start);
  int error = posix_spawnp(&child, argv[2], &files, NULL, argv + 2, environ);
  if (error != 0) {
    fprintf(stderr, "timed: %s: %s\n", argv[2], strerror(error));
    return 2;
  }
  int status;
  struct rusage usage;
  while (wait4(child, &status, 0, &usage) < 0) {
    if (errno != EINTR) return 2;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);

  double wall = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  printf("{\"wall_s\": %.6f, \"cpu_s\": %.6f, \"peak_mb\": %.2f, \"exit\": %d}\n", wall,
         seconds(usage.ru_utime) + seconds(usage.ru_stime), (double)usage.ru_maxrss / 1024, code);
  return 0;
}
