/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A moment before a planned restart: no new authentication begins, those that run come to their
 * end. Owns that silence. Never holds for longer than a NAS goes on asking.
 */
#include "radius_modules/rlm_pump/rlm_pump.h"

#include <sys/stat.h>

#include "base/clock.h"

#define HOLD_MS_MAX 5000

/* The file counts only if it was made in this process's life and just now: one that was left behind
 * keeps nobody out. */
static bool is_held(const struct pump_shared *s)
{
	struct stat st;
	int64_t made_ms;

	if (!s->hold_file || stat(s->hold_file, &st))
		return false;
	made_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return made_ms > s->started_ms && clock_wall_ms() - made_ms < HOLD_MS_MAX;
}

/* RFC 2865 2: a NAS that hears nothing asks again. A handshake that is cut short by the restart
 * would end in a Reject, and the pump would wait a minute: so none begins that could be. */
rlm_rcode_t pump_hold(struct pump_shared *s, REQUEST *request)
{
	if (fr_pair_find_by_num(request->packet->vps, PW_STATE, 0, TAG_ANY) || !is_held(s))
		return RLM_MODULE_NOOP;
	return pump_silence(request);
}
