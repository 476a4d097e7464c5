#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "config/check.h"
#include "config/report.h"
#include "config/schema.h"
#include "config/yaml.h"
#include "crypto/identity.h"
#include "session/replay.h"

void hw_config_free(struct hw_config *config)
{
	if (config == NULL)
		return;
	free(config->places);
	hw_bytes_wipe(config, sizeof(*config));
	free(config);
}

static void set_defaults(struct hw_config *config)
{
	hw_config_copy(config->tunnel.device, sizeof(config->tunnel.device), "hw0");
	config->tunnel.layer2 = true;
	config->tunnel.mtu = 1500;
	config->tunnel.mss_clamp = true;
	hw_config_copy(config->mode, sizeof(config->mode), "redundant");
	hw_config_copy(config->suite, sizeof(config->suite), "chacha20-poly1305");
	config->session.replay_packets = HW_REPLAY_PACKETS_DEFAULT;
	config->session.replay_time = HW_REPLAY_LATE_AFTER_DEFAULT;
	config->session.rekey_after = HW_S(120);
	config->session.reject_after = HW_S(180);
	config->log_level = HW_CONFIG_LOG_INFO;
}

static int read_tree(struct hw_config *config, struct hw_config_report *report,
		     const struct hw_yaml_node *root)
{
	struct hw_schema_reader r = { .report = report, .config = config };

	if (root->type != HW_YAML_MAP) {
		hw_config_error(
			report, root->line, root->column,
			"expected keys with values, such as 'identity: {secret-file: van.secret}'");
		return HW_E_MALFORMED;
	}
	hw_schema_read_map(&r, &hw_config_schema, root, config);
	if (report->error_count == 0)
		hw_config_complete(config, report);
	return report->error_count == 0 ? 0 : HW_E_MALFORMED;
}

static int parse(const char *text, size_t len, const char *name, struct hw_config_report *report,
		 struct hw_config **ret_config)
{
	struct hw_yaml_node *root = NULL;
	struct hw_config *config;
	int rc;

	if (len > HW_CONFIG_MAX_BYTES) {
		hw_config_error(report, 0, 0, "the file is larger than %u bytes",
				HW_CONFIG_MAX_BYTES);
		return HW_E_MALFORMED;
	}
	config = calloc(1, sizeof(*config));
	if (config == NULL)
		return HW_E_NOMEM;
	if (!hw_config_copy(config->file, sizeof(config->file), name)) {
		hw_config_error(report, 0, 0, "the file's name is too long");
		rc = HW_E_MALFORMED;
		goto out;
	}
	set_defaults(config);
	rc = hw_yaml_parse(text, len, report, &root);
	if (rc == 0)
		rc = read_tree(config, report, root);
out:
	hw_yaml_free(root);
	if (rc != 0) {
		hw_config_free(config);
		return rc;
	}
	*ret_config = config;
	return 0;
}

int hw_config_parse(const char *text, size_t len, const char *name, struct hw_config_report *report,
		    struct hw_config **ret_config)
{
	hw_config_report_init(report, name);
	return parse(text, len, name, report, ret_config);
}

/* Gives one byte more than allowed when there is more, so that the caller sees it. */
static int read_file(const char *path, struct hw_config_report *report, char **ret_text,
		     size_t *ret_len)
{
	const size_t room = HW_CONFIG_MAX_BYTES + 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;
	struct stat st;
	size_t len = 0;
	ssize_t n = 1;
	int rc = HW_E_SYSTEM;

	if (fd < 0 || fstat(fd, &st) != 0)
		goto out;
	if (!S_ISREG(st.st_mode)) {
		hw_config_error(report, 0, 0, "it is not a regular file");
		close(fd);
		return HW_E_SYSTEM;
	}
	text = malloc(room);
	if (text == NULL) {
		rc = HW_E_NOMEM;
		goto out;
	}
	while (len < room && n != 0) {
		n = read(fd, text + len, room - len);
		if (n < 0 && errno != EINTR)
			goto out;
		len += n > 0 ? (size_t)n : 0;
	}
	rc = 0;
out:
	if (rc == HW_E_SYSTEM)
		hw_config_error(report, 0, 0, "cannot be read: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (rc != 0) {
		free(text);
		return rc;
	}
	*ret_text = text;
	*ret_len = len;
	return 0;
}

static void read_key_file(const char *path, const struct hw_config_mark *mark,
			  struct hw_config_report *report, uint8_t ret_bytes[HW_CONFIG_KEY_BYTES])
{
	char problem[HW_CONFIG_PROBLEM_BYTES];

	if (hw_config_read_secret(path, ret_bytes, problem) != 0)
		hw_config_error(report, mark->line, mark->column, "%s", problem);
}

/* A peer that has our own key is a copy of the wrong file, and could never answer. */
static void check_peer_keys(const struct hw_config *config, struct hw_config_report *report)
{
	uint8_t own[HW_CONFIG_KEY_BYTES];

	if (config->identity.shared_secret || hw_identity_public(config->identity.bytes, own) != 0)
		return;
	for (uint32_t i = 0; i < config->peer_count; i++)
		if (memcmp(own, config->peers[i].public_key, sizeof(own)) == 0)
			hw_config_error(
				report, config->peers[i].key_mark.line,
				config->peers[i].key_mark.column,
				"peers[%u].public-key: this is this host's own key: expected the "
				"peer's",
				i);
}

static int load_keys(struct hw_config *config, struct hw_config_report *report)
{
	read_key_file(config->identity.file, &config->identity.mark, report,
		      config->identity.bytes);
	for (uint32_t i = 0; i < config->peer_count; i++)
		if (config->peers[i].preshared_key_file[0] != '\0')
			read_key_file(config->peers[i].preshared_key_file,
				      &config->peers[i].psk_mark, report,
				      config->peers[i].preshared_key);
	if (report->error_count == 0)
		check_peer_keys(config, report);
	if (report->error_count != 0)
		return HW_E_MALFORMED;
	config->identity.loaded = true;
	return 0;
}

int hw_config_load(const char *path, struct hw_config_report *report, struct hw_config **ret_config)
{
	struct hw_config *config = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc;

	hw_config_report_init(report, path);
	rc = read_file(path, report, &text, &len);
	if (rc != 0)
		return rc;
	rc = parse(text, len, path, report, &config);
	if (rc == 0)
		rc = load_keys(config, report);
	free(text);
	if (rc != 0) {
		hw_config_free(config);
		return rc;
	}
	*ret_config = config;
	return 0;
}
