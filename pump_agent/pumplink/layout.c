/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns how words go in and out of the shared memory, and which texts are believed. Never calls the
 * system. Words are read with acquire and written with release order: what was read before a
 * snapshot's number is checked again is what stood there then (Boehm, "Can seqlocks get along with
 * programming language memory models?", MSPC 2012).
 */
#include "pump_agent/pumplink/layout.h"

#include <string.h>

static uint32_t get(const pumplink_word *w)
{
	return atomic_load_explicit(w, memory_order_acquire);
}

static void put(pumplink_word *w, uint32_t v)
{
	atomic_store_explicit(w, v, memory_order_release);
}

/* `out` is a struct of words and texts that fill whole words. */
static void words_get(const pumplink_word *words, size_t n, void *out)
{
	unsigned char *at = out;

	for (size_t i = 0; i < n; i++) {
		uint32_t v = get(&words[i]);

		memcpy(at + i * 4, &v, 4);
	}
}

static void words_put(pumplink_word *words, size_t n, const void *from)
{
	const unsigned char *at = from;

	for (size_t i = 0; i < n; i++) {
		uint32_t v;

		memcpy(&v, at + i * 4, 4);
		put(&words[i], v);
	}
}

bool pumplink_told_read(const struct told_area *area, struct told *out)
{
	for (int i = 0; i < TOLD_TRIES; i++) {
		uint32_t number = get(&area->latest);
		unsigned slot = number % TOLD_SLOTS;

		if (!number)
			return false;
		if (get(&area->slots[slot].number) != number)
			continue;
		words_get(area->slots[slot].words, TOLD_WORDS, out);
		if (get(&area->slots[slot].number) == number)
			return true;
	}
	return false;
}

void pumplink_told_write(struct told_area *area, const struct told *told, uint32_t *number)
{
	unsigned slot;

	if (++*number == 0)
		*number = TOLD_SLOTS; /* 0 is none; the slots go on in their order */
	slot = *number % TOLD_SLOTS;
	put(&area->slots[slot].number, 0);
	words_put(area->slots[slot].words, TOLD_WORDS, told);
	put(&area->slots[slot].number, *number);
	put(&area->latest, *number);
}

void pumplink_letter_write(struct asked_area *area, const struct letter *letter, uint32_t number)
{
	put(&area->letter, 0);
	words_put(area->letter_words, LETTER_WORDS, letter);
	put(&area->letter, number);
}

void pumplink_letter_wipe(struct asked_area *area)
{
	put(&area->letter, 0);
	for (size_t i = 0; i < LETTER_WORDS; i++)
		put(&area->letter_words[i], 0);
}

uint32_t pumplink_letter_read(const struct asked_area *area, struct letter *out)
{
	uint32_t number = get(&area->letter);

	if (!number)
		return 0;
	words_get(area->letter_words, LETTER_WORDS, out);
	return get(&area->letter) == number ? number : 0;
}

/* Bytes of the UTF-8 sequence at `at` (RFC 3629), of at most `left`; 0: none, or one that is not to
 * be shown. */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : 4;
	uint32_t c = n == 1 ? at[0] : at[0] & (0x7fu >> n);

	if (n > left || (n == 4 && at[0] >> 3 != 30))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		c = c << 6 | (at[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return 0;
	if (c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

bool pumplink_text_is_shown_safely(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (!len || len == size)
		return false;
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence((const unsigned char *)text + i, len - i);
		if (!n)
			return false;
	}
	return true;
}

static bool is_of(const char *text, size_t size, char first, char last)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if ((c < first || c > last) && (c < '0' || c > '9') && c != '-')
			return false;
	}
	return len < size;
}

bool pumplink_text_is_role(const char *text, size_t size)
{
	return *text && is_of(text, size, 'a', 'z');
}

bool pumplink_text_is_serial(const char *text, size_t size)
{
	return is_of(text, size, 'A', 'Z');
}
