#include "core/drop.h"

#include <stddef.h>

const char *hw_drop_name(enum hw_drop drop)
{
	static const char *const names[] = {
#define HW_DROP_NAME(name, text) #name,
		HW_DROPS(HW_DROP_NAME)
#undef HW_DROP_NAME
	};
	return (size_t)drop < HW_DROP_COUNT ? names[drop] : "unknown";
}

const char *hw_drop_text(enum hw_drop drop)
{
	static const char *const texts[] = {
#define HW_DROP_TEXT(name, text) text,
		HW_DROPS(HW_DROP_TEXT)
#undef HW_DROP_TEXT
	};
	return (size_t)drop < HW_DROP_COUNT ? texts[drop] : "unknown";
}
