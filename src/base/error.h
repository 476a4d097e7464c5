/*
 * Error codes.
 *
 * A function that can fail returns int: 0 (or a count) on success, a negative HW_E_* otherwise, and
 * its `ret_` parameters are untouched on failure. A bad packet is not an error: it is a counted drop
 * with a named reason (see core/drop.h).
 */
#ifndef HW_BASE_ERROR_H
#define HW_BASE_ERROR_H

#define HW_MUST_USE __attribute__((warn_unused_result))
#define HW_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

enum hw_error {
	HW_E_INVAL = -1,       /* an argument or a value that makes no sense */
	HW_E_NOMEM = -2,       /* allocation failed */
	HW_E_SPACE = -3,       /* the output buffer is too small */
	HW_E_TRUNCATED = -4,   /* the input ends too early */
	HW_E_MALFORMED = -5,   /* the input breaks its format */
	HW_E_AUTH = -6,        /* authentication failed */
	HW_E_REPLAY = -7,      /* seen before, or too old to tell */
	HW_E_STATE = -8,       /* not possible in this state */
	HW_E_LIMIT = -9,       /* a stated limit is reached */
	HW_E_NOT_FOUND = -10,  /* no such thing */
	HW_E_AGAIN = -11,      /* not now; try again */
	HW_E_CRYPTO = -12,     /* libcrypto failed */
	HW_E_SYSTEM = -13,     /* a system call failed; errno says why */
	HW_E_UNSUPPORTED = -14 /* known, but not built into this version */
};

/* A short English phrase for an error code, for logs and messages. Never NULL. */
const char *hw_strerror(int error);

#endif
