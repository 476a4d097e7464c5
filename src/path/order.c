#include "path/order.h"

void hw_order_packet(struct hw_order *order, uint32_t behind, hw_time now)
{
	hw_time age = hw_time_since(now, order->turned_at);

	if (age >= HW_ORDER_SPAN) {
		order->previous =
			age < 2 * HW_ORDER_SPAN ? order->current : (struct hw_order_half){ 0 };
		order->current = (struct hw_order_half){ 0 };
		order->turned_at = now;
	}
	order->current.packets++;
	if (behind == 0)
		return;
	order->current.late++;
	if (behind > order->current.extent)
		order->current.extent = behind;
}

static struct hw_order_half recent(const struct hw_order *order, hw_time now)
{
	hw_time age = hw_time_since(now, order->turned_at);
	struct hw_order_half sum = { 0 };

	if (age < 2 * HW_ORDER_SPAN)
		sum = order->current;
	if (age < HW_ORDER_SPAN) {
		sum.packets += order->previous.packets;
		sum.late += order->previous.late;
		if (order->previous.extent > sum.extent)
			sum.extent = order->previous.extent;
	}
	return sum;
}

double hw_order_share(const struct hw_order *order, hw_time now)
{
	const struct hw_order_half sum = recent(order, now);

	return sum.packets == 0 ? 0 : (double)sum.late / sum.packets;
}

uint32_t hw_order_extent(const struct hw_order *order, hw_time now)
{
	return recent(order, now).extent;
}
