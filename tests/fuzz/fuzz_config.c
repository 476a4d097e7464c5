/* A configuration file's text: whatever it is, it is accepted or explained, and nothing leaks. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hw_config_report report;
	struct hw_config *config = NULL;
	int rc = hw_config_parse((const char *)data, size, "/etc/hawser/fuzz.yaml", &report,
				 &config);

	assert((rc == 0) == (config != NULL));
	assert((rc == HW_E_MALFORMED) == (report.error_count > 0));
	for (uint32_t i = 0; i < report.note_count; i++) {
		assert(report.notes[i].text[0] != '\0');
		assert(memchr(report.notes[i].text, 0, sizeof(report.notes[i].text)) != NULL);
	}
	if (config != NULL) {
		assert(config->peer_count >= 1 && config->peer_count <= HW_CONFIG_PEERS_NOW);
		assert(config->link_count >= 1 && config->link_count <= HW_CORE_MAX_LINKS);
		assert(config->tunnel.device[0] != '\0');
	}
	hw_config_free(config);
	return 0;
}
