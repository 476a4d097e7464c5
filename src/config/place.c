#include "config/place.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"

void hw_config_note_place(struct hw_config *config, const char *name, uint32_t line,
			  uint32_t column)
{
	struct hw_config_place *place;

	if (config == NULL || config->place_count == HW_CONFIG_MAX_PLACES)
		return;
	if (config->places == NULL)
		config->places = calloc(HW_CONFIG_MAX_PLACES, sizeof(*config->places));
	if (config->places == NULL)
		return;
	place = &config->places[config->place_count];
	if (!hw_config_copy(place->name, sizeof(place->name), name))
		return;
	place->mark.line = line;
	place->mark.column = column;
	config->place_count++;
}

struct hw_config_mark hw_config_place(const struct hw_config *config, const char *name)
{
	char part[HW_CONFIG_PLACE_BYTES];

	hw_config_copy(part, sizeof(part), name);
	/* "links[1].price", then "links[1]", then "links". */
	while (part[0] != '\0') {
		for (uint32_t i = 0; i < config->place_count; i++)
			if (strcmp(config->places[i].name, part) == 0)
				return config->places[i].mark;

		char *end = strrchr(part, '.'), *bracket = strrchr(part, '[');

		if (bracket != NULL && (end == NULL || bracket > end))
			end = bracket;
		*(end != NULL ? end : part) = '\0';
	}
	return (struct hw_config_mark){ 0 };
}
