/*
 * The oracle: what must hold after every call into a core, whatever the network does. What concerns
 * inner packets is checked where they arrive (flow.h), what concerns nonces where they are used
 * (suite.h); this is about counters and buffers.
 */
#ifndef HW_SIM_ORACLE_H
#define HW_SIM_ORACLE_H

#include "core/core.h"

struct hw_sim_node;

/* After every call, with the outputs taken. A violation fails the run. */
void hw_sim_oracle_check(struct hw_sim_node *node);

/* into += from, what is counted; what is held now is taken from `from`. */
void hw_sim_totals_add(struct hw_core_totals *into, const struct hw_core_totals *from);

/* Datagrams counted as dropped; inner packets counted as dropped. */
uint64_t hw_sim_totals_rx_drops(const struct hw_core_totals *totals);
uint64_t hw_sim_totals_tx_drops(const struct hw_core_totals *totals);

#endif
