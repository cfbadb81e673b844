/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target without libFuzzer, as a test: every committed seed, then mutations of the
 * seeds from a generator whose start value is printed. A crash prints the input that did it.
 *
 *   build/tests/fuzz/NAME [FILE...]      FUZZ_SEED=N repeats a run, FUZZ_N=N sets its length
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 8192
#define SEEDS_MAX 256
#define RUNS 20000
#define RUN_S 2 /* a slow target stops here */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct input {
	size_t len;
	uint8_t data[INPUT_MAX];
};

static struct input *seeds[SEEDS_MAX];
static size_t n_seeds;
static struct input now; /* what runs, for the crash handler */
static uint64_t state;

/* xorshift64* */
static uint32_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(state * 0x2545f4914f6cdd1dULL >> 32);
}

static uint32_t below(size_t n)
{
	return n ? next_random() % (uint32_t)n : 0;
}

static void show_input(int signo)
{
	static const char digits[] = "0123456789abcdef";
	ssize_t n = write(STDERR_FILENO, "\nthe input, in hex: ", 20);

	for (size_t i = 0; i < now.len; i++) {
		char hex[2] = {digits[now.data[i] >> 4], digits[now.data[i] & 15]};

		n = write(STDERR_FILENO, hex, 2);
	}
	n = write(STDERR_FILENO, "\n", 1);
	(void)n;
	signal(signo, SIG_DFL);
	raise(signo);
}

/* A copy of exactly the input's size, so that a byte read past its end is seen by a sanitizer. */
static void run_one(void)
{
	uint8_t *exact = malloc(now.len ? now.len : 1);

	if (!exact)
		abort();
	memcpy(exact, now.data, now.len);
	LLVMFuzzerTestOneInput(exact, now.len);
	free(exact);
}

static void splice(void)
{
	const struct input *other = seeds[below(n_seeds)];
	size_t from = below(other->len + 1), at = below(now.len + 1);
	size_t len = below(other->len - from + 1);

	if (at + len > INPUT_MAX)
		len = INPUT_MAX - at;
	memcpy(now.data + at, other->data + from, len);
	if (at + len > now.len)
		now.len = at + len;
}

static void insert(uint8_t value)
{
	size_t at = below(now.len + 1);

	if (now.len == INPUT_MAX)
		return;
	memmove(now.data + at + 1, now.data + at, now.len - at);
	now.data[at] = value;
	now.len++;
}

static void drop(size_t len)
{
	size_t at = below(now.len);

	if (len > now.len - at)
		len = now.len - at;
	memmove(now.data + at, now.data + at + len, now.len - at - len);
	now.len -= len;
}

static void mutate(void)
{
	static const uint8_t edge[] = {0, 1, 0x7f, 0x80, 0xff, 0x20, '\n', '='};
	uint8_t value = below(2) ? edge[below(sizeof(edge))] : (uint8_t)next_random();

	if (now.len == 0) {
		insert(value);
		return;
	}
	switch (below(7)) {
	case 0:
		now.data[below(now.len)] ^= (uint8_t)(1 << below(8));
		break;
	case 1:
		now.data[below(now.len)] = value;
		break;
	case 2:
		insert(value);
		break;
	case 3:
		drop(1 + below(8));
		break;
	case 4:
		now.len = below(now.len);
		break;
	case 5:
		now.data[below(now.len)] += below(2) ? 1 : 255;
		break;
	default:
		splice();
	}
}

static int seed_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct input *in = calloc(1, sizeof(*in));

	if (!f || !in || n_seeds == SEEDS_MAX) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return -1;
	}
	in->len = fread(in->data, 1, sizeof(in->data), f);
	fclose(f);
	seeds[n_seeds++] = in;
	return 0;
}

static int seeds_read(const char *name)
{
	char folder[256], path[600];
	struct dirent *e;
	DIR *d;
	int rc = 0;

	snprintf(folder, sizeof(folder), "tests/fuzz/seeds/%s", name);
	d = opendir(folder);
	while (d && !rc && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		rc = seed_read(path);
	}
	if (d)
		closedir(d);
	return rc;
}

static unsigned long number_from(const char *variable, unsigned long fallback)
{
	const char *text = getenv(variable);

	return text && *text ? strtoul(text, NULL, 0) : fallback;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	unsigned long runs = number_from("FUZZ_N", RUNS), i = 0;
	time_t end = time(NULL) + RUN_S;

	signal(SIGSEGV, show_input);
	signal(SIGABRT, show_input);
	signal(SIGFPE, show_input);
	signal(SIGBUS, show_input);
	for (int a = 1; a < argc; a++)
		if (seed_read(argv[a]))
			return 1;
	if (argc == 1 && seeds_read(name))
		return 1;
	for (size_t s = 0; s < n_seeds; s++) {
		now = *seeds[s];
		run_one();
	}
	printf("%s 1 - %s_takes_each_of_its_%zu_seeds\n", n_seeds ? "ok" : "not ok", name, n_seeds);
	if (argc > 1 || n_seeds == 0)
		return n_seeds ? 0 : 1;
	state = number_from("FUZZ_SEED", (unsigned long)time(NULL) << 16 | (unsigned)getpid());
	fprintf(stderr, "%s: FUZZ_SEED=%lu\n", name, (unsigned long)state);
	state = state ? state : 1;
	for (; i < runs && time(NULL) <= end; i++) {
		now = *seeds[below(n_seeds)];
		for (uint32_t m = below(6); m <= 5; m++)
			mutate();
		run_one();
	}
	printf("ok 2 - %s_takes_random_input # %lu runs\n1..2\n", name, i);
	return 0;
}
