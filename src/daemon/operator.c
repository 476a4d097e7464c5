/* What is asked of the daemon while it runs, through the control socket: a reload, and links. */
#include <stdio.h>
#include <string.h>

#include "control/server.h"
#include "daemon/runtime.h"

#define TEXT_BYTES 512u

static const char *use_text(enum hw_link_use use)
{
	return use == HW_USE_ALWAYS ? "always" : use == HW_USE_BACKUP ? "backup" : "never";
}

/* "no link is named 'dls': did you mean 'dsl'? The links are dsl, lte" */
static json_t *unknown_link(const struct hw_daemon *daemon, const char *name)
{
	const char *known[HW_CORE_MAX_LINKS], *nearest;
	char text[TEXT_BYTES];
	size_t count = 0, used;

	for (uint32_t i = 0; i < HW_CORE_MAX_LINKS; i++) {
		if (daemon->links[i].used)
			known[count++] = daemon->links[i].name;
	}
	nearest = hw_config_nearest(name, known, count);
	for (uint32_t i = 0; !nearest && i < HW_CORE_MAX_LINKS; i++) {
		const struct hw_daemon_link *link = &daemon->links[i];

		/* The rule's name or the interface's, where the link has both. */
		if (link->used && (strcmp(name, link->interface) == 0 ||
				   strcmp(name, link->rule->name) == 0))
			nearest = link->name;
	}
	used = (size_t)snprintf(text, sizeof(text), "no link is named '%s'", name);
	if (nearest)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ": did you mean '%s'?",
					 nearest);
	if (count == 0)
		(void)snprintf(text + used, sizeof(text) - used, ": there is no link at the moment");
	for (size_t i = 0; i < count && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					 i > 0 ? ", " : nearest ? " The links are " : ": the links are ",
					 known[i]);
	return hw_control_error_reply(text);
}

/* The word of the link of that name, or NULL; of "": a free one. */
static struct hw_daemon_word *find_word(struct hw_daemon *daemon, const char *name)
{
	for (uint32_t i = 0; i < HW_DAEMON_WORDS; i++) {
		if (strcmp(daemon->words[i].name, name) == 0)
			return &daemon->words[i];
	}
	return NULL;
}

void hw_daemon_operator_named(struct hw_daemon_link *link, const char *before)
{
	struct hw_daemon_word *word = find_word(link->daemon, link->name);

	/*
	 * A link that is renamed takes its word with it, or that it has none: what was said of another
	 * that had this name is over. One that comes by the old name has no word.
	 */
	if (before[0]) {
		if (word)
			memset(word, 0, sizeof(*word));
		word = find_word(link->daemon, before);
		if (word)
			memcpy(word->name, link->name, sizeof(word->name));
		return;
	}
	if (!word)
		return;
	link->admin_down = word->down;
	link->use_overridden = word->overridden;
	link->use_override = word->use;
}

/* Keep what the operator said of the link. */
static void remember(const struct hw_daemon_link *link)
{
	struct hw_daemon_word *word = find_word(link->daemon, link->name);

	if (!word)
		word = find_word(link->daemon, "");
	if (!word) {
		hw_log(&link->daemon->log, HW_LOG_WARNING,
		       "link %s: this is forgotten when it is unplugged: so many links have been told "
		       "something", link->name);
		return;
	}
	memset(word, 0, sizeof(*word));
	if (!link->admin_down && !link->use_overridden)
		return;
	memcpy(word->name, link->name, sizeof(word->name));
	word->down = link->admin_down;
	word->overridden = link->use_overridden;
	word->use = link->use_override;
}

/* Why the link is, or is not, in use now. */
static void describe(const struct hw_daemon_link *link, char text[TEXT_BYTES])
{
	enum hw_link_use use = hw_daemon_link_use(link);
	size_t used = 0;

	if (link->admin_down)
		used = (size_t)snprintf(text, TEXT_BYTES,
					"down, until 'hawser link up %s' or a restart", link->name);
	else if (link->quota_spent)
		used = (size_t)snprintf(text, TEXT_BYTES, "not used: its quota is spent");
	else if (use == HW_USE_NEVER)
		used = (size_t)snprintf(text, TEXT_BYTES, "not used");
	else if (!link->up)
		used = (size_t)snprintf(text, TEXT_BYTES, "waiting for %s: %s",
					link->interface[0] ? link->interface : "its address",
					hw_daemon_link_state(link));
	else
		used = (size_t)snprintf(text, TEXT_BYTES, "in use%s",
					use == HW_USE_BACKUP ? " as a backup" : "");
	if (link->use_overridden)
		(void)snprintf(text + used, TEXT_BYTES - used,
			       "; its use is %s until 'hawser link use %s config' or a restart "
			       "(configured: %s)",
			       use_text(link->use_override), link->name, use_text(link->rule->use));
	/* The name of an interface may hold anything, and JSON takes UTF-8 alone. */
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

static void carry_out(struct hw_daemon_link *link, enum hw_control_do what, hw_time now)
{
	switch (what) {
	case HW_CONTROL_LINK_DOWN:
		hw_daemon_link_set_admin_down(link, true, now);
		break;
	case HW_CONTROL_LINK_UP:
		hw_daemon_link_set_admin_down(link, false, now);
		break;
	case HW_CONTROL_LINK_ALWAYS:
		hw_daemon_link_override_use(link, HW_USE_ALWAYS, now);
		break;
	case HW_CONTROL_LINK_BACKUP:
		hw_daemon_link_override_use(link, HW_USE_BACKUP, now);
		break;
	case HW_CONTROL_LINK_NEVER:
		hw_daemon_link_override_use(link, HW_USE_NEVER, now);
		break;
	case HW_CONTROL_LINK_CONFIG:
		hw_daemon_link_forget_override(link, now);
		break;
	}
}

static json_t *link_reply(const char *name, const char *text)
{
	return json_pack("{s:b, s:{s:s, s:s}}", "ok", 1, "link", "name", name, "text", text);
}

/* The same for a link that is not there now, of which something was said before. */
static json_t *change_word(struct hw_daemon *daemon, struct hw_daemon_word *word,
			   enum hw_control_do what)
{
	char name[HW_CORE_NAME_BYTES], text[TEXT_BYTES], use[64] = "";

	memcpy(name, word->name, sizeof(name));
	switch (what) {
	case HW_CONTROL_LINK_DOWN:
	case HW_CONTROL_LINK_UP:
		word->down = what == HW_CONTROL_LINK_DOWN;
		break;
	case HW_CONTROL_LINK_CONFIG:
		word->overridden = false;
		break;
	default:
		word->overridden = true;
		word->use = what == HW_CONTROL_LINK_ALWAYS   ? HW_USE_ALWAYS
			    : what == HW_CONTROL_LINK_BACKUP ? HW_USE_BACKUP
							     : HW_USE_NEVER;
		break;
	}
	if (word->overridden)
		(void)snprintf(use, sizeof(use), ", use %s", use_text(word->use));
	(void)snprintf(text, sizeof(text), "not there now; when it comes: %s%s",
		       word->down ? "down" : word->overridden ? "up" : "as configured", use);
	if (!word->down && !word->overridden)
		memset(word, 0, sizeof(*word));
	hw_log(&daemon->log, HW_LOG_INFO, "link %s: %s", name, text);
	return link_reply(name, text);
}

static json_t *change_link(struct hw_daemon *daemon, const struct hw_control_request *request,
			   hw_time now)
{
	struct hw_daemon_link *link = hw_daemon_link_find(daemon, request->link);
	char text[TEXT_BYTES];

	if (!link) {
		struct hw_daemon_word *word = find_word(daemon, request->link);

		return word ? change_word(daemon, word, request->what)
			    : unknown_link(daemon, request->link);
	}

	bool up = link->up;

	carry_out(link, request->what, now);
	remember(link);
	describe(link, text);
	/* Where it came up or went down, that has been logged with the reason. */
	if (up == link->up)
		hw_log(&daemon->log, HW_LOG_INFO, "link %s: %s", link->name, text);
	return link_reply(link->name, text);
}

json_t *hw_daemon_act(void *ctx, const struct hw_control_request *request,
		      struct hw_control_ticket ticket)
{
	struct hw_daemon *daemon = ctx;

	switch (request->kind) {
	case HW_CONTROL_RELOAD:
		if (hw_daemon_reload(daemon, ticket))
			return NULL;
		return hw_control_error_reply(daemon->reloading
						      ? "a reload is under way: try again in a moment"
						      : "out of memory");
	case HW_CONTROL_LINK:
		return change_link(daemon, request, hw_loop_now(daemon->loop));
	default:
		return hw_control_error_reply(hw_control_request_error(HW_E_NOT_FOUND));
	}
}
