#include "path/mtu_proof.h"

#include "path/mtu.h"

#define PROOF_WAIT HW_MS(150) /* reports come every 10 to 60 ms while data flows */

void hw_path_mtu_proof_reset(struct hw_path_mtu_proof *p)
{
	p->generation = 0;
	hw_path_mtu_proof_forget(p);
}

void hw_path_mtu_proof_forget(struct hw_path_mtu_proof *p)
{
	for (unsigned i = 0; i < HW_PATH_MTU_LEVELS; i++)
		p->since[i] = HW_TIME_NEVER;
}

void hw_path_mtu_proof_sent(struct hw_path_mtu_proof *p, uint32_t generation, uint32_t sequence,
			    unsigned level, hw_time now)
{
	if (generation != p->generation || sequence != p->next) {
		hw_path_mtu_proof_reset(p);
		p->generation = generation;
		p->first = sequence;
	}
	p->next = sequence + 1;
	if (p->next - p->first > HW_PATH_MTU_SEQUENCES)
		p->first = p->next - HW_PATH_MTU_SEQUENCES;
	p->level[sequence % HW_PATH_MTU_SEQUENCES] = (uint8_t)level;
	for (unsigned i = 1; i <= level; i++) {
		p->last[i] = sequence;
		if (p->since[i] == HW_TIME_NEVER)
			p->since[i] = now;
	}
}

unsigned hw_path_mtu_proof_reported(struct hw_path_mtu_proof *p, uint32_t generation,
				    uint32_t first, uint32_t last, uint32_t received, hw_time now)
{
	uint32_t count[HW_PATH_MTU_LEVELS] = { 0 };
	uint32_t below = 0;
	unsigned proven = 0;

	if (generation != p->generation || first > last || first < p->first || last >= p->next)
		return 0;
	for (uint32_t i = first; i <= last; i++)
		count[p->level[i % HW_PATH_MTU_SEQUENCES]]++;
	for (unsigned i = 1; i < HW_PATH_MTU_LEVELS; i++) {
		below += count[i - 1];
		if (received > below && below < last - first + 1)
			proven = i;
	}
	/* What was sent since is not in this report: its time begins now. */
	for (unsigned i = 1; i <= proven; i++)
		p->since[i] = p->since[i] != HW_TIME_NEVER && p->last[i] > last ? now
										 : HW_TIME_NEVER;
	return proven;
}

hw_time hw_path_mtu_proof_due(const struct hw_path_mtu_proof *p, hw_time timeout)
{
	hw_time since = HW_TIME_NEVER;

	for (unsigned i = 1; i < HW_PATH_MTU_LEVELS; i++)
		since = hw_time_min(since, p->since[i]);
	return hw_time_add(hw_time_add(since, PROOF_WAIT), timeout);
}
