/* Where keys stand in the file (config.h: hw_config_place), as the schema's engine meets them. */
#ifndef HW_CONFIG_PLACE_H
#define HW_CONFIG_PLACE_H

#include <stdint.h>

struct hw_config;

/*
 * Remember it; NULL as config is allowed. What finds no memory or room is not remembered: messages
 * about it then name what holds it.
 */
void hw_config_note_place(struct hw_config *config, const char *name, uint32_t line,
			  uint32_t column);

#endif
