#include "path/state.h"

#define PB HW_PATH_PROBING
#define UP HW_PATH_UP
#define SU HW_PATH_SUSPECT
#define DN HW_PATH_DOWN

#define P HW_PATH_DO_PROBE
#define N HW_PATH_DO_RENEW
#define S HW_PATH_DO_SETTLE
#define F HW_PATH_DO_FORGET
#define R HW_PATH_DO_RESEND

/* clang-format off */
static const struct hw_path_cell table[HW_PATH_EVENTS][HW_PATH_STATES] = {
	/*                               PROBING          UP               SUSPECT          DOWN            */
	[HW_PATH_EVENT_PROVEN]      = { { UP, P | S },   { UP, 0 },       { UP, 0 },       { UP, P | S }   },
	[HW_PATH_EVENT_SILENT]      = { { PB, 0 },       { SU, P | R },   { SU, 0 },       { DN, 0 }       },
	[HW_PATH_EVENT_LOSSES]      = { { PB, 0 },       { SU, P | R },   { SU, R },       { DN, 0 }       },
	[HW_PATH_EVENT_SEND_FAILED] = { { PB, 0 },       { SU, P | R },   { SU, R },       { DN, 0 }       },
	[HW_PATH_EVENT_UNANSWERED]  = { { PB, 0 },       { SU, P | R },   { SU, 0 },       { DN, 0 }       },
	[HW_PATH_EVENT_RETRY]       = { { PB, P },       { UP, P },       { SU, P },       { DN, P }       },
	[HW_PATH_EVENT_GIVEN_UP]    = { { DN, 0 },       { UP, 0 },       { DN, R },       { DN, 0 }       },
	[HW_PATH_EVENT_GONE]        = { { DN, 0 },       { DN, R },       { DN, R },       { DN, 0 }       },
	[HW_PATH_EVENT_LINK_DOWN]   = { { DN, 0 },       { DN, R },       { DN, R },       { DN, 0 }       },
	[HW_PATH_EVENT_LINK_UP]     = { { PB, P | N | F }, { PB, P | N | F }, { PB, P | N | F }, { PB, P | N | F } },
	[HW_PATH_EVENT_READDRESSED] = { { PB, P | N },   { UP, P },       { SU, P },       { PB, P | N }   },
	[HW_PATH_EVENT_SESSION]     = { { PB, P | N },   { UP, 0 },       { SU, P | N },   { PB, P | N }   },
	[HW_PATH_EVENT_HEARD]       = { { PB, 0 },       { UP, 0 },       { SU, 0 },       { DN, P }       },
};
/* clang-format on */

struct hw_path_cell hw_path_transition(enum hw_path_state state, enum hw_path_event event)
{
	return table[event][state];
}

const char *hw_path_event_text(enum hw_path_event event)
{
	static const char *const texts[HW_PATH_EVENTS] = {
		[HW_PATH_EVENT_PROVEN] = "it answers",
		[HW_PATH_EVENT_SILENT] = "reports of what was sent are overdue",
		[HW_PATH_EVENT_LOSSES] = "several packets in a row were lost",
		[HW_PATH_EVENT_SEND_FAILED] = "the system refused to send there",
		[HW_PATH_EVENT_UNANSWERED] = "a probe and its repetition were not answered",
		[HW_PATH_EVENT_GIVEN_UP] = "no probe was answered",
		[HW_PATH_EVENT_GONE] = "the link has gone, or the peer says that it has",
		[HW_PATH_EVENT_LINK_DOWN] = "the link is down",
		[HW_PATH_EVENT_LINK_UP] = "the link has just come up",
		[HW_PATH_EVENT_READDRESSED] = "the link's addresses or routes have changed",
		[HW_PATH_EVENT_SESSION] = "the session is new",
		[HW_PATH_EVENT_HEARD] = "the peer was heard",
	};

	return (unsigned)event < HW_PATH_EVENTS && texts[event] != NULL ? texts[event] : "";
}
