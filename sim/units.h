/* Values of scenario files: what the configuration's schema engine does not read by itself. */
#ifndef HW_SIM_UNITS_H
#define HW_SIM_UNITS_H

#include "config/schema.h"

hw_schema_read hw_sim_read_time; /* hw_time: "200ms", "1.5s", "2h" */
hw_schema_read hw_sim_read_span; /* int64_t, in ns: the same, and "d", "y"; may be negative */
hw_schema_read hw_sim_read_probability; /* double: "5%" or "0.05" */
hw_schema_read hw_sim_read_number;      /* double */
hw_schema_read hw_sim_read_rate;        /* uint64_t, bit/s: "100Mbit/s"; "unlimited" is 0 */
hw_schema_read hw_sim_read_bytes;       /* uint64_t: "1500", "64kB", "1MB" */
hw_schema_read hw_sim_read_text;        /* char[HW_SIM_PATH_BYTES] */
hw_schema_read hw_sim_read_label;       /* char[HW_CORE_NAME_BYTES] */
hw_schema_read hw_sim_read_node;        /* const struct hw_yaml_node *: kept for later */

#endif
