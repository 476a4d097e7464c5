/*
 * A core's whole life with each of its allocations failing in turn, OpenSSL's included: nothing
 * crashes, nothing leaks, what failed says so, and when memory is back the tunnel works.
 */
#include "test.h"

#include <openssl/err.h>

#include "memory.h"
#include "world.h"

#include "core/internal.h"
#include "crypto/suite.h"

static struct world w;
static bool failed_at_start;

static void random_bytes(void *ctx, void *out, size_t len)
{
	hw_rng_fill(ctx, out, len);
}

/* As world_start, but with a small pool, and it may fail: then nothing is left of it. */
static int try_start(int n)
{
	struct world_node *node = &w.node[n];
	const struct hw_core_env env = { .random = random_bytes, .ctx = &w.rng };
	int rc = hw_pool_new(256, 2048, &node->pool);

	if (rc < 0)
		return rc;
	rc = hw_core_new(&env, node->pool, w.now, &node->core);
	if (rc < 0)
		goto out;
	rc = hw_core_apply(node->core, &node->config, w.now);
	if (rc == 0)
		return 0;
	hw_core_free(node->core);
out:
	hw_pool_free(node->pool);
	node->core = NULL;
	node->pool = NULL;
	return rc;
}

static void start(int n)
{
	int rc;

	while ((rc = try_start(n)) < 0) {
		/* Only what lacked memory may fail. */
		assert_true(memory_failed());
		assert_true(rc == HW_E_NOMEM || rc == HW_E_CRYPTO);
		failed_at_start = true;
		memory_fail(0, false);
	}
	hw_core_wall_clock(w.node[n].core, w.wall_ns + w.now, 0, w.now);
	for (uint32_t i = 0; i < WORLD_LINKS; i++) {
		hw_core_link_up(w.node[n].core, i, 1500, w.now);
		if (n == 0)
			assert_int_equal(hw_core_endpoints(w.node[0].core, 0, i,
							   &w.node[1].addr[i], 1, w.now),
					 0);
	}
}

static void traffic(uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++) {
		world_send(&w, 0, 100, i);
		world_send(&w, 1, 1500, i);
		world_run(&w, w.now + HW_MS(100));
	}
}

static size_t window_bytes(const struct hw_session *session)
{
	size_t bytes = 0;

	for (unsigned i = 0; session != NULL && i < HW_WIRE_STREAMS; i++) {
		if (session->rx[i] != NULL)
			bytes += session->rx[i]->packets / 8;
	}
	return bytes;
}

/* What a node's replay windows take. */
static size_t windows(int n)
{
	const struct hw_slots *slots = &w.node[n].core->peers[0].slots;
	size_t bytes = window_bytes(slots->current) + window_bytes(slots->next);

	for (uint32_t i = 0; i < slots->previous_count; i++)
		bytes += window_bytes(slots->previous[i].session);
	return bytes;
}

/* Returns whether the allocation that was to fail was ever made. */
static bool life(uint64_t fail_at, bool on)
{
	uint64_t delivered[2];
	bool failed;

	failed_at_start = false;
	world_init(&w, 5);
	for (int n = 0; n < 2; n++) {
		w.node[n].config.rekey_after = HW_S(1);
		w.node[n].config.reject_after = HW_S(4);
		w.node[n].config.compression = true;
	}
	memory_fail(fail_at, on);
	start(1);
	start(0);
	traffic(25); /* two rekeys */
	failed = failed_at_start || memory_failed();
	memory_fail(0, false);

	/* One failure costs a packet; it never lets the two sides disagree on their keys. */
	if (!on && !failed_at_start)
		assert_true(w.node[0].delivered >= 24 && w.node[1].delivered >= 24);

	/* Memory is back: within 10 s all is well. */
	world_run(&w, w.now + HW_S(10));
	delivered[0] = w.node[0].delivered;
	delivered[1] = w.node[1].delivered;
	traffic(10);
	world_run(&w, w.now + HW_S(1));
	assert_int_equal(w.node[0].delivered, delivered[0] + 10);
	assert_int_equal(w.node[1].delivered, delivered[1] + 10);
	for (int n = 0; n < 2; n++)
		assert_int_equal(w.node[n].core->peers[0].replay_budget.left_bytes,
				 HW_PEER_REPLAY_BYTES - windows(n));
	hw_core_close(w.node[0].core, w.now);
	world_flush(&w, 0);
	world_run(&w, w.now + HW_S(1));
	world_fini(&w);
	ERR_clear_error();
	return failed;
}

static void each_allocation_fails_once(void **state)
{
	size_t live;
	uint64_t n = 1;

	(void)state;
	life(0, false); /* what OpenSSL makes once for all */
	live = memory_live_bytes();
	while (life(n, false)) {
		if (memory_live_bytes() > live)
			fail_msg("allocation %llu: %zu bytes are left", (unsigned long long)n,
				 memory_live_bytes() - live);
		n++;
	}
	assert_true(n > 100);
	print_message("# %llu allocations\n", (unsigned long long)n - 1);
}

static void all_allocations_fail_for_a_while(void **state)
{
	size_t live;
	uint64_t n = 1, step = 53;

	(void)state;
	life(0, false);
	live = memory_live_bytes();
	while (life(n, true)) {
		assert_true(memory_live_bytes() <= live);
		n += step;
	}
	assert_true(n > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_fails_once),
		cmocka_unit_test(all_allocations_fail_for_a_while),
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
