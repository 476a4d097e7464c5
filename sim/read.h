/* The parts of a scenario file, each read into the scenario. Faults go to the reader's report. */
#ifndef HW_SIM_READ_H
#define HW_SIM_READ_H

#include "config/schema.h"
#include "sim/scenario.h"

/* One file being read: what comes later may name what came before. */
struct hw_sim_reading {
	struct hw_schema_reader *r;
	struct hw_sim_scenario *scenario;
	struct hw_sim_way_config now[HW_SIM_MAX_WIRES]
				    [2]; /* the links' parameters, event after event */
};

/* Keys of one way laid over what `way` holds: loss, delay, rate and so on. */
void hw_sim_read_way(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
		     struct hw_sim_way_config *way);

void hw_sim_read_links(struct hw_sim_reading *reading, const struct hw_yaml_node *list);
void hw_sim_read_traffic(struct hw_sim_reading *reading, const struct hw_yaml_node *list);
void hw_sim_read_events(struct hw_sim_reading *reading, const struct hw_yaml_node *list);
void hw_sim_read_attacks(struct hw_sim_reading *reading, const struct hw_yaml_node *list);
void hw_sim_read_joints(struct hw_sim_reading *reading, const struct hw_yaml_node *list);
void hw_sim_read_expects(struct hw_sim_reading *reading, const struct hw_yaml_node *list);

/* The link of that name, or UINT32_MAX after reporting. */
uint32_t hw_sim_find_link(struct hw_sim_reading *reading, const struct hw_yaml_node *at,
			  const char *name);

/* True when the node is a mapping (a list), else the fault is reported. */
bool hw_sim_is_map(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
		   const char *what);
bool hw_sim_is_list(struct hw_sim_reading *reading, const struct hw_yaml_node *node,
		    const char *what);

/* A capacity or loss trace of the scenario, read from its file the first time; NULL after
 * reporting. */
const struct hw_capacity_trace *hw_sim_find_capacity(struct hw_sim_reading *reading,
						     const struct hw_yaml_node *at,
						     const char *file);
const struct hw_loss_trace *hw_sim_find_trace(struct hw_sim_reading *reading,
					      const struct hw_yaml_node *at, const char *file);

#endif
