#include "sim/spell.h"

#include <math.h>
#include <stdlib.h>

struct process {
	struct hw_sim_event event; /* first */
	struct hw_sim_spells *spells;
	double share;
	bool on;
};

struct hw_sim_spells {
	const struct hw_sim_joint_config *config;
	struct hw_sim_net *net;
	struct hw_rng rng;
	struct process common, own[HW_SIM_MAX_WIRES];
	uint32_t first_two[2]; /* links; the second may be HW_SIM_MAX_WIRES: there is none */
	uint64_t slot;         /* that is being counted */
	bool slot_bad[2];      /* so far in it */
	struct hw_sim_spell_truth truth;
};

/* 1 - c of spell.h. */
static double not_common(const struct hw_sim_joint_config *joint)
{
	double good = 1 - joint->bad;

	return good * good / (joint->lift * joint->bad * joint->bad - 1 + 2 * good);
}

int hw_sim_joint_check(const struct hw_sim_joint_config *joint)
{
	if (!(joint->bad > 0 && joint->bad < 1) || !(joint->lift >= 1) ||
	    joint->lift * joint->bad > 1 || joint->links == 0 || joint->mean < HW_NS_PER_MS ||
	    !(joint->loss >= 0 && joint->loss <= 1))
		return HW_E_INVAL;
	/* The common spells alone must not be more than a link has. */
	return not_common(joint) < 1 - joint->bad ? HW_E_INVAL : 0;
}

static bool is_bad(const struct hw_sim_spells *spells, uint32_t link)
{
	return spells->common.on || spells->own[link].on;
}

/* ---- the truth, slot by slot ---- */

static void end_slot(struct hw_sim_spells *spells)
{
	struct hw_sim_spell_truth *truth = &spells->truth;

	truth->slots++;
	truth->bad[0] += spells->slot_bad[0];
	truth->bad[1] += spells->slot_bad[1];
	truth->both += spells->slot_bad[0] && spells->slot_bad[1];
}

static void note_state(struct hw_sim_spells *spells)
{
	for (int i = 0; i < 2; i++) {
		if (spells->first_two[i] < HW_SIM_MAX_WIRES)
			spells->slot_bad[i] |= is_bad(spells, spells->first_two[i]);
	}
}

/* Slots that have passed since the state was last looked at; it has not changed since. */
static void pass_time(struct hw_sim_spells *spells)
{
	uint64_t now = spells->net->engine->now / HW_SIM_SPELL_SLOT;

	for (; spells->slot < now; spells->slot++) {
		end_slot(spells);
		spells->slot_bad[0] = spells->slot_bad[1] = false;
		note_state(spells);
	}
}

struct hw_sim_spell_truth hw_sim_spells_truth(struct hw_sim_spells *spells)
{
	pass_time(spells);
	return spells->truth;
}

/* ---- the processes ---- */

static void apply(struct hw_sim_spells *spells)
{
	const struct hw_sim_joint_config *config = spells->config;
	struct hw_sim_spell spell = { .loss = config->loss, .delay = config->delay };

	for (uint32_t i = 0; i < spells->net->wire_count; i++) {
		for (uint8_t way = 0; way < 2; way++) {
			if ((config->links >> i & 1) != 0 && config->ways[way])
				hw_sim_net_spell(spells->net, i, way,
						 is_bad(spells, i) ? &spell : NULL);
		}
	}
}

static void set_timer(struct process *process)
{
	struct hw_sim_spells *spells = process->spells;
	double mean = (double)spells->config->mean;

	if (process->share <= 0)
		return;
	if (!process->on)
		mean *= (1 - process->share) / process->share;
	hw_sim_at(spells->net->engine, &process->event,
		  spells->net->engine->now +
			  (hw_time)(-mean * log(1 - hw_rng_unit(&spells->rng))) + 1);
}

static void process_fire(struct hw_sim_event *event, hw_time now)
{
	struct process *process = (struct process *)event;

	(void)now;
	pass_time(process->spells);
	process->on = !process->on;
	note_state(process->spells);
	apply(process->spells);
	set_timer(process);
}

static void begin(struct hw_sim_spells *spells, struct process *process, double share)
{
	process->spells = spells;
	process->share = share;
	process->on = share > 0 && hw_rng_unit(&spells->rng) < share;
	hw_sim_event_init(&process->event, process_fire);
	set_timer(process);
}

int hw_sim_spells_new(const struct hw_sim_joint_config *config, struct hw_sim_net *net,
		      uint64_t seed, struct hw_sim_spells **ret_spells)
{
	struct hw_sim_spells *spells = calloc(1, sizeof(*spells));
	double rest;
	int found = 0;

	if (spells == NULL)
		return HW_E_NOMEM;
	spells->config = config;
	spells->net = net;
	spells->slot = net->engine->now / HW_SIM_SPELL_SLOT;
	spells->first_two[0] = spells->first_two[1] = HW_SIM_MAX_WIRES;
	hw_rng_init(&spells->rng, seed);
	rest = not_common(config);
	begin(spells, &spells->common, fmax(0, 1 - rest));
	for (uint32_t i = 0; i < HW_SIM_MAX_WIRES; i++) {
		if ((config->links >> i & 1) == 0)
			continue;
		begin(spells, &spells->own[i], fmax(0, 1 - (1 - config->bad) / rest));
		if (found < 2)
			spells->first_two[found++] = i;
	}
	note_state(spells);
	apply(spells);
	*ret_spells = spells;
	return 0;
}

void hw_sim_spells_free(struct hw_sim_spells *spells)
{
	if (spells == NULL)
		return;
	if (spells->common.spells != NULL)
		hw_sim_cancel(spells->net->engine, &spells->common.event);
	for (uint32_t i = 0; i < HW_SIM_MAX_WIRES; i++) {
		if (spells->own[i].spells != NULL)
			hw_sim_cancel(spells->net->engine, &spells->own[i].event);
	}
	free(spells);
}
