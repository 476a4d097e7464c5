/*
 * How the peer sees this end: asked beside probes, shown in the snapshot.
 */
#include "test.h"

#include "world.h"

static const struct hw_path_snapshot *path_on(const struct hw_peer_snapshot *s, uint32_t link)
{
	for (uint32_t i = 0; i < s->path_count; i++)
		if (s->paths[i].tuple.link == link)
			return &s->paths[i];
	return NULL;
}

static void both_ends_learn_how_they_are_seen(void **state)
{
	static const struct hw_addr outside = { .family = HW_FAMILY_IPV4,
						.ip = { 203, 0, 113, 7 },
						.port = 61000 };
	static struct world w;
	struct hw_peer_snapshot s;

	(void)state;
	world_init(&w, 12);
	w.node[0].seen_as[1] = outside; /* link 1 is behind a NAT */
	world_start_both(&w);
	world_run(&w, w.now + HW_S(15)); /* what the handshake has brought up is probed later */
	world_snapshot(&w, 0, &s);
	assert_true(hw_addr_equal(&path_on(&s, 0)->observed, &w.node[0].addr[0]));
	assert_true(hw_addr_equal(&path_on(&s, 1)->observed, &outside));
	assert_true(hw_addr_equal(&path_on(&s, 2)->observed, &w.node[0].addr[2]));
	/* The hub asks too: it is seen at the address that it was called at. */
	world_snapshot(&w, 1, &s);
	assert_true(hw_addr_equal(&path_on(&s, 1)->observed, &w.node[1].addr[1]));
	world_fini(&w);
}

/* The NAT gives another port: the new one is known after a minute of regular probes at most. */
static void a_new_address_shows_within_a_minute(void **state)
{
	static struct world w;
	struct hw_addr outside = { .family = HW_FAMILY_IPV4, .ip = { 203, 0, 113, 7 },
				   .port = 61000 };
	struct hw_peer_snapshot s;

	(void)state;
	world_init(&w, 13);
	w.node[0].seen_as[1] = outside;
	world_start_both(&w);
	outside.port = 62000;
	w.node[0].seen_as[1] = outside;
	for (uint32_t i = 0; i < 700; i++) {
		world_send(&w, 0, 100, i);
		world_run(&w, w.now + HW_MS(100));
	}
	world_snapshot(&w, 0, &s);
	assert_true(hw_addr_equal(&path_on(&s, 1)->observed, &outside));
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_learn_how_they_are_seen),
		cmocka_unit_test(a_new_address_shows_within_a_minute),
	};

	return cmocka_run_group_tests_name("observed", tests, NULL, NULL);
}
