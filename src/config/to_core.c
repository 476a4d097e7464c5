#include <string.h>

#include "base/bytes.h"
#include "config/config.h"
#include "config/report.h"
#include "crypto/identity.h"
#include "crypto/suite.h"

static int shared_keys(const struct hw_config *config, struct hw_config_core *core)
{
	bool client = config->identity.role == HW_ROLE_CLIENT;
	struct hw_shared_identity shared;
	struct hw_crypto *crypto;
	int rc = hw_crypto_new(&crypto);

	if (rc != 0)
		return rc;
	rc = hw_identity_from_secret(crypto, config->identity.bytes, &shared);
	hw_crypto_free(crypto);
	if (rc != 0)
		return rc;
	memcpy(core->core.private_key, client ? shared.client_private : shared.hub_private,
	       HW_KEY_BYTES);
	memcpy(core->peers[0].psk, shared.psk, HW_KEY_BYTES);
	rc = hw_identity_public(client ? shared.hub_private : shared.client_private,
				core->peers[0].public_key);
	hw_bytes_wipe(&shared, sizeof(shared));
	return rc;
}

static void own_keys(const struct hw_config *config, struct hw_config_core *core)
{
	memcpy(core->core.private_key, config->identity.bytes, HW_KEY_BYTES);
	for (uint32_t i = 0; i < config->peer_count; i++) {
		memcpy(core->peers[i].public_key, config->peers[i].public_key, HW_KEY_BYTES);
		memcpy(core->peers[i].psk, config->peers[i].preshared_key, HW_KEY_BYTES);
	}
}

static void copy_settings(const struct hw_config *config, struct hw_core_config *core)
{
	core->layer2 = config->tunnel.layer2;
	core->tunnel_mtu = config->tunnel.mtu;
	core->tunnel_mtu_auto = config->tunnel.mtu_auto;
	for (uint32_t i = 0; i < config->tunnel.address_count; i++)
		if (config->tunnel.addresses[i].addr.family == HW_FAMILY_IPV6)
			core->tunnel_mtu_least = HW_CONFIG_IPV6_MTU_MIN;
	core->mss_clamp = config->tunnel.mss_clamp;
	core->copy_dscp = config->tunnel.copy_dscp;
	core->compression = config->tunnel.compression;
	core->replay_packets = config->session.replay_packets;
	core->replay_time = config->session.replay_time;
	core->rekey_after = config->session.rekey_after;
	core->reject_after = config->session.reject_after;
	if (config->session.rekey_packets != 0)
		core->rekey_packets = config->session.rekey_packets;
}

int hw_config_core(const struct hw_config *config, struct hw_config_core *ret_core)
{
	const struct hw_strategy *strategy = hw_strategy_find(config->mode);
	const struct hw_suite *suite = hw_suite_find(config->suite);
	int rc = 0;

	if (!config->identity.loaded)
		return HW_E_STATE;
	if (strategy == NULL || suite == NULL)
		return HW_E_UNSUPPORTED;
	memset(ret_core, 0, sizeof(*ret_core));
	hw_core_config_init(&ret_core->core);
	ret_core->core.strategy = strategy;
	ret_core->core.suite = suite;
	copy_settings(config, &ret_core->core);
	ret_core->core.peers = ret_core->peers;
	ret_core->core.peer_count = config->peer_count;
	for (uint32_t i = 0; i < config->peer_count; i++)
		hw_config_copy(ret_core->peers[i].name, sizeof(ret_core->peers[i].name),
			       config->peers[i].name);
	if (config->identity.shared_secret)
		rc = shared_keys(config, ret_core);
	else
		own_keys(config, ret_core);
	if (rc != 0)
		hw_bytes_wipe(ret_core, sizeof(*ret_core));
	return rc;
}
