#include "path/flight.h"

#include <string.h>

#define SPACING HW_MS(4)
#define PAUSE HW_S(1)

void hw_flight_init(struct hw_flight *flight)
{
	memset(flight, 0, sizeof(*flight));
	flight->spacing = SPACING;
}

static struct hw_flight_mark *mark_at(struct hw_flight *flight, uint32_t i)
{
	return &flight->marks[(flight->first + i) % HW_FLIGHT_MARKS];
}

static void thin_out(struct hw_flight *flight)
{
	for (uint32_t i = 0; 2 * i < flight->count; i++)
		*mark_at(flight, i) = *mark_at(flight, 2 * i);
	flight->count = (flight->count + 1) / 2;
	flight->spacing *= 2;
}

static void push(struct hw_flight *flight, const struct hw_flight_mark *mark)
{
	if (flight->count == HW_FLIGHT_MARKS)
		thin_out(flight);
	flight->count++;
	*mark_at(flight, flight->count - 1) = *mark;
}

void hw_flight_sent(struct hw_flight *flight, uint32_t generation, uint32_t sequence, hw_time now)
{
	hw_time pause = hw_time_since(now, flight->last.at);
	struct hw_flight_mark mark = { generation, sequence, now, flight->last.gap };

	if (flight->last.at != 0 && pause < PAUSE)
		mark.gap += (hw_time)(((int64_t)pause - (int64_t)mark.gap) / 8);
	flight->last = mark;
	if (flight->count == 0)
		flight->spacing = SPACING;
	else if (now < mark_at(flight, flight->count - 1)->at + flight->spacing)
		return;
	push(flight, &mark);
}

/* Whether the report, of that generation, covers the mark: all of an older session is of the past. */
static bool covered(const struct hw_flight_mark *mark, uint32_t generation, uint32_t sequence)
{
	return mark->generation < generation ||
	       (mark->generation == generation && (int32_t)(sequence - mark->sequence) >= 0);
}

int64_t hw_flight_reported(struct hw_flight *flight, uint32_t generation, uint32_t sequence, bool all,
			   hw_time now)
{
	int64_t took = -1;

	while (flight->count > 0 && covered(mark_at(flight, 0), generation, sequence)) {
		const struct hw_flight_mark *mark = mark_at(flight, 0);

		took = (int64_t)hw_time_since(now, mark->at);
		flight->first = (flight->first + 1) % HW_FLIGHT_MARKS;
		flight->count--;
	}
	if (all)
		hw_flight_clear(flight);
	else if (flight->count == 0 && flight->last.at != 0 &&
		 flight->last.generation != 0 && !covered(&flight->last, generation, sequence))
		push(flight, &flight->last);
	return took;
}

void hw_flight_excuse(struct hw_flight *flight, hw_time before)
{
	while (flight->count > 0 && mark_at(flight, 0)->at < before) {
		flight->first = (flight->first + 1) % HW_FLIGHT_MARKS;
		flight->count--;
	}
	if (flight->count == 0 && flight->last.generation != 0 && flight->last.at >= before)
		push(flight, &flight->last);
}

void hw_flight_clear(struct hw_flight *flight)
{
	flight->count = 0;
	flight->last.generation = 0;
}
