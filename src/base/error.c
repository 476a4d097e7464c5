#include "base/error.h"

const char *hw_strerror(int error)
{
	switch (error) {
	case 0:
		return "success";
	case HW_E_INVAL:
		return "invalid argument";
	case HW_E_NOMEM:
		return "out of memory";
	case HW_E_SPACE:
		return "no room in the output";
	case HW_E_TRUNCATED:
		return "input ends too early";
	case HW_E_MALFORMED:
		return "malformed input";
	case HW_E_AUTH:
		return "authentication failed";
	case HW_E_REPLAY:
		return "replayed";
	case HW_E_STATE:
		return "not possible in this state";
	case HW_E_LIMIT:
		return "limit reached";
	case HW_E_NOT_FOUND:
		return "not found";
	case HW_E_AGAIN:
		return "try again";
	case HW_E_CRYPTO:
		return "cryptographic library failed";
	case HW_E_SYSTEM:
		return "system call failed";
	case HW_E_UNSUPPORTED:
		return "not supported by this version";
	default:
		return "unknown error";
	}
}
